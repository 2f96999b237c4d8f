"""Everything that can be made to go wrong, by name.

A fault is a probability (0 to 1, drawn from the seed), a number of virtual seconds, a switch or a choice.
Unknown names and impossible values are refused, so that a test never believes in a fault that is not there.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vapisim.fault_kinds import choice, count, is_count, mapping, probability, seconds, switch
from vapisim.outcomes import is_wish


class UnknownFaultError(ValueError):
    """A fault name or value that cannot be understood; the text says which and why."""


def _is_status(value: object) -> bool:
    return value in {"active", "activating", "blocked"}


@dataclass(frozen=True, kw_only=True)
class Faults:
    """The switchboard; with its defaults the simulator behaves like the real service on a good day."""

    # Answers to requests
    outage: bool = switch(default=False, meaning="every route but /_sim answers 503")
    no_credit: bool = switch(default=False, meaning="POST /call is refused with 400: no credit")
    http_429: float = probability("a request is refused with 429")
    rate_limit_per_minute: int = count(0, "requests per UTC minute before 429; 0 is no limit")
    retry_after: bool = switch(default=False, meaning="429 carries a Retry-After header")
    read_error: float = probability("GET, PATCH and DELETE answer 5xx")
    error_before_accept: float = probability("POST /call answers 5xx and places nothing")
    error_after_accept: float = probability("POST /call answers 5xx although the call goes on")
    drop_before_accept: float = probability("POST /call: connection dropped, nothing placed")
    drop_after_accept: float = probability("POST /call: connection dropped although the call goes on")
    html_522: float = probability("POST /call answers a 522 page of the proxy, nothing placed")
    html_522_after_accept: float = probability("POST /call answers a 522 page although the call goes on")
    slow_answer: float = probability("POST /call accepts, but answers after slow_answer_seconds")
    slow_answer_seconds: float = seconds(120.0, "how slow a slow answer is")
    read_lag_seconds: float = seconds(0.0, "GET /call/{id} says 404 for so long after creation")
    list_lag_seconds: float = seconds(0.0, "GET /call does not show a call for so long after creation")
    # Limits
    over_limit_mode: str = choice(
        ("http400", "http400-error", "blocked201", "ended201", "queue"),
        "what POST /call does when all lines are taken",
    )
    occupied_lines: int = count(0, "lines taken by inbound calls and other users of the account")
    free_number_daily_limit: int = count(10, "dials per UTC day of a vapi-issued number")
    daily_limits: dict[str, int] = mapping(  # noqa: RUF009 - makes a field with a default_factory
        is_count, "whole numbers by phone number id", "daily limits of other numbers"
    )
    phone_number_status: dict[str, str] = mapping(  # noqa: RUF009 - the same
        _is_status, "active, activating or blocked by phone number id", "status instead of their own"
    )
    # What becomes of calls
    number_outcomes: dict[str, Any] = mapping(  # noqa: RUF009 - the same
        is_wish,
        "outcomes by dialled number",
        "an outcome name, an ended reason, details, or a list with one per attempt",
    )
    stuck_queued: float = probability("a call stays queued for ever")
    stuck_in_progress: float = probability("a call stays in progress for ever")
    # What is told about them
    echo_ids: bool = switch(default=True, meaning="name, customer.externalId and metadata are echoed")
    accept_top_level_metadata: bool = switch(default=True, meaning="POST /call tolerates a top-level `metadata`")
    event_clock: str = choice(("virtual", "wall"), "startedAt, endedAt and message times: play time or wall time")
    payload_shape: str = choice(("current", "legacy2024"), "where webhooks keep transcript, recording and summary")
    stale_call_status: bool = switch(
        default=True, meaning="message.call.status is a snapshot from creation, as in reality"
    )
    report_missing_for_unanswered: float = probability("no end-of-call-report for a call that nobody answered")
    report_before_ended: float = probability("the report arrives before the `ended` status update")
    # Delivery of webhooks
    webhook_before_response: bool = switch(
        default=False, meaning="the first webhook is delivered before POST /call answers"
    )
    webhook_loss: float = probability("a webhook is never sent")
    webhook_duplicate: float = probability("a webhook is sent twice")
    webhook_reorder: float = probability("a webhook is held back until after the next one of its call")
    webhook_delay_seconds: float = seconds(0.0, "every webhook comes so much later")
    webhook_jitter_seconds: float = seconds(0.0, "webhooks come later by anything up to this, drawn for each")
    wrong_signature: float = probability("a webhook carries a wrong secret or signature")

    def changed(self, wishes: Mapping[str, object]) -> "Faults":
        """Set some of these faults anew; refuse what is unknown."""
        fields = {each.name: each for each in dataclasses.fields(self)}
        values: dict[str, Any] = {name: _checked(fields.get(name), name, value) for name, value in wishes.items()}
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
            "meaning": each.metadata["meaning"],
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
