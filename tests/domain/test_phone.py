"""What becomes of phone numbers as people and spreadsheets write them."""

import re
import unicodedata

import phonenumbers
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from autolynx.domain.phone import Phone, PhoneProblem, check_region, read_phone
from autolynx.errors import ValidationProblem

SPELLINGS = [
    "+12025550143",
    "2025550143",
    "(202) 555-0143",
    "202-555-0143",
    "202.555.0143",
    "1 202 555 0143",
    "+1 (202) 555-0143",
    "20-2555-01-43",
    "2025550143.0",
    "12025550143.0",
    "202-555-0143 (cell)",
    "'+1 202 555 0143",
    '="2025550143"',
    "tel:+1-202-555-0143",
    "\u202a+1\u00a0202\u00a0555\u00a00143\u202c",
    "202\u2013555\u20130143",
    "\uff12\uff10\uff12\uff15\uff15\uff15\uff10\uff11\uff14\uff13",
    "\u0662\u0660\u0662\u0665\u0665\u0665\u0660\u0661\u0664\u0663",
]

TOO_SHORT = "Phone is too short for a US number; add the missing digits."
TOO_LONG = "Phone is too long for a US number; remove the digits that do not belong."
NOT_US = "Phone is not a valid US number; correct it, or write it with + and the country code."
LETTERS = "Phone contains letters; write the number in digits."
CHARACTERS = "Phone contains characters that do not belong in a number; write it in digits."
SEVERAL = "Phone holds more than one number; keep one number in this cell."
EXCEL = "Excel turned it into {}; format the phone column as text and enter the number again."
FRACTION = "Phone ends in a decimal fraction; format the phone column as text and enter the number again."
AMBIGUOUS = "Phone can be read in more than one way; write it with + and the country code."
REFUSED = [
    ("", "empty", "Phone is missing; add a phone number."),
    ("   ", "empty", "Phone is missing; add a phone number."),
    ("555-0143", "too_short", TOO_SHORT),
    ("911", "too_short", TOO_SHORT),
    ("202 555 01433", "too_long", TOO_LONG),
    ("2025550143 2025550144", "too_long", TOO_LONG),
    ("2025550143.00", "fraction", FRACTION),
    ("2025550143.5", "fraction", FRACTION),
    ("020 7946 0958", "not_valid", NOT_US),
    ("0044 20 7946 0958", "not_valid", NOT_US),
    ("123-555-0143", "not_valid", NOT_US),
    ("+1 123 555 0143", "not_valid", "Phone is not a valid number for its country code; correct it."),
    ("+999 123 4567", "not_valid", "Phone begins with a country code that does not exist; correct it."),
    ("1-800-FLOWERS", "letters", LETTERS),
    ("cell: 202-555-0143", "letters", LETTERS),
    ("202-555-0143 (home 2)", "letters", LETTERS),
    ("2025550143E", "letters", LETTERS),
    ("n/a", "letters", LETTERS),
    ("1.2025550143E+10", "excel", EXCEL.format("1.2025550143E+10")),
    ("1.5551E+10", "excel", EXCEL.format("1.5551E+10")),
    ("1,5551e+10", "excel", EXCEL.format("1,5551e+10")),
    ("202-555-0143 / 202-555-0144", "several", SEVERAL),
    ("2025550143 or 2025550144", "several", SEVERAL),
    ("202-555-0143#", "characters", CHARACTERS),
    ("--2025550143", "characters", CHARACTERS),
    ("=2025550143", "characters", CHARACTERS),
    ("2,025,550,143", "characters", CHARACTERS),
    ("\u00b2025550143", "characters", CHARACTERS),
    ("202\x00555\x000143", "characters", CHARACTERS),
    ("1 1 202 555 0143", "ambiguous", AMBIGUOUS),
    (
        "202-555-0143 x12345678901",
        "extension",
        "The extension of phone is longer than 10 digits; shorten it.",
    ),
    ("2" * 101, "too_long", "Phone is too long to be a number; keep one number in this cell."),
]


@pytest.mark.parametrize("text", SPELLINGS)
def test_a_number_is_the_same_in_every_human_spelling(text: str) -> None:
    assert read_phone(text, region="US") == Phone(e164="+12025550143", raw=text)


@pytest.mark.parametrize(("text", "code", "reason"), REFUSED)
def test_a_bad_number_is_refused_with_the_reason(text: str, code: str, reason: str) -> None:
    assert read_phone(text, region="US") == PhoneProblem(code=code, reason=reason)


@pytest.mark.parametrize(
    "ending", [" x12", "x12", " ext. 12", " ext 12", " extension 12", " #12", ";ext=12", ", ext 12", " X: 12"]
)
def test_an_extension_is_split_off_and_kept(ending: str) -> None:
    text = f"(202) 555-0143{ending}"
    assert read_phone(text, region="US") == Phone(e164="+12025550143", raw=text, extension="12")


