"""What the answer to the request for a call means."""

from collections.abc import Sequence
from datetime import datetime

from autolynx.domain.call import Source
from autolynx.provider.port import Accepted, DialAnswer, SeenCall, Unknown
from autolynx.provider.wire_calls import read_call
from autolynx.provider.wire_errors import Answer, messages_of
from autolynx.provider.wire_refusals import cause_of_sentences, read_refusal, refusal
from autolynx.provider.wire_values import as_number, as_object, at, objects

# Statuses under 500 after which nobody can say whether the request was carried out.
_UNDECIDED = frozenset({303, 408, 499})


def read_dial_answer(answer: Answer, *, now: datetime, private: Sequence[str] = ()) -> DialAnswer:
    """Return what became of one request for a call. Whatever might have been carried out is Unknown."""
    if answer.is_success:
        return _read_success(answer, now=now, private=private)
    if answer.status < 200 or answer.status >= 500 or answer.status in _UNDECIDED:
        return Unknown(reason=f"Vapi answered {answer.status}; nobody can tell yet whether the call was placed.")
    return read_refusal(answer, now=now, private=private)


def _read_success(answer: Answer, *, now: datetime, private: Sequence[str]) -> DialAnswer:
    body = as_object(answer.body)
    batch = objects(body.get("results"))
    seen = read_call(body, Source.DIAL) or next(filter(None, (read_call(c, Source.DIAL) for c in batch)), None)
    if seen is not None:
        return _accepted(answer, seen)
    errors = [text for error in objects(body.get("errors")) for text in messages_of(error)]
    if errors and body.get("results") == []:
        return refusal(errors, cause_of_sentences(errors), answer=answer, now=now, private=private)
    return Unknown(reason=f"Vapi answered {answer.status} without a call id; the call may have been placed.")


def _accepted(answer: Answer, seen: SeenCall) -> Accepted:
    left = as_number(at(answer.body, "subscriptionLimits", "remainingConcurrentCalls"))
    return Accepted(news=seen.news, remaining_lines=None if left is None or left < 0 else int(left))
