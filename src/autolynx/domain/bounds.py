"""What keeps calls from being placed right now, in words: for the account, a phone number and a campaign."""

from dataclasses import dataclass
from datetime import datetime

from autolynx.domain.pacing import (
    GROW_BACK_SECONDS,
    Account,
    NumberPace,
    PacingRules,
    Room,
    account_room,
    effective_account_cap,
    number_room,
)
from autolynx.domain.words import as_sentence

FREE = "Calls may be placed."


@dataclass(frozen=True, kw_only=True)
class CampaignLines:
    """What a campaign itself brings: its cap, its lines, and whether anybody of it can be dialled now."""

    cap: int
    held: int
    is_running: bool
    has_ready: bool  # somebody is due now, and the open batch allows it
    next_due_at: datetime | None  # when the next one comes due who has to wait
    waits_for_quiet: bool  # it launches on a quiet line only, and the line is not


@dataclass(frozen=True, kw_only=True)
class Bound:
    """How many more calls a campaign may place now, what binds, until when by time alone, and all that in words.

    `effective_cap`: the lower of its own cap and what the account carries now.
    """

    effective_cap: int
    lines: int
    by: str
    until: datetime | None
    sentence: str


def account_sentence(account: Account, rules: PacingRules, room: Room, now: datetime) -> str:
    """Say what the account's room is bound by."""
    match room.bound_by:
        case "hold":
            return f"Dialling is held: {as_sentence(account.hold_reason or 'by an operator')} Release it to go on."
        case "trouble":
            return f"The account cannot dial: {as_sentence(account.trouble or '')} Mend it, then release dialling."
        case "rest":
            return f"Dialling rests for a while: {account.rest_reason or 'the provider asked for it.'}"
        case "probe":
            return f"The provider failed {account.failures} times in a row; one call at a time tries if it is back."
        case "lowered cap":
            cap, grows = effective_account_cap(account, rules, now), rules.scaled(GROW_BACK_SECONDS)
            return f"The provider refused more calls: {cap} of {rules.account_room} lines, one more every {grows:g} s."
        case _ if room.lines == 0:
            return _all_in_use(rules.account_room, "account")
        case _:
            return FREE


def _all_in_use(lines: int, owner: str) -> str:
    return f"All {lines} lines of the {owner} are in use." if lines > 1 else f"The {owner}'s only line is in use."


def number_sentence(number: NumberPace, room: Room) -> str:
    """Say what a phone number's launches are bound by."""
    if room.lines:
        return FREE
    if room.bound_by == "daily limit":
        return (
            f"The phone number has made all calls that it may today ({number.daily_limit}); midnight UTC brings more."
        )
    if room.bound_by == "launch rate":
        return "The phone number may launch its next call in a moment: so many a second and no more."
    return f"Nothing can be dialled from this phone number: {number.hold_reason}"


def campaign_bound(
    campaign: CampaignLines,
    account: Account,
    number: NumberPace,
    *,
    rules: PacingRules,
    account_lines: int,
    now: datetime,
) -> Bound:
    """Return what binds a campaign: what a person has to lift first, then itself, the account, the number, its cap."""
    room = account_room(account, rules, lines_held=account_lines, now=now)
    launches = number_room(number, rules, now)
    own = max(0, campaign.cap - campaign.held)
    by_account = (room, account_sentence(account, rules, room, now))
    needs_person = campaign.is_running and room.bound_by in {"hold", "trouble"}
    choices = [
        by_account if needs_person else _own_state(campaign),
        by_account if room.lines == 0 else None,
        (launches, number_sentence(number, launches)) if launches.lines == 0 else None,
        _own_cap(campaign) if own == 0 else None,
    ]
    stopping = next((choice for choice in choices if choice is not None), None)
    lines = 0 if stopping else min(own, room.lines, launches.lines)
    binding, sentence = stopping or _tightest(own, room, launches, by_account[1])
    return Bound(
        effective_cap=min(campaign.cap, effective_account_cap(account, rules, now)),
        lines=lines,
        by=binding.bound_by,
        until=binding.changes_at,
        sentence=sentence,
    )


def _own_state(campaign: CampaignLines) -> tuple[Room, str] | None:
    if not campaign.is_running:
        return Room(lines=0, bound_by="status"), "The campaign is not running."
    if campaign.has_ready:
        is_waiting = campaign.waits_for_quiet
        words = "It launches on a quiet line only, and the provider, or we, have a call on its phone number."
        return (Room(lines=0, bound_by="quiet line"), words) if is_waiting else None
    if campaign.next_due_at is not None:
        return Room(lines=0, bound_by="due", changes_at=campaign.next_due_at), "Who is left is due later."
    return Room(lines=0, bound_by="due"), "Nobody can be dialled now: the rest are on a call, or wait for their batch."


def _own_cap(campaign: CampaignLines) -> tuple[Room, str]:
    return Room(lines=0, bound_by="campaign cap"), _all_in_use(campaign.cap, "campaign")


def _tightest(own: int, room: Room, launches: Room, sentence: str) -> tuple[Room, str]:
    """Return the narrowest of three that all leave room; ties go to the campaign's own cap."""
    if own <= min(room.lines, launches.lines):
        return Room(lines=own, bound_by="campaign cap"), FREE
    return (room, sentence) if room.lines <= launches.lines else (launches, FREE)
