"""A follow-up campaign: whoever a filter finds in a campaign is called once more, and that one's history stays."""

import dataclasses
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from autolynx.domain.actor import Maker
from autolynx.domain.campaign import Campaign, CampaignMode, CampaignOptions, CampaignStatus
from autolynx.domain.campaign_name import MAX_CAMPAIGN_NAME_CHARACTERS
from autolynx.domain.plan import Plan, Skipped
from autolynx.domain.words import counted
from autolynx.errors import Conflict
from autolynx.flows.campaign_edit import LOADING, check_cap
from autolynx.flows.campaign_names import check_name, is_about_name, suggest_name, with_suggestion
from autolynx.flows.once_more import once_more
from autolynx.flows.phone_number_choice import require_phone_number
from autolynx.flows.planning import Choices, plan_for
from autolynx.flows.upload_views import recent_since
from autolynx.log import log
from autolynx.runtime import Runtime
from autolynx.store import assistants, audit, campaigns, follow_ups, reports
from autolynx.store.database import Connection
from autolynx.store.follow_ups import COMES_ALONG, Follower, Wanted
from autolynx.store.report_rows import ContactFilter

NAME_ENDING = " follow-up"
NAME_TRIES = 5


@dataclass(frozen=True, kw_only=True)
class FollowUp:
    """Whom to call once more, and how. Whatever is None is as in the campaign that is followed.

    `outcomes`: ways that the latest call went, none for any. `includes_called_elsewhere`: numbers that other campaigns
    have dialled lately are called all the same.
    """

    campaign_id: UUID
    chosen: ContactFilter = dataclasses.field(default_factory=ContactFilter)
    outcomes: Sequence[str] = ()
    name: str | None = None
    assistant_id: UUID | None = None
    phone_number_id: str | None = None
    mode: CampaignMode | None = None
    cap: int | None = None
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    includes_called_elsewhere: bool = False


@dataclass(frozen=True, kw_only=True)
class FollowUpPlan:
    """What a follow-up would do. `matched`: all whom the filter finds; `followers`: those that there are already."""

    matched: int
    plan: Plan
    suggested_name: str
    followers: Sequence[Follower]


@dataclass(frozen=True, kw_only=True)
class FollowedUp:
    """A follow-up campaign, and how many stayed behind for which reason."""

    campaign: Campaign
    skipped: Sequence[Skipped]


async def plan_follow_up(runtime: Runtime, wanted: FollowUp, *, by: Maker) -> FollowUpPlan:
    """Count whom a follow-up would call and who stays behind, and plan it. Changes nothing. Raises NotFound."""
    async with runtime.database.connection() as conn:
        report = await reports.get_campaign(conn, wanted.campaign_id)
        fates = await follow_ups.count_fates(conn, _contacts(runtime, report.campaign, wanted))
        followers = await follow_ups.list_followers(conn, wanted.campaign_id, owner_id=by.sees_only)
    parent = report.campaign
    choices = Choices(
        assistant_id=wanted.assistant_id or parent.assistant_id,
        phone_number_id=wanted.phone_number_id or parent.phone_number_id,
        mode=wanted.mode or parent.mode,
        cap=wanted.cap if wanted.cap is not None else parent.cap,
        options=_options(report.options, wanted),
    )
    contacts = fates.get(COMES_ALONG, 0)
    objections = [] if contacts else ["Nobody is left to call: choose other contacts."]
    skipped = _skipped(fates, days=runtime.settings.recent_call_days)
    plan = await plan_for(runtime, choices, contacts=contacts, skipped=skipped, objections=objections)
    name = await suggest_name(runtime, _default_name(parent.name), owner_id=by.owner_id) or parent.name
    return FollowUpPlan(matched=sum(fates.values()), plan=plan, suggested_name=name, followers=followers)


async def create_follow_up(runtime: Runtime, wanted: FollowUp, *, by: Maker) -> FollowedUp:
    """Create a campaign of contacts of another one: all of them or nothing.

    Never come along: who is unsure or excluded, has a live call, is still due in a campaign that was not stopped, or
    is in another follow-up that is not over.
    Raises as `create_campaign` does, and Conflict where nobody comes along.
    """
    async with runtime.database.connection() as conn:
        report = await reports.get_campaign(conn, wanted.campaign_id)
    parent = report.campaign
    name = check_name(wanted.name) if wanted.name is not None else None
    draft = dataclasses.replace(
        parent,
        id=uuid.uuid4(),
        name=name or "",
        cap=check_cap(wanted.cap if wanted.cap is not None else parent.cap),
        mode=wanted.mode or parent.mode,
        assistant_id=wanted.assistant_id or parent.assistant_id,
        phone_number_id=await require_phone_number(runtime, wanted.phone_number_id or parent.phone_number_id),
        options=CampaignOptions.from_json(_options(report.options, wanted)),
        **_FRESH,
        created_at=runtime.clock.now(),
    )
    made = await _insert(runtime, draft, wanted, parent_name=parent.name, by=by)
    log.info("campaign.created", campaign_id=str(draft.id), contacts=made.campaign.total_contacts)
    return made


