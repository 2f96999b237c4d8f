"""From an upload into a campaign, and what is known about lists and numbers that were used before."""

from datetime import datetime
from uuid import UUID

from autolynx.domain.import_report import FileUse
from autolynx.store.database import Connection

# Whether any campaign has dialled the number since a moment, claims that were released aside; without one: never.
_CALLED_SINCE = """EXISTS (SELECT 1 FROM calls k JOIN contacts d ON d.id = k.contact_id
    WHERE d.phone = r.phone AND k.counts_as_attempt AND k.dial_started_at >= %(since)s::timestamptz)"""


async def insert_contacts(
    conn: Connection, *, upload_id: UUID, campaign_id: UUID, not_called_since: datetime | None
) -> int:
    """Make contacts of an upload's rows, after those the campaign has, in the file's order; return how many.

    Left out are numbers the campaign has already and, given a moment, numbers dialled since then.
    """
    cursor = await conn.execute(
        f"""INSERT INTO contacts (campaign_id, name, business_name, phone, phone_raw, extension, variables, position)
            SELECT %(campaign)s, r.name, r.business_name, r.phone, r.phone_raw, r.extension, r.variables,
                (SELECT coalesce(max(position) + 1, 0) FROM contacts WHERE campaign_id = %(campaign)s)
                    + row_number() OVER (ORDER BY r.row_number) - 1
            FROM upload_rows r
            WHERE r.upload_id = %(upload)s
                AND NOT EXISTS (
                    SELECT 1 FROM contacts c WHERE c.campaign_id = %(campaign)s AND c.phone = r.phone)
                AND NOT {_CALLED_SINCE}""",
        {"campaign": campaign_id, "upload": upload_id, "since": not_called_since},
    )
    return cursor.rowcount


async def count_already_in(conn: Connection, *, upload_id: UUID, campaign_id: UUID) -> int:
    """Return how many numbers of an upload a campaign has already."""
    cursor = await conn.execute(
        """SELECT count(*) AS found FROM upload_rows r JOIN contacts c ON c.phone = r.phone
           WHERE r.upload_id = %s AND c.campaign_id = %s""",
        [upload_id, campaign_id],
    )
    row = await cursor.fetchone()
    return int(row["found"]) if row else 0


async def count_called_since(conn: Connection, upload_id: UUID, since: datetime) -> int:
    """Return how many numbers of an upload were dialled by any campaign since a moment."""
    cursor = await conn.execute(
        f"SELECT count(*) AS found FROM upload_rows r WHERE r.upload_id = %(upload)s AND {_CALLED_SINCE}",
        {"upload": upload_id, "since": since},
    )
    row = await cursor.fetchone()
    return int(row["found"]) if row else 0


async def lock_file(conn: Connection, fingerprint: str) -> None:
    """Let nobody else load the very same file until the transaction ends: each then sees what the others did."""
    await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"file:{fingerprint}"])


async def insert_file_use(
    conn: Connection, *, campaign_id: UUID, fingerprint: str, file_name: str, loaded_at: datetime
) -> None:
    """Remember that a campaign took a file; the same file again moves the time."""
    await conn.execute(
        """INSERT INTO campaign_files (campaign_id, fingerprint, file_name, loaded_at)
           VALUES (%s, %s, %s, %s)
           ON CONFLICT ON CONSTRAINT campaign_files_pkey DO UPDATE SET loaded_at = EXCLUDED.loaded_at""",
        [campaign_id, fingerprint, file_name, loaded_at],
    )


async def list_file_uses(conn: Connection, fingerprint: str, *, owner_id: UUID | None) -> tuple[FileUse, ...]:
    """Return the campaigns that took the very same file, latest first.

    Campaigns of others are counted without name and id when an owner is given.
    """
    cursor = await conn.execute(
        """SELECT CASE WHEN is_own THEN id END AS campaign_id, CASE WHEN is_own THEN name END AS campaign_name,
               loaded_at
           FROM (SELECT c.id, c.name, f.loaded_at,
                     coalesce(%(owner)s::uuid IS NULL OR c.owner_id = %(owner)s, false) AS is_own
                 FROM campaign_files f JOIN campaigns c ON c.id = f.campaign_id
                 WHERE f.fingerprint = %(fingerprint)s AND c.deleted_at IS NULL) uses
           ORDER BY loaded_at DESC, id LIMIT 20""",
        {"owner": owner_id, "fingerprint": fingerprint},
    )
    return tuple([FileUse(**row) async for row in cursor])
