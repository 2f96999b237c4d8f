"""A campaign is created from an upload, edited and deleted. Its life in between is in campaign_life."""

import dataclasses
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from autolynx.domain.actor import Maker
from autolynx.domain.campaign import MAX_CAP, MIN_CAP, Campaign, CampaignMode, CampaignOptions, CampaignStatus
from autolynx.domain.campaign_changes import OptionChanges, check_options, with_options
from autolynx.domain.campaign_name import default_name
from autolynx.errors import Conflict, ValidationProblem
from autolynx.flows.campaign_names import check_name, is_about_name, suggest_name, with_suggestion
from autolynx.flows.once_more import once_more
from autolynx.flows.phone_number_choice import require_phone_number
from autolynx.flows.upload_loading import Loaded, load_into_campaign
from autolynx.log import log
from autolynx.runtime import Runtime
from autolynx.store import assistants, audit, calls, campaigns, owners, uploads
from autolynx.store.database import Connection, Timeouts

LOADING = Timeouts(statement_seconds=120.0, idle_seconds=60.0)  # a quarter of a million contacts in one statement
NAME_TRIES = 5


@dataclass(frozen=True, kw_only=True)
class NewCampaign:
    """What a person chooses. Whatever is None follows from the upload or the settings.

    `include_recently_called`: numbers that were called lately are dialled all the same. `is_repeat_allowed`: a file
    that another campaign has taken may be loaded again.
    """

    upload_id: UUID
    assistant_id: UUID
    name: str | None = None
    mode: CampaignMode = CampaignMode.CONTINUOUS
    cap: int | None = None
    phone_number_id: str | None = None
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    include_recently_called: bool = False
    is_repeat_allowed: bool = False


