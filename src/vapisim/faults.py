"""Everything that can be made to go wrong, by name.

A fault is a probability (0 to 1, drawn from the seed), a number of virtual seconds, a switch or a choice.
Unknown names and impossible values are refused, so that a test never believes in a fault that is not there.
"""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from vapisim.outcomes import is_wish

Check = Callable[[object], Any]


class UnknownFaultError(ValueError):
    """A fault name or value that cannot be understood; the text says which and why."""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _probability(help_text: str) -> Any:
    def check(value: object) -> float:
        if isinstance(value, bool):
            return float(value)
        if not _is_number(value) or not 0 <= value <= 1:  # type: ignore[operator]
            raise ValueError("must be a probability from 0 to 1")
        return float(value)  # type: ignore[arg-type]

    return field(default=0.0, metadata={"check": check, "help": help_text, "kind": "probability"})


def _amount(default: float, help_text: str, *, whole: bool = False) -> Any:
    def check(value: object) -> float:
        if not _is_number(value) or value < 0 or (whole and value != int(value)):  # type: ignore[operator,call-overload]
            raise ValueError("must be a whole number from 0 up" if whole else "must be a number from 0 up")
        return int(value) if whole else float(value)  # type: ignore[call-overload,no-any-return]

    return field(
        default=default, metadata={"check": check, "help": help_text, "kind": "count" if whole else "seconds"}
    )


def _switch(default: bool, help_text: str) -> Any:  # noqa: FBT001 - reads like the table that it is
    def check(value: object) -> bool:
        if not isinstance(value, bool):
            raise ValueError("must be true or false")
        return value

    return field(default=default, metadata={"check": check, "help": help_text, "kind": "switch"})


def _choice(choices: tuple[str, ...], help_text: str) -> Any:
    def check(value: object) -> str:
        if not isinstance(value, str) or value not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return value

    return field(
        default=choices[0], metadata={"check": check, "help": help_text, "kind": " | ".join(choices)}
    )


def _map_of(is_valid: Callable[[object], bool], meaning: str, help_text: str) -> Any:
    def check(value: object) -> dict[str, Any]:
        if not isinstance(value, dict) or not all(map(is_valid, value.values())):
            raise ValueError(f"must be an object of {meaning}")
        return dict(value)

    return field(
        default_factory=dict, metadata={"check": check, "help": help_text, "kind": f"object of {meaning}"}
    )


def _is_status(value: object) -> bool:
    return value in ("active", "activating", "blocked")


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


@dataclass(frozen=True, kw_only=True)
class Faults:
    """The switchboard; with its defaults the simulator behaves like the real service on a good day."""

    # Answers to requests
    outage: bool = _switch(False, "every route but /_sim answers 503")
    no_credit: bool = _switch(False, "POST /call is refused with 400: no credit")
    http_429: float = _probability("a request is refused with 429")
    rate_limit_per_minute: int = _amount(0, "requests per UTC minute before 429; 0 is no limit", whole=True)
    retry_after: bool = _switch(False, "429 carries a Retry-After header")
    read_error: float = _probability("GET, PATCH and DELETE answer 5xx")
    error_before_accept: float = _probability("POST /call answers 5xx and places nothing")
    error_after_accept: float = _probability("POST /call answers 5xx although the call goes on")
    drop_before_accept: float = _probability("POST /call: connection dropped, nothing placed")
    drop_after_accept: float = _probability("POST /call: connection dropped although the call goes on")
    html_522: float = _probability("POST /call answers a 522 page of the proxy, nothing placed")
    html_522_after_accept: float = _probability("POST /call answers a 522 page although the call goes on")
    slow_answer: float = _probability("POST /call accepts, but answers after slow_answer_seconds")
    slow_answer_seconds: float = _amount(120.0, "how slow a slow answer is")
    read_lag_seconds: float = _amount(0.0, "GET /call/{id} says 404 for so long after creation")
    list_lag_seconds: float = _amount(0.0, "GET /call does not show a call for so long after creation")
    # Limits
    over_limit_mode: str = _choice(
        ("http400", "http400-error", "blocked201", "ended201", "queue"),
        "what POST /call does when all lines are taken",
    )
    occupied_lines: int = _amount(
        0, "lines taken by inbound calls and other users of the account", whole=True
    )
    free_number_daily_limit: int = _amount(10, "dials per UTC day of a vapi-issued number", whole=True)
    daily_limits: dict[str, int] = _map_of(
        _is_count, "whole numbers by phone number id", "daily limits of other numbers"
    )
    phone_number_status: dict[str, str] = _map_of(
        _is_status, "active, activating or blocked by phone number id", ""
    )
    # What becomes of calls
    number_outcomes: dict[str, Any] = _map_of(
        is_wish,
        "outcomes by dialled number",
        "an outcome name, an ended reason, details, or a list with one per attempt",
    )
    stuck_queued: float = _probability("a call stays queued for ever")
    stuck_in_progress: float = _probability("a call stays in progress for ever")
    # What is told about them
    echo_ids: bool = _switch(True, "name, customer.externalId and metadata are echoed")
    accept_top_level_metadata: bool = _switch(True, "POST /call tolerates a top-level `metadata`")
    event_clock: str = _choice(
        ("virtual", "wall"), "startedAt, endedAt and message times: play time or wall time"
    )
    payload_shape: str = _choice(
        ("current", "legacy2024"), "where webhooks keep transcript, recording and summary"
    )
    stale_call_status: bool = _switch(True, "message.call.status is a snapshot from creation, as in reality")
    report_missing_for_unanswered: float = _probability(
        "no end-of-call-report for a call that nobody answered"
    )
    report_before_ended: float = _probability("the report arrives before the `ended` status update")
    # Delivery of webhooks
    webhook_before_response: bool = _switch(False, "the first webhook is delivered before POST /call answers")
    webhook_loss: float = _probability("a webhook is never sent")
    webhook_duplicate: float = _probability("a webhook is sent twice")
    webhook_reorder: float = _probability("a webhook is held back until after the next one of its call")
    webhook_delay_seconds: float = _amount(0.0, "webhooks come up to so much later (drawn per webhook)")
    wrong_signature: float = _probability("a webhook carries a wrong secret or signature")

    def changed(self, wishes: Mapping[str, object]) -> "Faults":
        """Set some of these faults anew; refuse what is unknown."""
        fields = {each.name: each for each in dataclasses.fields(self)}
        values = {name: _checked(fields.get(name), name, value) for name, value in wishes.items()}
        return dataclasses.replace(self, **values)

    def as_json(self) -> dict[str, Any]:
        """All names with their present values."""
        return dataclasses.asdict(self)


def describe() -> dict[str, dict[str, Any]]:
    """Every fault with its kind, default and meaning, for people."""
    quiet = Faults().as_json()
    return {
        each.name: {
            "kind": each.metadata["kind"],
            "default": quiet[each.name],
            "meaning": each.metadata["help"],
        }
        for each in dataclasses.fields(Faults)
    }


def _checked(known: "dataclasses.Field[Any] | None", name: str, value: object) -> object:
    if known is None:
        raise UnknownFaultError(f"there is no fault named {name!r}")
    try:
        return known.metadata["check"](value)
    except (ValueError, TypeError) as problem:
        raise UnknownFaultError(f"{name} {problem}") from problem
