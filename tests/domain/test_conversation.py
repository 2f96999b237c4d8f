"""A kept transcript, of whatever shape, as turns."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autolynx.domain.conversation import MOST_TURNS, Speaker, Turn, turns_of

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
KEYS = st.sampled_from(["role", "message", "messages", "transcript", "text", "content", "secondsFromStart", "x"])
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=30)
HELLO = Turn(speaker=Speaker.ASSISTANT, text="Hello, is this Ada?", seconds=1.25)
SPEAKING = Turn(speaker=Speaker.CONTACT, text="Speaking.", seconds=3.5)
MESSAGES = [
    {"role": "system", "message": "You are a scheduler."},
    {"role": "bot", "message": "Hello, is this Ada?", "secondsFromStart": 1.25},
    {"role": "user", "message": "Speaking.", "secondsFromStart": 3.5},
]


@pytest.mark.parametrize(
    "transcript",
    [
        MESSAGES,
        {"text": "AI: Hello.", "messages": MESSAGES},
        {"transcript": MESSAGES},
        {"transcript": {"messages": MESSAGES}},
        {"turns": [{**m, "content": m["message"], "message": None} for m in MESSAGES]},
        [{"speaker": m["role"], "text": m["message"], "start": m.get("secondsFromStart")} for m in MESSAGES],
        {"messages": [{**m, "message": [{"type": "text", "text": m["message"]}]} for m in MESSAGES]},
    ],
)
def test_a_list_of_messages_is_read_under_any_of_its_names_and_without_the_prompt(transcript: Any) -> None:
    assert turns_of(transcript) == [HELLO, SPEAKING]


def test_one_text_is_split_at_its_labels() -> None:
    text = "Recorded call\nAI: Hello.\nIs this: Ada?\nUser: Speaking.\nUSER:  Who is this?\n"
    assert [(turn.speaker, turn.text) for turn in turns_of(text)] == [
        (Speaker.NOTE, "Recorded call"),
        (Speaker.ASSISTANT, "Hello.\nIs this: Ada?"),
        (Speaker.CONTACT, "Speaking."),
        (Speaker.CONTACT, "Who is this?"),
    ]
    assert turns_of({"text": "AI: Hello.", "messages": []}) == turns_of("AI: Hello.")
    assert turns_of({"transcript": "AI: Hello."}) == turns_of("AI: Hello.")


def test_of_a_tool_only_its_name_is_told() -> None:
    told = turns_of([{"role": "tool_calls", "name": "calendar", "message": "token=abc"}, {"role": "tool"}])
    assert [(turn.speaker, turn.text) for turn in told] == [(Speaker.TOOL, "calendar"), (Speaker.TOOL, "")]


@pytest.mark.parametrize("nothing", [None, "", "  ", [], {}, 3, True, {"messages": [None, 3, {"role": "user"}]}])
def test_where_nothing_was_said_there_is_no_turn(nothing: Any) -> None:
    assert turns_of(nothing) == []


@pytest.mark.parametrize("seconds", [-1, "1", None, True, float("nan"), float("inf"), 10**9])
def test_an_odd_time_is_no_time(seconds: Any) -> None:
    assert turns_of([{"role": "user", "message": "Hi.", "secondsFromStart": seconds}])[0].seconds is None


def test_an_endless_transcript_is_cut() -> None:
    assert len(turns_of([{"role": "user", "message": "Again."}] * (MOST_TURNS + 5))) == MOST_TURNS


@given(JSON)
def test_no_json_makes_it_fail(value: Any) -> None:
    for turn in turns_of(value):
        assert turn.speaker is Speaker.TOOL or turn.text.strip()
