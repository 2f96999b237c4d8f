"""Claim: one short transaction behind the gate takes lines for the next contacts. No HTTP happens in here."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from autolynx.domain import pacing
from autolynx.domain.campaign import Campaign, CampaignMode
from autolynx.domain.contact import Contact, ContactState, LaterAt, Never, Now, eligibility
from autolynx.domain.pacing import Account, NumberPace, Room
from autolynx.flows.once_more import once_more
from autolynx.provider.port import CallOrder
from autolynx.runtime import Runtime
from autolynx.store import claims, contacts, gate, phone_numbers
from autolynx.store.claims import Claim, Opening, Ready, Turn
from autolynx.store.database import Connection

# How long a look at a quiet line stays good (line-quiet gating).
QUIET_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """What one claim took, and what stands in the way of more."""

    orders: Sequence[CallOrder] = ()
    account: Account = field(default_factory=Account)
    room: Room = field(default_factory=lambda: Room(lines=0, bound_by="nothing due"))
    made_progress: bool = False  # contacts were passed over or a batch was opened: asking again may find more
    wants_quiet_look: Sequence[UUID] = ()
    changes_at: datetime | None = None


@once_more
async def claim(runtime: Runtime, *, campaign_id: UUID | None = None, most: int | None = None) -> Claimed:
    """Take as many lines as every cap allows, for the campaigns whose turn it is.

    `campaign_id` limits the choice to one campaign; `most` bounds the lines taken. The claims are committed with a
    lease when this returns: whoever got them dials them.
    """
    now = runtime.clock.now()
    # The mark's commit comes later and waits for the disk, for both of them: a claim that a crash of the database
    # undid is found missing by its mark, and nothing is dialled.
    async with runtime.database.pipelined(waits_for_disk=False) as conn:
        opening = await claims.open_claim(conn, now=now, campaign_id=campaign_id)
        claimed = Claimed(account=opening.account)
        if opening.ready:
            claimed = await _share(runtime, conn, opening, most=most, now=now)
            if len(claimed.orders) == claimed.room.lines:
                return claimed
        due_at = await claims.next_due_at(conn, now=now)  # a line is left for whoever comes due next
        return replace(claimed, changes_at=_earliest(claimed.changes_at, due_at))


async def _share(runtime: Runtime, conn: Connection, opening: Opening, *, most: int | None, now: datetime) -> Claimed:
    rules, account = runtime.settings.pacing, opening.account
    room = pacing.account_room(account, rules, lines_held=opening.lines_held, now=now)
    ready = _one_per_quiet_line(opening.ready)
    loud = [one.candidate.id for one in ready if _wants_quiet_look(runtime, one, now)]
    quiet = {one.candidate.id: one for one in ready if one.candidate.id not in loud}
    numbers = {one.number.id: one.number for one in quiet.values()}
    number_rooms = {key: pacing.number_room(number, rules, now) for key, number in numbers.items()}
    lines = room.lines if most is None else min(room.lines, most)
    shares = pacing.share_room(
        [one.candidate for one in quiet.values()],
        room=lines,
        number_rooms={key: one.lines for key, one in number_rooms.items()},
    )
    taken, made_progress = await _take_turns(conn, {key: quiet[key] for key in shares}, shares=shares, now=now)
    await _finish(runtime, conn, taken, numbers=numbers, account=account, now=now)
    return Claimed(
        orders=[_order(one) for one in taken],
        account=account,
        room=room,
        made_progress=made_progress,
        wants_quiet_look=loud if lines > len(taken) else (),
        changes_at=_changes_at(room, number_rooms.values(), has_taken=bool(taken)),
    )


def _changes_at(room: Room, numbers: Iterable[Room], *, has_taken: bool) -> datetime | None:
    """Return when time alone makes more room: a number's pace only matters while the account has lines left."""
    times = [room.changes_at]
    if room.lines:
        times += [one.changes_at for one in numbers if has_taken or one.lines == 0]
    return _earliest(*times)


def _earliest(*moments: datetime | None) -> datetime | None:
    return min((at for at in moments if at is not None), default=None)


def _one_per_quiet_line(ready: Sequence[Ready]) -> list[Ready]:
    """Leave out who wants a quiet line that is none: because of a call of ours, or of who else may launch on it now."""
    chosen = [one for one in ready if not one.wants_quiet]
    taken = {one.number.id for one in chosen}
    gated = [one for one in ready if one.wants_quiet and not one.line_is_busy]
    for one in sorted(gated, key=lambda one: one.candidate.served):
        if one.number.id not in taken:
            taken.add(one.number.id)
            chosen.append(one)
    return chosen


