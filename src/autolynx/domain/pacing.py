"""How many lines may be used now, and by whom: caps form a tree, and a freed line goes where it is fair."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID

COOLDOWN_SECONDS = 10.0
GROW_BACK_SECONDS = 30.0
CONNECTION_BACKOFF_SECONDS = (1.0, 4.0, 10.0)
PROBE_SECONDS = (5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 300.0)
MINUTE = 60.0
SHORTEST_REST_SECONDS = 1.0
UNASKED_SECONDS = 90.0

CONCURRENCY_REST = "The provider's limit of concurrent calls was reached."
RATE_REST = "The provider asked for fewer requests."
PROBE_REST = "The provider failed several times in a row; single calls probe whether it is back."
UNASKED_REST = "The provider cannot be asked about the calls that are live."


@dataclass(frozen=True, kw_only=True)
class Account:
    """The gate's row: everything that can make the whole account rest."""

    held_at: datetime | None = None
    hold_reason: str | None = None
    trouble: str | None = None
    trouble_at: datetime | None = None
    not_before: datetime | None = None
    rest_reason: str | None = None
    lowered_cap: int | None = None
    lowered_at: datetime | None = None
    failures: int = 0  # in a row
    opened_at: datetime | None = None  # when so many failures opened the circuit
    echo_seen_at: datetime | None = None
    swept_until: datetime | None = None
    last_tick_at: datetime | None = None
    next_tick_at: datetime | None = None
    released_at: datetime | None = None  # by a person, who has seen to what held it


@dataclass(frozen=True, kw_only=True)
class PacingRules:
    """What the settings say about pace; seconds already divided by the time scale where `time_scale` says so."""

    account_room: int
    launch_per_second: float
    breaker_threshold: int
    time_scale: float = 1.0

    def scaled(self, seconds: float) -> float:
        """Return a timer as it runs here."""
        return seconds / self.time_scale


@dataclass(frozen=True, kw_only=True)
class Room:
    """How many lines are left for the account, what binds, and when that may change by time alone."""

    lines: int
    bound_by: str
    changes_at: datetime | None = None


def effective_account_cap(account: Account, rules: PacingRules, now: datetime) -> int:
    """Return the account's cap now: lowered after a refusal for concurrency, and grown back line by line."""
    if account.lowered_cap is None or account.lowered_at is None:
        return rules.account_room
    return min(rules.account_room, account.lowered_cap + _lines_grown(account.lowered_at, rules, now))


def _lines_grown(lowered_at: datetime, rules: PacingRules, now: datetime) -> int:
    return max(0, int((now - lowered_at).total_seconds() / rules.scaled(GROW_BACK_SECONDS)))


def _grows_at(account: Account, rules: PacingRules, now: datetime) -> datetime | None:
    """Return when the lowered cap gets its next line back."""
    if account.lowered_at is None:
        return None
    steps = _lines_grown(account.lowered_at, rules, now) + 1
    return account.lowered_at + timedelta(seconds=steps * rules.scaled(GROW_BACK_SECONDS))


def account_room(account: Account, rules: PacingRules, *, lines_held: int, now: datetime) -> Room:
    """Return the room of the account."""
    if account.held_at is not None:
        return Room(lines=0, bound_by="hold")
    if account.trouble is not None:
        return Room(lines=0, bound_by="trouble")
    if account.not_before is not None and now < account.not_before:
        return Room(lines=0, bound_by="rest", changes_at=account.not_before)
    cap = effective_account_cap(account, rules, now)
    is_lowered = cap < rules.account_room
    grows_at = _grows_at(account, rules, now) if is_lowered else None
    lines = max(0, cap - lines_held)
    if account.failures >= rules.breaker_threshold:
        return Room(lines=min(1, lines), bound_by="probe", changes_at=grows_at)
    return Room(lines=lines, bound_by="lowered cap" if is_lowered else "account cap", changes_at=grows_at)


