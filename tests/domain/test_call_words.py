"""What became of a call, in words: its end, its history, its bill."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from autolynx.domain.call import CallStatus, NewsKind, Source
from autolynx.domain.cost_parts import parts_of
from autolynx.domain.ended_reason import EndClass
from autolynx.domain.ended_words import ended_in_words
from autolynx.domain.event_words import SOURCE_WORDS, event_in_words

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10)


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        ("customer-ended-call", "The contact hung up."),
        ("assistantEndedCall", "The assistant hung up."),
        ("call.in-progress.error-providerfault-outbound-sip-480-temporarily-unavailable", "The phone could not be"),
        ("customer-busy", "The line was busy."),
        ("voicemail", "A voicemail answered."),
        ("call.in-progress.error-vapifault-eleven-labs-voice-failed", "The voice of the assistant failed"),
        ("pipeline-error-openai-429-exceeded-quota", "A key, quota or model behind the assistant"),
        ("call.start.error-subscription-concurrency-limit-reached", "Not dialled: the provider had no free line."),
        ("call.in-progress.twilio-completed-call", "The carrier reported the call as done."),
        ("a-word-of-next-year", "a-word-of-next-year"),
    ],
)
def test_why_a_call_ended_is_a_sentence_and_a_new_word_stays_itself(reason: str, sentence: str) -> None:
    told = ended_in_words(reason)
    assert told is not None
    assert told.startswith(sentence)


def test_no_reason_is_no_sentence() -> None:
    assert (ended_in_words(None), ended_in_words("")) == (None, None)


def test_every_class_of_end_has_its_words() -> None:
    examples = {EndClass.MACHINE: "voicemail", EndClass.BUSY: "busy", EndClass.CONVERSED: "hangup"}
    assert all(ended_in_words(word) != word for word in examples.values())


@pytest.mark.parametrize(
    ("status", "source", "payload", "words"),
    [
        ("QUEUED", "dial", {"said": "QUEUED", "kind": "provider"}, "The provider accepted the call."),
        ("RINGING", "webhook", {"said": "RINGING", "kind": "provider"}, "The provider says it rings."),
        (
            "ENDED",
            "webhook",
            {"said": "ended", "kind": "provider", "endedReason": "customer-ended-call", "costUsd": "0.1234"},
            "The provider says it is over: the contact hung up. It cost $0.1234.",
        ),
        ("ENDED", "webhook", {"said": "ended"}, "The provider says it is over."),
        (
            "ENDED",
            "webhook",
            {"said": "RINGING", "kind": "provider"},
            "The provider says it rings. We had closed the call already.",
        ),
        (
            "FAILED",
            "dial",
            {"said": "refused", "kind": "refused", "reason": "Blocked"},
            "The provider refused the call. Blocked.",
        ),
        ("RINGING", "operator", {"said": "cancel_requested", "kind": "cancel_requested"}, "A person stopped it."),
        ("RINGING", "sweep", {}, "The provider told more about the call."),
    ],
)
def test_an_event_is_a_sentence(status: str, source: str, payload: dict[str, Any], words: str) -> None:
    assert event_in_words(status, source, payload) == words


@given(
    st.sampled_from(CallStatus),
    st.sampled_from(Source),
    st.dictionaries(st.sampled_from(["said", "kind", "endedReason", "costUsd", "reason"]), JSON),
)
def test_whatever_a_row_holds_its_event_is_a_sentence(status: str, source: str, payload: dict[str, Any]) -> None:
    assert event_in_words(status, source, payload)


def test_every_door_and_every_decision_has_words() -> None:
    assert set(SOURCE_WORDS) == set(Source)
    decisions = [kind for kind in NewsKind if kind is not NewsKind.PROVIDER]
    assert len({event_in_words("RINGING", "tick", {"kind": kind, "said": kind}) for kind in decisions}) == len(
        decisions
    )


def test_a_bill_lists_what_cost_anything_and_adds_up_to_the_total() -> None:
    parts = parts_of({"voice": 0.0648, "model": 0.0666, "chat": 0}, Decimal("0.15"))
    assert [(part.label, part.usd) for part in parts] == [
        ("Language model", Decimal("0.0666")),
        ("Voice", Decimal("0.0648")),
        ("Other", Decimal("0.0186")),
    ]
    assert parts_of(None, Decimal("0.15")) == []


@example(1e22)
@example(-1e22)
@given(JSON)
def test_no_kept_bill_makes_a_page_fail(value: Any) -> None:
    assert all(part.usd > 0 for part in parts_of(value, None))
    assert all(part.usd > 0 for part in parts_of({"voice": value}, None))