@pytest.mark.parametrize(
    ("text", "region", "e164"),
    [
        ("020 7946 0958", "GB", "+442079460958"),
        ("442079460958", "GB", "+442079460958"),
        ("+44 (0)20 7946 0958", "US", "+442079460958"),
        ("011 44 20 7946 0958", "US", "+442079460958"),
        ("00 44 20 7946 0958", "DE", "+442079460958"),
        ("030/123456", "DE", "+4930123456"),
        ("02 3661 8300", "IT", "+390236618300"),
        ("8 (495) 123-45-67", "RU", "+74951234567"),
        ("+800 1234 5678", "US", "+80012345678"),
    ],
)
def test_numbers_of_other_countries_follow_their_own_rules(text: str, region: str, e164: str) -> None:
    assert read_phone(text, region=region) == Phone(e164=e164, raw=text)


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("011 15 2345-6789", "AR"),  # the library drops 15 and puts in a 9
        ("4601234", "AG"),  # the library puts in the area code
        ("0 21 11 5555-5555", "BR"),  # the library drops a carrier code
    ],
)
def test_a_number_that_the_library_would_have_to_change_is_refused(text: str, region: str) -> None:
    changed = phonenumbers.parse(text, region)
    assert phonenumbers.is_valid_number(changed)
    verdict = read_phone(text, region=region)
    assert isinstance(verdict, PhoneProblem)
    assert verdict.code == "ambiguous"


def test_a_fraction_of_a_spreadsheet_never_becomes_a_digit_of_a_number() -> None:
    assert phonenumbers.is_valid_number(phonenumbers.parse("30123456.5", "DE"))
    verdict = read_phone("30123456.5", region="DE")
    assert isinstance(verdict, PhoneProblem)
    assert verdict.code == "fraction"


def test_the_region_is_checked_by_name() -> None:
    assert check_region(" gb ") == "GB"
    with pytest.raises(ValidationProblem, match=r"The region is not known; use the two letters of a country"):
        check_region("UK")


NANP_REGIONS = sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE[1])


@given(
    national=st.from_regex(r"[2-9][0-9]{2}[2-9][0-9]{6}", fullmatch=True),
    region=st.sampled_from(NANP_REGIONS),
    spelling=st.sampled_from(["{}{}{}", "({}) {}-{}", "+1{}{}{}", "1-{}-{}-{}", "+1 ({}) {}-{}", "{}.{}.{}"]),
)
def test_the_short_cut_for_american_numbers_says_what_the_library_says(
    national: str, region: str, spelling: str
) -> None:
    text = spelling.format(national[:3], national[3:6], national[6:])
    parsed = phonenumbers.parse(text, region)
    verdict = read_phone(text, region=region)
    if phonenumbers.is_valid_number(parsed):
        e164 = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
        assert verdict == Phone(e164=e164, raw=text)
    else:
        assert isinstance(verdict, PhoneProblem)
        assert verdict.code == "not_valid"


def _digits(text: str) -> str:
    return "".join(str(unicodedata.decimal(character)) for character in text if character.isdecimal())


def _is_in_order(needle: str, haystack: str) -> bool:
    rest = iter(haystack)
    return all(character in rest for character in needle)


PHONE_LIKE = st.one_of(
    st.text(),
    st.text(alphabet="0123456789+-(). /x#,;eE'=\u0662\uff15\u202a", max_size=30),
    st.from_regex(r"(\+|00|011)?[0-9 ().-]{6,18}( ?(x|ext\.?|#) ?[0-9]{1,12})?(\.0)?", fullmatch=True),
)


@given(
    text=PHONE_LIKE,
    region=st.sampled_from(["US", "GB", "DE", "AR", "BR", "IT", "MX", "AG", "FR", "AU", "IN"]),
)
@example(text="0111523456789", region="AR")
def test_no_number_is_ever_invented(text: str, region: str) -> None:
    verdict = read_phone(text, region=region)
    if isinstance(verdict, PhoneProblem):
        assert verdict.reason.endswith(".")
        return
    number = phonenumbers.parse(verdict.e164)
    assert phonenumbers.is_valid_number(number)
    assert re.fullmatch(r"\+[1-9][0-9]{1,14}", verdict.e164)
    national = phonenumbers.national_significant_number(number)
    assert _is_in_order(national + (verdict.extension or ""), _digits(text))
    assert verdict.raw == text
    is_domestic = number.country_code == phonenumbers.country_code_for_region(region)
    assert is_domestic or _is_in_order(f"{number.country_code}{national}", _digits(text))


@given(text=PHONE_LIKE)
def test_an_accepted_number_reads_the_same_again(text: str) -> None:
    verdict = read_phone(text, region="US")
    if isinstance(verdict, Phone):
        again = read_phone(verdict.e164, region="GB")
        assert isinstance(again, Phone)
        assert again.e164 == verdict.e164