def after_claim(account: Account, rules: PacingRules, now: datetime) -> Account:
    """While the circuit is open every claim is a probe: the next one has to wait."""
    if account.failures < rules.breaker_threshold:
        return account
    until = now + timedelta(seconds=rules.scaled(_probe_step(account, rules)))
    return _rest(account, until=until, reason=PROBE_REST)


def after_success(account: Account) -> Account:
    """The provider placed a call: the circuit closes. A rest for another reason than failures stays."""
    if account.failures == 0:
        return account
    account = replace(account, failures=0, opened_at=None)
    return account if account.rest_reason in _RESTS_OF_THEIR_OWN else _rested(account)


def after_unasked(account: Account, rules: PacingRules, now: datetime) -> Account:
    """The provider cannot be asked what became of the live calls: nothing new is dialled until it can."""
    return _rest(account, until=now + timedelta(seconds=rules.scaled(UNASKED_SECONDS)), reason=UNASKED_REST)


def after_asked(account: Account) -> Account:
    """The provider answered again."""
    return _rested(account) if account.rest_reason == UNASKED_REST else account


_RESTS_OF_THEIR_OWN = frozenset({CONCURRENCY_REST, RATE_REST, UNASKED_REST})


def _rested(account: Account) -> Account:
    return replace(account, not_before=None, rest_reason=None)


def after_failure(
    account: Account, rules: PacingRules, *, reason: str, now: datetime, is_probe: bool = False
) -> Account:
    """The provider failed once more: rest 1, 4, 10 s, then probe at growing distances.

    `is_probe`: the call went out while the circuit was open. Of the calls that were under way side by side when it
    opened none makes the distance grow: they tell nothing new.
    """
    if account.failures >= rules.breaker_threshold and not is_probe:
        return account
    failures = account.failures + 1
    account = replace(account, failures=failures)
    if failures >= rules.breaker_threshold:
        account = replace(account, opened_at=account.opened_at or now)
        rest = _probe_step(account, rules)
    else:
        rest = CONNECTION_BACKOFF_SECONDS[min(failures, len(CONNECTION_BACKOFF_SECONDS)) - 1]
    return _rest(account, until=now + timedelta(seconds=rules.scaled(rest)), reason=reason)


def is_probe(account: Account, *, claimed_at: datetime) -> bool:
    """Whether a call was claimed while the circuit was open, to see whether the provider is back."""
    return account.opened_at is not None and claimed_at > account.opened_at


def after_concurrency_refusal(account: Account, rules: PacingRules, *, lines_held: int, now: datetime) -> Account:
    """The provider's limit is lower than ours: cool down, and lower the cap to what it carried."""
    lowered = replace(account, lowered_cap=max(1, min(lines_held, rules.account_room)), lowered_at=now)
    until = now + timedelta(seconds=rules.scaled(COOLDOWN_SECONDS))
    return _rest(lowered, until=until, reason=CONCURRENCY_REST)


