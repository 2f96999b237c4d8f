"""Redaction finds card numbers, social security numbers and emails however they are written, and nothing else."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autolynx.domain.redaction import CARD, EMAIL, SSN, redact, redact_text

WORDS = "zero one two three four five six seven eight nine".split()
# The networks' published test numbers.
CARDS = [
    "4111111111111111",
    "4222222222222",
    "5555555555554444",
    "2223003122003222",
    "378282246310005",
    "6011111111111117",
    "30569309025904",
    "3530111333300000",
]


def check_digit(digits: str) -> str:
    """The digit that makes a card number of these."""
    doubled = [int(d) * (2 if n % 2 == 0 else 1) for n, d in enumerate(reversed(digits))]
    return str(-sum(d - 9 if d > 9 else d for d in doubled) % 10)


cards = st.one_of(
    st.from_regex(r"4[0-9]{14}", fullmatch=True),
    st.from_regex(r"5[1-5][0-9]{13}", fullmatch=True),
    st.from_regex(r"3[47][0-9]{12}", fullmatch=True),
).map(lambda digits: digits + check_digit(digits))
gaps = st.sampled_from([" ", "-", ". ", ", ", "  "])


@pytest.mark.parametrize("card", CARDS)
def test_the_test_numbers_of_every_network_are_found(card: str) -> None:
    assert redact_text(f"It is {card}, thanks.") == f"It is {CARD}, thanks."
    assert redact_text(" ".join(card)) == CARD
    assert redact_text(" ".join(WORDS[int(digit)] for digit in card)) == CARD


@given(cards, gaps, st.booleans())
def test_a_card_number_is_found_together_grouped_and_spoken(card: str, gap: str, is_spoken: bool) -> None:
    groups = gap.join(re.findall(".{1,4}", card))
    said = gap.join(WORDS[int(digit)] for digit in card) if is_spoken else groups
    redacted = redact_text(f"My number is {said} okay")
    assert redacted == f"My number is {CARD} okay"


@given(cards, st.text(alphabet="0123456789", min_size=3, max_size=4))
def test_what_is_said_before_and_after_a_card_number_does_not_hide_it(card: str, code: str) -> None:
    for said in (f"{card} 12 27 {code}", f"{code} - {card}"):
        assert card not in redact_text(said)


@pytest.mark.parametrize(
    "said", ["078-05-1120", "078 05 1120", "0 7 8 0 5 1 1 2 0", "oh seven eight, oh five, one one two oh"]
)
def test_a_social_security_number_is_found(said: str) -> None:
    assert redact_text(f"It's {said}.") == f"It's {SSN}."


@pytest.mark.parametrize(
    "said", ["000-12-3456", "666-12-3456", "900-12-3456", "078-00-1120", "078-05-0000", "078051120"]
)
def test_what_cannot_be_one_stays(said: str) -> None:
    assert redact_text(f"It's {said}.") == f"It's {said}."


@pytest.mark.parametrize("said", ["ada@example.com", "Ada.L+x@mail.example.co.uk", "ada dot l at example dot com"])
def test_an_email_is_found(said: str) -> None:
    assert redact_text(f"Write to {said} please") == f"Write to {EMAIL} please"


@pytest.mark.parametrize(
    "said",
    [
        "+12025550143",
        "Call +1 202 555 0143 at ten.",
        "2026-03-02T10:00:00.000Z",
        "7b015b62-4e92-400e-8b86-827c2753e5bf",
        "41111111-1111-4111-8111-111111111111",
        "https://x.example/4111111111111111/a@b.example",
        "Order 1234567890123456 is on its way.",
        "We met at the shop dot by dot.",
        "one two three",
        "",
    ],
)
def test_ordinary_words_ids_and_phone_numbers_stay(said: str) -> None:
    assert redact_text(said) == said


def test_a_whole_body_is_redacted_and_keeps_its_shape() -> None:
    body: dict[str, Any] = {
        "message": {
            "timestamp": 1772445600000,
            "call": {"id": "41111111-1111-4111-8111-111111111111", "customer": {"number": "+12025550143"}},
            "artifact": {"messages": [{"message": "four one one one " + "one " * 12, "time": 1772445600123.5}]},
            "toolCall": {"card": 4111111111111111, "ok": True, "none": None},
        }
    }
    redacted = redact(body)
    assert redacted["message"]["call"] == body["message"]["call"]
    assert redacted["message"]["timestamp"] == 1772445600000
    assert redacted["message"]["artifact"]["messages"][0]["message"].strip() == CARD
    assert redacted["message"]["toolCall"] == {"card": CARD, "ok": True, "none": None}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(json_values)
def test_redacting_again_changes_nothing(value: Any) -> None:
    once = redact(value)
    assert redact(once) == once
    json.dumps(once)
