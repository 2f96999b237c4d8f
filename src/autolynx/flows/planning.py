"""The plan before the button: what a campaign would do if it were created and started like this. Nothing is changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from autolynx.domain.call_figures import CallFigures, figures_from
from autolynx.domain.campaign import CampaignMode, CampaignOptions
from autolynx.domain.import_report import FileUse, UploadStatus
from autolynx.domain.pacing import NumberPace, number_room
from autolynx.domain.plan import Intent, Lines, Plan, Skipped, make_plan
from autolynx.domain.words import counted
from autolynx.flows.campaign_edit import check_cap
from autolynx.flows.dialing_state import DialingState, get_dialing_state
from autolynx.flows.upload_views import recent_since
from autolynx.runtime import Runtime
from autolynx.store import call_history, phone_numbers, suppressions, upload_loading, uploads
from autolynx.store.database import Connection
from autolynx.store.uploads import Upload


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What a person has chosen so far; None follows from the settings."""

    assistant_id: UUID | None = None
    phone_number_id: str | None = None
    mode: CampaignMode = CampaignMode.CONTINUOUS
    cap: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


async def plan_campaign(
    runtime: Runtime,
    upload_id: UUID,
    choices: Choices,
    *,
    includes_recently_called: bool = False,
    is_repeat_allowed: bool = False,
    owner_id: UUID | None = None,
) -> Plan:
    """Return what a campaign of this upload would do. Raises NotFound for the upload, ValidationProblem for the cap."""
    now = runtime.clock.now()
    async with runtime.database.connection() as conn:
        upload = await uploads.get_upload(conn, upload_id, owner_id=owner_id, now=now)
        recent = await _count_recent(conn, runtime, upload, now=now)
        suppressed = await suppressions.count_in_upload(conn, upload.id)
        uses = await upload_loading.list_file_uses(conn, upload.fingerprint, owner_id=owner_id)
    left_out = 0 if includes_recently_called else recent
    skipped = _skipped(upload, left_out, days=runtime.settings.recent_call_days)
    asked = f"{counted(suppressed, 'person', 'people')} asked not to be called"
    skipped += [Skipped(reason="suppressed", count=suppressed, sentence=asked)] if suppressed else []
    contacts = max(0, upload.accepted - left_out - suppressed)
    objections = _objections(upload, contacts, () if is_repeat_allowed else uses)
    return await plan_for(runtime, choices, contacts=contacts, skipped=skipped, objections=objections)


async def plan_for(
    runtime: Runtime, choices: Choices, *, contacts: int, skipped: Sequence[Skipped], objections: Sequence[str]
) -> Plan:
    """Return what a campaign with so many contacts would do."""
    now = runtime.clock.now()
    state = await get_dialing_state(runtime)
    number_id = choices.phone_number_id or runtime.settings.vapi_phone_number_id
    async with runtime.database.connection() as conn:
        own, everybody = await call_history.get_histories(conn, choices.assistant_id)
        number = await phone_numbers.get_pace(conn, number_id) if number_id else NumberPace(id="")
    options = CampaignOptions.from_json(dict(choices.options))
    intent = Intent(
        contacts=contacts,
        mode=choices.mode,
        lines=_lines(runtime, choices, is_line_quiet=options.line_quiet, state=state, number=number),
        max_attempts=options.max_attempts,
        retry_after_minutes=options.retry_after_minutes,
        skipped=skipped,
        objections=objections,
    )
    figures: CallFigures = figures_from(own, everybody)
    starts_at, sentence = _start(runtime, state, number, now=now)
    scale = runtime.settings.time_scale
    return make_plan(intent, figures, starts_at=starts_at, start_sentence=sentence, now=now, time_scale=scale)


async def _count_recent(conn: Connection, runtime: Runtime, upload: Upload, *, now: datetime) -> int:
    since = recent_since(now, runtime.settings.recent_call_days)
    if since is None or upload.status is not UploadStatus.READY:
        return 0
    return await upload_loading.count_called_since(conn, upload.id, since)


def _skipped(upload: Upload, recent: int, *, days: int) -> list[Skipped]:
    lately = f"called in the last {days} days" if days != 1 else "called in the last day"
    sentences = [
        ("invalid", upload.skipped, counted(upload.skipped, "row has a problem", "rows have a problem")),
        ("duplicate", upload.duplicates, counted(upload.duplicates, "row repeats a number", "rows repeat a number")),
        ("recentlyCalled", recent, f"{counted(recent, 'number was', 'numbers were')} {lately}"),
    ]
    return [Skipped(reason=reason, count=count, sentence=sentence) for reason, count, sentence in sentences]


def _objections(upload: Upload, contacts: int, uses: Sequence[FileUse]) -> list[str]:
    said = []
    if upload.status is not UploadStatus.READY:
        said.append("The file is not read to its end yet.")
    elif contacts == 0:
        said.append("Nobody is left to call in this file.")
    if uses:
        name = f'the campaign "{uses[0].campaign_name}"' if uses[0].campaign_name else "another campaign"
        said.append(f"This very file was loaded into {name} on {uses[0].loaded_at:%Y-%m-%d}.")
    return said


def _lines(
    runtime: Runtime, choices: Choices, *, is_line_quiet: bool, state: DialingState, number: NumberPace
) -> Lines:
    cap = check_cap(choices.cap if choices.cap is not None else runtime.settings.default_concurrency_cap)
    rules = runtime.settings.pacing
    return Lines(
        cap=cap,
        account_cap=max(1, min(rules.account_room, state.effective_cap)),
        is_line_quiet=is_line_quiet and choices.mode is CampaignMode.CONTINUOUS,
        launch_per_second=rules.launch_per_second,
        daily_limit=number.daily_limit,
        left_today=number.left_today(state.asked_at),
    )


def _start(runtime: Runtime, state: DialingState, number: NumberPace, *, now: datetime) -> tuple[datetime | None, str]:
    """Return when the first call may go out, None where a person has to let it, and that in words."""
    if state.is_held or state.account.trouble is not None:
        return None, state.sentence
    launches = number_room(number, runtime.settings.pacing, now)
    if launches.lines == 0 and launches.bound_by == "number" and launches.changes_at is None:
        return None, f"Nothing can be dialled from this phone number: {number.hold_reason}"
    moments = [room.changes_at for room in (state.room, launches) if room.lines == 0 and room.changes_at is not None]
    if moments:
        return max(moments), "The first call goes out when the rest of the account or number is over."
    if state.room.lines == 0:
        return now, "All lines are in use: the first call goes out as soon as one is free."
    return now, "The first call goes out at once."