def after_rate_limit(
    account: Account, rules: PacingRules, *, retry_at: datetime | None, jitter: float, now: datetime
) -> Account:
    """Too many requests: rest until told, or until the next minute of the provider's clock plus `jitter` (0 to 1) s."""
    minute = rules.scaled(MINUTE)
    if retry_at is None:
        boundary = (now.timestamp() // minute + 1) * minute
        retry_at = datetime.fromtimestamp(boundary, tz=now.tzinfo) + timedelta(seconds=rules.scaled(jitter))
    soonest = now + timedelta(seconds=rules.scaled(SHORTEST_REST_SECONDS))
    return _rest(account, until=max(retry_at, soonest), reason=RATE_REST)


def is_settled(account: Account, *, asked_at: datetime) -> bool:
    """Whether a person has released dialling since a request was made: its answer tells of what is mended."""
    return account.released_at is not None and asked_at < account.released_at


def after_trouble(account: Account, *, reason: str, asked_at: datetime, now: datetime) -> Account:
    """The provider refuses the whole account: nothing is dialled until a person mends it and releases."""
    if is_settled(account, asked_at=asked_at):
        return account
    return replace(account, trouble=reason, trouble_at=account.trouble_at or now)


def _rest(account: Account, *, until: datetime, reason: str) -> Account:
    if account.not_before is not None and account.not_before >= until:
        return account
    return replace(account, not_before=until, rest_reason=reason)


def _probe_step(account: Account, rules: PacingRules) -> float:
    opened = max(0, account.failures - rules.breaker_threshold)
    return PROBE_SECONDS[min(opened, len(PROBE_SECONDS) - 1)]


@dataclass(frozen=True, kw_only=True)
class NumberPace:
    """A phone number we call from, as the gate sees it."""

    id: str
    next_launch_at: datetime | None = None
    daily_limit: int | None = None
    day: date | None = None
    launched_today: int = 0
    hold_reason: str | None = None
    held_until: datetime | None = None

    def left_today(self, now: datetime) -> int | None:
        """Return how many launches the day still allows, None for no limit."""
        if self.daily_limit is None:
            return None
        return max(0, self.daily_limit - (self.launched_today if self.day == now.date() else 0))


def number_room(number: NumberPace, rules: PacingRules, now: datetime) -> Room:
    """Return how many launches a number may make right now."""
    midnight = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), tzinfo=now.tzinfo)
    if number.hold_reason is not None and (number.held_until is None or now < number.held_until):
        return Room(lines=0, bound_by="number", changes_at=number.held_until)
    left = number.left_today(now)
    if left == 0:
        return Room(lines=0, bound_by="daily limit", changes_at=midnight)
    if rules.launch_per_second == 0:
        return Room(lines=left if left is not None else 1000, bound_by="number")
    if number.next_launch_at is not None and now < number.next_launch_at:
        return Room(lines=0, bound_by="launch rate", changes_at=number.next_launch_at)
    return Room(lines=1, bound_by="launch rate", changes_at=now + timedelta(seconds=_gap(1, rules)))


def number_after_launches(number: NumberPace, rules: PacingRules, *, launches: int, now: datetime) -> NumberPace:
    """Count launches against the number's rate and day."""
    today = number.launched_today if number.day == now.date() else 0
    next_at = now + timedelta(seconds=_gap(launches, rules))
    return replace(number, day=now.date(), launched_today=today + launches, next_launch_at=next_at)


def _gap(launches: int, rules: PacingRules) -> float:
    """Return the seconds that so many launches take up at a number's rate."""
    return rules.scaled(launches / rules.launch_per_second) if rules.launch_per_second else 0.0


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A running campaign with something due."""

    id: UUID
    cap: int
    lines_held: int
    phone_number_id: str
    last_served_at: datetime | None

    @property
    def served(self) -> float:
        """A key that puts first who waits the longest: never served, or longest ago."""
        return self.last_served_at.timestamp() if self.last_served_at else 0.0


def share_room(candidates: Sequence[Candidate], *, room: int, number_rooms: dict[str, int]) -> dict[UUID, int]:
    """Give each free line to the campaign with the fewest lines, ties to the least recently served.

    `number_rooms` are the launches each phone number may make now. Returns lines per campaign, zero left out.
    """
    given: dict[UUID, int] = {}
    left = dict(number_rooms)

    def has_room(candidate: Candidate) -> bool:
        held = candidate.lines_held + given.get(candidate.id, 0)
        return held < candidate.cap and left.get(candidate.phone_number_id, 0) > 0

    def turn(candidate: Candidate) -> tuple[int, float, str]:
        return (candidate.lines_held + given.get(candidate.id, 0), candidate.served, str(candidate.id))

    for _ in range(room):
        open_ones = [candidate for candidate in candidates if has_room(candidate)]
        if not open_ones:
            break
        chosen = min(open_ones, key=turn)
        given[chosen.id] = given.get(chosen.id, 0) + 1
        left[chosen.phone_number_id] -= 1
    return given
