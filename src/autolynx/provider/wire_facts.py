"""The facts of a call, wherever a body holds them.

A body is read as a row of *holders*: the message, the call in it, what lies beside them. Each fact has its
places in a holder in the order of trust; the first that has content counts, so that an empty artifact hides
nothing.
"""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from autolynx.domain.call import Facts
from autolynx.provider.wire_costs import read_breakdown
from autolynx.provider.wire_transcript import read_transcript, transcript_rank
from autolynx.provider.wire_values import (
    Object,
    as_address,
    as_moment,
    as_money,
    as_number,
    as_text,
    as_uuid,
    as_word,
    at,
    first,
    objects,
    stable_address,
)

Path = tuple[str, ...]

_STARTED: tuple[Path, ...] = (("startedAt",),)
_ENDED: tuple[Path, ...] = (("endedAt",),)
_REASON: tuple[Path, ...] = (("endedReason",),)
_SUMMARY: tuple[Path, ...] = (("analysis", "summary"), ("summary",))
_SUCCESS: tuple[Path, ...] = (
    ("analysis", "successEvaluation"),
    ("analysis", "success"),
    ("successEvaluation",),
)
_COST: tuple[Path, ...] = (("cost",), ("costBreakdown", "total"))
_RECORDING: tuple[Path, ...] = (
    ("artifact", "recording", "mono", "combinedUrl"),
    ("artifact", "recordingUrl"),
    ("recordingUrl",),
    ("artifact", "recording", "stereoUrl"),
    ("artifact", "stereoRecordingUrl"),
    ("stereoRecordingUrl",),
    ("artifact", "recording", "url"),
    ("artifact", "recording"),
    ("recording", "mono", "combinedUrl"),
    ("recording", "stereoUrl"),
    ("recording", "url"),
    ("artifact", "presignedMonoUrl"),
    ("artifact", "presignedStereoUrl"),
)
_CONTROL: tuple[Path, ...] = (("monitor", "controlUrl"),)
_OUR_ID: tuple[Path, ...] = (
    ("assistantOverrides", "metadata", "callId"),
    ("assistant", "metadata", "callId"),
    ("metadata", "callId"),
    ("customer", "externalId"),
    ("name",),
)


def read_facts(holders: Sequence[Object], *, is_over: bool) -> Facts:
    """Return what the holders tell. A reason, an end and a cost of 0 count only once the call is over."""
    transcript = read_transcript(holders)
    return Facts(
        started_at=first(map(as_moment, _places(holders, _STARTED))),
        ended_at=first(map(as_moment, _places(holders, _ENDED))) if is_over else None,
        ended_reason=first(map(as_word, _places(holders, _REASON))) if is_over else None,
        cost_usd=_cost(holders, is_over=is_over),
        cost_breakdown=read_breakdown(holders),
        recording_url=first(map(stable_address, _places(holders, _RECORDING))),
        transcript=transcript,
        transcript_rank=transcript_rank(transcript),
        summary=first(map(as_text, _places(holders, _SUMMARY))),
        success_raw=first(map(_as_verdict, _places(holders, _SUCCESS))),
        control_url=first(map(as_address, _places(holders, _CONTROL))),
    )


def read_our_call_id(holders: Sequence[Object]) -> UUID | None:
    """Return our own call id, which travelled with the request and comes back in one of several places."""
    return first(as_uuid(value) for path in _OUR_ID for value in _places(holders, (path,)))


def _places(holders: Sequence[Object], paths: Iterable[Path]) -> Iterator[Any]:
    for holder in holders:
        for path in paths:
            value = at(holder, *path)
            if value is not None:
                yield value


def _cost(holders: Sequence[Object], *, is_over: bool) -> Decimal | None:
    """Return the first amount above zero; zero only at the end, because every call begins with it."""
    stated = [amount for value in _places(holders, _COST) if (amount := as_money(value)) is not None]
    amounts = stated or [amount for holder in holders if (amount := _sum_of_items(holder)) is not None]
    charged = first(amount for amount in amounts if amount > 0)
    return charged if charged is not None or not is_over else first(amounts)


def _sum_of_items(holder: Object) -> Decimal | None:
    amounts = [amount for item in objects(holder.get("costs")) if (amount := as_money(item.get("cost"))) is not None]
    return as_money(str(sum(amounts))) if amounts else None


def _as_verdict(value: Any) -> str | None:
    """Return the judge's word as text: some bodies hold a boolean or a number instead of a string."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value) if as_number(value) is not None and len(str(value)) < 20 else None
    return as_text(value)
