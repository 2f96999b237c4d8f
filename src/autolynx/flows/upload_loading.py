"""A campaign takes an upload: all of it in one statement, or nothing."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from autolynx.domain.import_report import FileUse, ImportReport, UploadStatus
from autolynx.errors import Conflict
from autolynx.flows.upload_views import recent_since, report_of
from autolynx.store import upload_loading, uploads
from autolynx.store.database import Connection


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """How many contacts a campaign got, and how many of the accepted rows were left out and why."""

    contacts: int
    recently_called: int
    already_in_campaign: int
    report: ImportReport


async def load_into_campaign(
    conn: Connection,
    *,
    upload_id: UUID,
    campaign_id: UUID,
    now: datetime,
    skip_called_within_days: int,
    is_repeat_allowed: bool = False,
    owner_id: UUID | None = None,
) -> Loaded:
    """Make contacts of an upload's rows inside the caller's transaction, in the file's order.

    `skip_called_within_days`: numbers that any campaign has dialled in so many days are left out; 0 leaves out
    none. The caller writes the campaign's total. Raises NotFound; Conflict when the upload is not judged to its
    end, and when a campaign has taken the very same file before, unless `is_repeat_allowed`.
    """
    upload = await uploads.lock_upload(conn, upload_id, owner_id=owner_id, now=now)
    if upload.status is not UploadStatus.READY:
        raise Conflict("The upload is not read to its end yet; finish it first.", details={"status": upload.status})
    await upload_loading.lock_file(conn, upload.fingerprint)
    uses = await upload_loading.list_file_uses(conn, upload.fingerprint, owner_id=owner_id)
    if uses and not is_repeat_allowed:
        raise _loaded_before(uses[0])
    known = await upload_loading.count_already_in(conn, upload_id=upload.id, campaign_id=campaign_id)
    contacts = await upload_loading.insert_contacts(
        conn,
        upload_id=upload.id,
        campaign_id=campaign_id,
        not_called_since=recent_since(now, skip_called_within_days),
    )
    await upload_loading.insert_file_use(
        conn, campaign_id=campaign_id, fingerprint=upload.fingerprint, file_name=upload.file_name, loaded_at=now
    )
    return Loaded(
        contacts=contacts,
        recently_called=upload.accepted - known - contacts,
        already_in_campaign=known,
        report=await report_of(conn, upload),
    )


def _loaded_before(use: FileUse) -> Conflict:
    campaign = f'campaign "{use.campaign_name}"' if use.campaign_name else "another campaign"
    return Conflict(
        f"This very file was loaded into {campaign} on {use.loaded_at:%Y-%m-%d}; "
        "set again to true to call the whole of it once more.",
        details={"field": "again", "campaignId": str(use.campaign_id) if use.campaign_id else None},
    )
