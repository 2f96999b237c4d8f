import pytest
from hypothesis import given
from hypothesis import strategies as st

from autolynx.domain.success import derive_success

YES = [
    *("true", "True", "TRUE", "yes", "Pass", "passed", "success", "successful", "Excellent", "Good", "Agree"),
    *("Strongly Agree", "strongly_agree", " good ", "Good."),
    *("6", "6.0", "7", "10", "10/10", "8 / 10", "60%", "60 %", "100%", "87", "75/100"),
]
NO = [
    *("false", "False", "no", "Fail", "failed", "unsuccessful", "Fair", "Poor", "Disagree"),
    *("Strongly Disagree", "strongly-disagree"),
    *("0", "1", "5", "5.9", "0%", "59%", "59.9%", "6%", "3/10", "11", "45"),
]
NOT_EVALUATED = [
    *("", "   ", "Neutral", "null", "n/a", "101", "120%", "11/10", "-3", "1e9", "nan", "inf", "\u0667"),
    *("The customer agreed to a second call.", "- [x] greeted\n- [ ] booked", "[object Object]"),
]


@pytest.mark.parametrize("raw", YES)
def test_words_and_figures_of_approval_are_a_success(raw: str) -> None:
    assert derive_success(raw) is True


@pytest.mark.parametrize("raw", NO)
def test_words_and_figures_of_disapproval_are_no_success(raw: str) -> None:
    assert derive_success(raw) is False


@pytest.mark.parametrize("raw", [None, *NOT_EVALUATED])
def test_whatever_is_neither_yes_nor_no_is_not_evaluated(raw: str | None) -> None:
    assert derive_success(raw) is None


@given(st.text())
def test_any_text_is_judged_without_an_error(raw: str) -> None:
    assert derive_success(raw) in {True, False, None}


@given(st.integers(0, 100), st.integers(0, 100))
def test_a_greater_percentage_is_never_judged_worse(first: int, second: int) -> None:
    lower, higher = sorted((first, second))
    assert not (derive_success(f"{lower}%") and not derive_success(f"{higher}%"))
