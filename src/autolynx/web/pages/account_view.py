"""What every page shows of the account: whether something keeps calls from going out, and the sums of what runs."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from autolynx.domain.bounds import account_sentence
from autolynx.domain.pacing import PacingRules, Room, account_room, effective_account_cap
from autolynx.store.feed import AccountSeen

# What an operator has to know of on every page, and how loud it is said.
_TONES = {"hold": "bad", "trouble": "bad", "probe": "warn", "rest": "warn", "lowered cap": "warn"}


@dataclass(frozen=True, kw_only=True)
class AccountView:
    """The account as every page shows it. `banner` is None where calls go out as they should.

    `stamp` changes when a campaign is created or deleted, an incident happens or a decision is waited for;
    `effective_cap` is how many lines it carries now.
    """

    banner: str | None
    tone: str
    until: datetime | None
    may_release: bool
    lines: int
    effective_cap: int
    running: int
    due: int
    unsure: int
    stamp: str


def account_view(seen: AccountSeen, rules: PacingRules, now: datetime) -> AccountView:
    """Return what is shown."""
    room = account_room(seen.account, rules, lines_held=seen.lines, now=now)
    bound_by = _bound_by(seen, room)
    return AccountView(
        banner=account_sentence(seen.account, rules, room, now) if bound_by else None,
        tone=_TONES.get(bound_by or "", "warn"),
        until=room.changes_at if bound_by == "rest" else None,
        may_release=bound_by in {"hold", "trouble"},
        lines=seen.lines,
        effective_cap=effective_account_cap(seen.account, rules, now),
        running=seen.running,
        due=seen.due,
        unsure=seen.unsure,
        stamp=hashlib.blake2b(
            repr((seen.campaigns, seen.newest_at, seen.unsure, seen.last_incident_id)).encode(), digest_size=6
        ).hexdigest(),
    )


def _bound_by(seen: AccountSeen, room: Room) -> str | None:
    """Return what deserves a banner: a hold always, the rest only while something wants to be dialled."""
    if room.bound_by in {"hold", "trouble"} or (room.bound_by in _TONES and seen.running):
        return room.bound_by
    return None