def _wants_quiet_look(runtime: Runtime, ready: Ready, now: datetime) -> bool:
    """Whether this campaign may only launch on a quiet line, and nobody has looked just now."""
    if not ready.wants_quiet:
        return False
    fresh = timedelta(seconds=max(1.0, runtime.settings.scaled(QUIET_SECONDS)))
    return ready.quiet_at is None or now - ready.quiet_at > fresh


async def _take_turns(
    conn: Connection, ready: Mapping[UUID, Ready], *, shares: Mapping[UUID, int], now: datetime
) -> tuple[list[Claim], bool]:
    """Take the next contacts of each campaign; also say whether a cursor or a batch moved without taking any."""
    taken: list[Claim] = []
    made_progress = False
    if not shares:
        return taken, made_progress
    opening = {key for key, one in ready.items() if one.opens_batch}
    for turn in await claims.lock_turns(conn, shares, opening=opening, now=now):
        got, has_moved = await _take(conn, turn, ready[turn.campaign.id], lines=shares[turn.campaign.id], now=now)
        taken += got
        made_progress = made_progress or (has_moved and not got)
    return taken, made_progress


async def _take(conn: Connection, turn: Turn, ready: Ready, *, lines: int, now: datetime) -> tuple[list[Claim], bool]:
    """Take the campaign's next contacts; also say whether the cursor or the batch moved."""
    campaign = turn.campaign
    lines = min(lines, max(0, campaign.cap - ready.candidate.lines_held))
    if ready.wants_quiet and campaign.mode is CampaignMode.CONTINUOUS:
        lines = min(lines, 1)
    if lines == 0:
        return [], False
    open_batch = campaign.open_batch + (1 if ready.opens_batch else 0)
    chosen: list[Contact] = []
    cursor = campaign.next_position
    for contact in turn.contacts:
        if len(chosen) == lines:
            break
        if contact.due_at is None:
            cursor = contact.position + 1
        if await _may_be_dialled(conn, contact, campaign, now=now):
            chosen.append(contact)
    has_moved = cursor != campaign.next_position or open_batch != campaign.open_batch
    if chosen or has_moved:
        served = now if chosen else None
        await claims.save_turn(conn, campaign, next_position=cursor, open_batch=open_batch, served_at=served)
    taken = [Claim(call_id=uuid.uuid4(), contact=contact, campaign=campaign, target=turn.target) for contact in chosen]
    return taken, has_moved


async def _may_be_dialled(conn: Connection, contact: Contact, campaign: Campaign, *, now: datetime) -> bool:
    if contact.state is not ContactState.DUE:
        return False
    match eligibility(contact, max_attempts=campaign.options.max_attempts, now=now):
        case Now():
            return True
        case LaterAt(at):
            await contacts.set_due_at(conn, contact.id, at)
        case Never(reason):
            await contacts.exclude(conn, contact.id, reason)
    return False


async def _finish(
    runtime: Runtime,
    conn: Connection,
    taken: Sequence[Claim],
    *,
    numbers: Mapping[str, NumberPace],
    account: Account,
    now: datetime,
) -> None:
    """Insert the calls and count the launches against number and circuit."""
    if not taken:
        return
    rules, timers = runtime.settings.pacing, runtime.settings.timers
    await claims.insert_claims(conn, taken, now=now, lease_until=now + timedelta(seconds=timers.lease))
    for _, number in sorted(numbers.items()):  # in the order of their ids, as everywhere
        launches = sum(one.campaign.phone_number_id == number.id for one in taken)
        if launches and (rules.launch_per_second or number.daily_limit is not None):
            counted = pacing.number_after_launches(number, rules, launches=launches, now=now)
            await phone_numbers.save_pace(conn, counted, now, launches=launches)
    probed = pacing.after_claim(account, rules, now)
    if probed != account:
        await gate.save(conn, probed)


def _order(claim_taken: Claim) -> CallOrder:
    contact, campaign = claim_taken.contact, claim_taken.campaign
    return CallOrder(
        call_id=claim_taken.call_id,
        campaign_id=campaign.id,
        contact_id=contact.id,
        provider_assistant_id=claim_taken.target.provider_assistant_id,
        phone_number_id=campaign.phone_number_id,
        phone=contact.phone,
        name=contact.name,
        business_name=contact.business_name,
        extension=contact.extension,
        variables=contact.variables,
    )
