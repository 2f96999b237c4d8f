"""The state of dialling: what the account may do now, what stands in the way, and when that changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from autolynx.domain.bounds import Bound, CampaignLines, account_sentence, campaign_bound, number_sentence
from autolynx.domain.campaign import Campaign
from autolynx.domain.pacing import Account, NumberPace, Room, account_room, effective_account_cap, number_room
from autolynx.runtime import Runtime
from autolynx.store import claims, gate, live, phone_numbers
from autolynx.store.phone_numbers import NumberLabel


@dataclass(frozen=True, kw_only=True)
class NumberState:
    """A phone number that we call from: its pace, its day, and how many launches it may make now."""

    pace: NumberPace
    label: NumberLabel
    room: Room
    left_today: int | None
    sentence: str


@dataclass(frozen=True, kw_only=True)
class DialingState:
    """Everything that decides about the next dial. `effective_cap` is what the account carries now.

    `sentence` says in words what binds the account.
    """

    account: Account
    account_cap: int
    inbound_reserve: int
    effective_cap: int
    active_lines: int
    room: Room
    sentence: str
    numbers: Sequence[NumberState]
    asked_at: datetime

    @property
    def resting_until(self) -> datetime | None:
        """When the rest ends that the account takes now, None where it takes none."""
        until = self.account.not_before
        return until if until is not None and until > self.asked_at else None

    @property
    def is_held(self) -> bool:
        """Whether the red button is pressed."""
        return self.account.held_at is not None


async def get_dialing_state(runtime: Runtime) -> DialingState:
    """Return the state of account and numbers as it is now."""
    now, rules = runtime.clock.now(), runtime.settings.pacing
    async with runtime.database.connection(by_index=True) as conn:
        account = await gate.get(conn)
        lines = await gate.count_lines(conn)
        room = account_room(account, rules, lines_held=lines, now=now)
        paces = await phone_numbers.list_all(conn)
        labels = await phone_numbers.list_labels(conn)
    numbers = [
        NumberState(
            pace=pace,
            label=labels[pace.id],
            room=number_room(pace, rules, now),
            left_today=pace.left_today(now),
            sentence=number_sentence(pace, number_room(pace, rules, now)),
        )
        for pace in paces
        if pace.id in labels
    ]
    return DialingState(
        account=account,
        account_cap=runtime.settings.account_concurrency_cap,
        inbound_reserve=runtime.settings.inbound_reserve,
        effective_cap=effective_account_cap(account, rules, now),
        active_lines=lines,
        room=room,
        sentence=account_sentence(account, rules, room, now),
        numbers=numbers,
        asked_at=now,
    )


async def get_campaign_bound(runtime: Runtime, campaign: Campaign) -> Bound:
    """Return what keeps a campaign from placing more calls now, as the next claim would find it."""
    return (await get_campaign_bounds(runtime, [campaign]))[campaign.id]


async def get_campaign_bounds(runtime: Runtime, campaigns: Sequence[Campaign]) -> dict[UUID, Bound]:
    """Return the same of several campaigns, asked together."""
    now, rules = runtime.clock.now(), runtime.settings.pacing
    ids = [campaign.id for campaign in campaigns]
    async with runtime.database.connection() as conn:
        account = await gate.get(conn)
        account_lines = await gate.count_lines(conn)
        ready = await claims.list_ready(conn, ids, now=now)
        next_due = await claims.list_next_due(conn, ids, now=now)
        held = await live.count_lines(conn, ids)
        numbers = await phone_numbers.list_paces(conn, list({campaign.phone_number_id for campaign in campaigns}))
    bounds = {}
    for campaign in campaigns:
        lines = CampaignLines(
            cap=campaign.cap,
            held=held[campaign.id],
            is_running=campaign.status.is_running,
            has_ready=campaign.id in ready,
            next_due_at=next_due.get(campaign.id),
            waits_for_quiet=campaign.id in ready and ready[campaign.id].wants_quiet,
        )
        number = numbers[campaign.phone_number_id]
        bounds[campaign.id] = campaign_bound(lines, account, number, rules=rules, account_lines=account_lines, now=now)
    return bounds


async def estimate_start(runtime: Runtime) -> datetime:
    """Return when a campaign that was just started can place its first call, as far as we know."""
    state = await get_dialing_state(runtime)
    if state.room.lines > 0 or state.room.changes_at is None:
        return state.asked_at
    return state.room.changes_at