@dataclass(frozen=True, kw_only=True)
class Created:
    """A campaign with all its contacts, and what became of the rows of its file."""

    campaign: Campaign
    loaded: Loaded


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What a person wants changed; None leaves it as it is."""

    name: str | None = None
    cap: int | None = None
    mode: CampaignMode | None = None
    assistant_id: UUID | None = None
    phone_number_id: str | None = None
    options: OptionChanges = dataclasses.field(default_factory=OptionChanges)


@dataclass(frozen=True, kw_only=True)
class Edited:
    """A campaign before and after an edit."""

    before: Campaign
    after: Campaign

    @property
    def has_more_room(self) -> bool:
        """Whether more lines may be used than before."""
        was_gated, is_gated = self.before.options.line_quiet, self.after.options.line_quiet
        return self.after.cap > self.before.cap or (was_gated and not is_gated)


async def create_campaign(runtime: Runtime, wanted: NewCampaign, *, by: Maker) -> Created:
    """Create a campaign with all the contacts of an upload, or nothing at all.

    Raises ValidationProblem for a name, cap or phone number that cannot be; NotFound for the upload; Conflict for a
    taken name (with a free one), an assistant that cannot be used, a phone number that is not active, and what
    loading refuses; ProviderError when the phone numbers cannot be asked for.
    """
    cap = check_cap(wanted.cap if wanted.cap is not None else runtime.settings.default_concurrency_cap)
    name = check_name(wanted.name) if wanted.name is not None else None
    phone_number_id = await require_phone_number(runtime, wanted.phone_number_id)
    draft = Campaign(
        id=uuid.uuid4(),
        name=name or "",
        status=CampaignStatus.CREATED,
        mode=wanted.mode,
        cap=cap,
        assistant_id=wanted.assistant_id,
        phone_number_id=phone_number_id,
        total_contacts=0,
        created_at=runtime.clock.now(),
    )
    created = await _insert(runtime, draft, wanted, by=by)
    log.info("campaign.created", campaign_id=str(draft.id), contacts=created.loaded.contacts)
    return created


async def patch_campaign(runtime: Runtime, campaign_id: UUID, changes: Changes, *, actor: str) -> Edited:
    """Change a campaign: name and cap at any time, options until it is over, the rest only before it is started.

    The cap holds at once, attempts from the next end of a call on. Raises ValidationProblem, NotFound, Conflict (too
    late, a taken name, an assistant or number that cannot be used), ProviderError when a new phone number cannot be
    asked about.
    """
    name = check_name(changes.name) if changes.name is not None else None
    if changes.cap is not None:
        check_cap(changes.cap)
    check_options(changes.options)
    before = await _get(runtime, campaign_id)
    _check_is_early_enough(before, changes)
    if changes.phone_number_id not in {None, before.phone_number_id}:
        await require_phone_number(runtime, changes.phone_number_id)
    try:
        edited = await _save_edit(runtime, campaign_id, dataclasses.replace(changes, name=name), actor=actor)
    except Conflict as error:
        async with runtime.database.connection() as conn:
            owner_id = await owners.find_owner(conn, campaign_id)
        raise await with_suggestion(runtime, error, name or "", owner_id=owner_id) from None
    log.info("campaign.edited", campaign_id=str(campaign_id), cap=edited.after.cap)
    return edited


@once_more
async def delete_campaign(runtime: Runtime, campaign_id: UUID, *, actor: str) -> None:
    """Delete a campaign: it is seen no more, its calls and events stay.

    Raises NotFound, and Conflict while calls are live.
    """
    now = runtime.clock.now()
    async with runtime.database.transaction(by_index=True) as conn:
        await campaigns.lock(conn, campaign_id)  # nobody claims a line of it until we are through
        live = await calls.list_lines(conn, campaign_id)
        if live:
            raise Conflict(
                f"Calls of this campaign are still live ({len(live)}); stop it and delete it when they are over.",
                details={"activeCalls": len(live)},
            )
        await campaigns.save_deleted(conn, campaign_id, now)
        await audit.append(conn, now=now, actor=actor, action="campaign.deleted", subject=str(campaign_id))
    log.info("campaign.deleted", campaign_id=str(campaign_id))


def check_cap(cap: int) -> int:
    """Return the cap. Raises ValidationProblem outside 1 to 50."""
    if not MIN_CAP <= cap <= MAX_CAP:
        raise ValidationProblem(f"cap: must be from {MIN_CAP} to {MAX_CAP}.", field="cap")
    return cap


async def _insert(runtime: Runtime, draft: Campaign, wanted: NewCampaign, *, by: Maker) -> Created:
    """Insert under the chosen name, or under the first free one of our own making."""
    for tries_left in reversed(range(NAME_TRIES)):
        named = draft if draft.name else await _with_default_name(runtime, draft, wanted, by)
        try:
            return await _insert_named(runtime, named, wanted, by=by)
        except Conflict as error:
            if draft.name or not tries_left or not is_about_name(error):
                raise await with_suggestion(runtime, error, named.name, owner_id=by.owner_id) from None
    raise AssertionError("the last try returns or raises")


async def _with_default_name(runtime: Runtime, draft: Campaign, wanted: NewCampaign, by: Maker) -> Campaign:
    async with runtime.database.connection() as conn:
        upload = await uploads.get_upload(conn, wanted.upload_id, owner_id=by.sees_only, now=runtime.clock.now())
    name = default_name(upload.file_name, draft.created_at.date())
    return dataclasses.replace(draft, name=await suggest_name(runtime, name, owner_id=by.owner_id) or name)


@once_more
async def _insert_named(runtime: Runtime, draft: Campaign, wanted: NewCampaign, *, by: Maker) -> Created:
    now = runtime.clock.now()
    async with runtime.database.transaction(timeouts=LOADING) as conn:
        await assistants.get_usable_config(conn, draft.assistant_id)
        upload = await uploads.get_upload(conn, wanted.upload_id, owner_id=by.sees_only, now=now)
        options = {"region": upload.region, **wanted.options}
        await campaigns.insert(conn, draft, options=options, owner_id=by.owner_id)
        loaded = await load_into_campaign(
            conn,
            upload_id=upload.id,
            campaign_id=draft.id,
            now=now,
            skip_called_within_days=0 if wanted.include_recently_called else runtime.settings.recent_call_days,
            is_repeat_allowed=wanted.is_repeat_allowed,
            owner_id=by.sees_only,
        )
        await campaigns.save_contacts_loaded(conn, draft.id, total_contacts=loaded.contacts, report=counts_of(loaded))
        counts = {"contacts": loaded.contacts}
        await audit.append(
            conn, now=now, actor=by.name, action="campaign.created", subject=str(draft.id), details=counts
        )
    campaign = dataclasses.replace(draft, total_contacts=loaded.contacts, options=CampaignOptions.from_json(options))
    return Created(campaign=campaign, loaded=loaded)


def counts_of(loaded: Loaded) -> dict[str, int]:
    """Return what a campaign keeps of its import: counts, no rows of people who are not in it."""
    return {
        "totalRows": loaded.report.total_rows,
        "accepted": loaded.contacts,
        "duplicates": loaded.report.duplicates,
        "skippedRows": loaded.report.skipped_rows,
        "recentlyCalled": loaded.recently_called,
    }


@once_more
async def _save_edit(runtime: Runtime, campaign_id: UUID, changes: Changes, *, actor: str) -> Edited:
    now = runtime.clock.now()
    chosen = {name: value for name in _EDITABLE if (value := getattr(changes, name)) is not None}
    async with runtime.database.transaction() as conn:
        before = await campaigns.lock(conn, campaign_id)
        _check_is_early_enough(before, changes)
        if changes.assistant_id not in {None, before.assistant_id}:
            await assistants.get_usable_config(conn, changes.assistant_id or before.assistant_id)
        after = with_options(dataclasses.replace(before, **chosen), changes.options)
        await _write(conn, after, changes.options)
        fields = sorted([*chosen, *changes.options.chosen()])
        details = {"fields": fields}
        subject = str(campaign_id)
        await audit.append(conn, now=now, actor=actor, action="campaign.edited", subject=subject, details=details)
    return Edited(before=before, after=after)


async def _write(conn: Connection, after: Campaign, options: OptionChanges) -> None:
    await campaigns.save_edit(
        conn,
        after,
        name=after.name,
        cap=after.cap,
        mode=after.mode,
        assistant_id=after.assistant_id,
        phone_number_id=after.phone_number_id,
        options=options.chosen(),
    )
    await campaigns.save_self_pauses(conn, [after])


_EDITABLE = ("name", "cap", "mode", "assistant_id", "phone_number_id")
_BEFORE_START = {"mode": "mode", "assistant_id": "assistantId", "phone_number_id": "phoneNumberId"}


def _check_is_early_enough(campaign: Campaign, changes: Changes) -> None:
    """Raise Conflict for what can only be changed before Start, or the end. The value that it has is no change."""
    late = [
        word for name, word in _BEFORE_START.items() if getattr(changes, name) not in {None, getattr(campaign, name)}
    ]
    if late and campaign.status is not CampaignStatus.CREATED:
        raise Conflict(
            f"{', '.join(late)}: can only be changed before the campaign is started; it is {campaign.status}.",
            details={"fields": late, "status": campaign.status},
        )
    if changes.options.chosen() and campaign.status.is_terminal:
        fields = sorted(changes.options.chosen())
        raise Conflict(
            f"{', '.join(fields)}: the campaign is {campaign.status}, nobody is called in it any more.",
            details={"fields": fields, "status": campaign.status},
        )


async def _get(runtime: Runtime, campaign_id: UUID) -> Campaign:
    async with runtime.database.connection() as conn:
        return await campaigns.get(conn, campaign_id)