_FRESH: dict[str, Any] = {
    "status": CampaignStatus.CREATED,
    "status_reason": None,
    "batch_size": None,
    "open_batch": 0,
    "next_position": 0,
    "hold_position": None,
    "watch": None,
    "total_contacts": 0,
    "started_at": None,
    "queued_at": None,
    "completed_at": None,
}


_OF_THE_PARENT_ALONE = {"canary", "testCall"}


async def _insert(runtime: Runtime, draft: Campaign, wanted: FollowUp, *, parent_name: str, by: Maker) -> FollowedUp:
    """Insert under the chosen name, or under the first free one of our own making."""
    for tries_left in reversed(range(NAME_TRIES)):
        ours = _default_name(parent_name)
        free = draft.name or await suggest_name(runtime, ours, owner_id=by.owner_id) or ours
        named = dataclasses.replace(draft, name=free)
        try:
            return await _insert_named(runtime, named, wanted, by=by)
        except Conflict as error:
            if draft.name or not tries_left or not is_about_name(error):
                raise await with_suggestion(runtime, error, named.name, owner_id=by.owner_id) from None
    raise AssertionError("the last try returns or raises")


@once_more
async def _insert_named(runtime: Runtime, draft: Campaign, wanted: FollowUp, *, by: Maker) -> FollowedUp:
    now = runtime.clock.now()
    async with runtime.database.transaction(timeouts=LOADING) as conn:
        await follow_ups.lock_family(conn, wanted.campaign_id)
        parent = await _hold_if_over(conn, wanted.campaign_id)
        await assistants.get_usable_config(conn, draft.assistant_id)
        stored = _options((await reports.get_campaign(conn, parent.id)).options, wanted)
        await campaigns.insert(conn, draft, options=stored, owner_id=by.owner_id)
        contacts = _contacts(runtime, parent, wanted)
        fates = await follow_ups.count_fates(conn, contacts)
        total = await _copy(conn, contacts, draft.id, fates)
        counts = {"totalRows": sum(fates.values()), "accepted": total, "stayed": sum(fates.values()) - total}
        await campaigns.save_contacts_loaded(conn, draft.id, total_contacts=total, report=counts)
        details = {"contacts": total, "follows": str(parent.id)}
        subject = str(draft.id)
        await audit.append(conn, now=now, actor=by.name, action="campaign.created", subject=subject, details=details)
    skipped = _skipped(fates, days=runtime.settings.recent_call_days)
    return FollowedUp(campaign=dataclasses.replace(draft, total_contacts=total), skipped=skipped)


async def _hold_if_over(conn: Connection, campaign_id: UUID) -> Campaign:
    """Return the campaign that is followed; one that is over is locked, so that nobody resumes it meanwhile.

    One that runs is not: all dialling would wait for it, and who is due or on a call in it stays anyway.
    """
    parent = await campaigns.get(conn, campaign_id)
    return await campaigns.lock(conn, campaign_id) if parent.status.is_terminal else parent


async def _copy(conn: Connection, contacts: Wanted, follower_id: UUID, fates: Mapping[str, int]) -> int:
    total = await follow_ups.insert_contacts(conn, contacts, follower_id=follower_id) if fates.get(COMES_ALONG) else 0
    if not total:
        raise Conflict(
            "Nobody of these contacts can come along: choose others.", details={"matched": sum(fates.values())}
        )
    return total


def _contacts(runtime: Runtime, parent: Campaign, wanted: FollowUp) -> Wanted:
    now: datetime = runtime.clock.now()
    days = 0 if wanted.includes_called_elsewhere else runtime.settings.recent_call_days
    return Wanted(
        campaign_id=parent.id,
        chosen=wanted.chosen,
        outcomes=tuple(wanted.outcomes),
        is_stopped=parent.status is CampaignStatus.CANCELED,
        not_called_since=recent_since(now, days),
    )


def _options(of_parent: Mapping[str, Any], wanted: FollowUp) -> dict[str, Any]:
    kept = {name: value for name, value in of_parent.items() if name not in _OF_THE_PARENT_ALONE}
    return {**kept, **wanted.options, "followsCampaign": str(wanted.campaign_id)}


def _skipped(fates: Mapping[str, int], *, days: int) -> list[Skipped]:
    sentences = {
        "live": ("is on a call right now", "are on a call right now"),
        "due": ("is still to be called by the campaign itself", "are still to be called by the campaign itself"),
        "unsure": ("is unsure: a person decides first", "are unsure: a person decides first"),
        "excluded": ("is not to be called", "are not to be called"),
        "inFollowUp": (
            "is already in a follow-up that is not over",
            "are already in a follow-up that is not over",
        ),
        "calledElsewhere": (f"was {_elsewhere(days)}", f"were {_elsewhere(days)}"),
    }
    return [
        Skipped(reason=fate, count=fates[fate], sentence=counted(fates[fate], one, many))
        for fate, (one, many) in sentences.items()
        if fates.get(fate)
    ]


def _elsewhere(days: int) -> str:
    return f"called by another campaign in the last {days} days"


def _default_name(parent_name: str) -> str:
    return parent_name[: MAX_CAMPAIGN_NAME_CHARACTERS - len(NAME_ENDING)].rstrip() + NAME_ENDING
