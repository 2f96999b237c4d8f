"""Whether a number may be dialled, and if not, why.

Nothing is guessed: after cleaning, the digits that remain must be exactly the digits of the number, with or
without its country code and dialling prefixes. The library judges validity; it never adds or drops a digit.
"""

import re
from dataclasses import dataclass, field
from functools import cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneMetadata, PhoneNumber, ValidationResult

from autolynx.domain.phone_text import (
    clean_phone,
    has_fraction,
    holds_several_numbers,
    is_excel_notation,
    split_extension,
)
from autolynx.errors import ValidationProblem

MAX_PHONE_CHARACTERS = 100
MAX_EXTENSION_DIGITS = 10
MAX_E164_DIGITS = 15

_PLAIN_NANP = re.compile(r"(?:\+?1[-. ]?)?\(?([2-9][0-9]{2})\)?[-. ]{0,2}([2-9][0-9]{2})[-. ]?([0-9]{4})")
_DIALLABLE = re.compile(r"\+? ?[0-9(\[][0-9 ()./\-\[\]]*")
_NOT_DIGITS = re.compile(r"[^0-9]+")


@dataclass(frozen=True, kw_only=True)
class Phone:
    """A number that may be dialled: `e164` like +12025550143, `raw` as written, `extension` in digits."""

    e164: str = field(repr=False)
    raw: str = field(repr=False)
    extension: str | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class PhoneProblem:
    """Why a number may not be dialled: a stable word, and the sentence with the remedy."""

    code: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class _Typed:
    """The bare digits of a number, and how they are to be understood."""

    digits: str
    is_international: bool
    region: str


def known_regions() -> list[tuple[str, int]]:
    """Return every region that numbers can be read for, with its country code, by its two letters."""
    regions = sorted(phonenumbers.SUPPORTED_REGIONS)
    return [(region, phonenumbers.country_code_for_region(region)) for region in regions]


def check_region(region: str) -> str:
    """Return the region as two capital letters. Raises ValidationProblem unless the library knows it."""
    known = region.strip().upper()
    if known not in phonenumbers.SUPPORTED_REGIONS:
        raise ValidationProblem(
            "The region is not known; use the two letters of a country, for example US or GB.", field="region"
        )
    return known


def read_phone(text: str, *, region: str) -> Phone | PhoneProblem:
    """Judge one number as it was typed. `region`: two capital letters, for numbers without a country code."""
    plain = _PLAIN_NANP.fullmatch(text)
    if plain and phonenumbers.country_code_for_region(region) == 1:
        return _read_plain_nanp(text, "".join(plain.groups()), region)
    if len(text) > MAX_PHONE_CHARACTERS:
        return _problem("too_long", "Phone is too long to be a number; keep one number in this cell.")
    cleaned = clean_phone(text)
    return _damage(cleaned) or _read_cleaned(text, cleaned, region)


def _read_plain_nanp(raw: str, national: str, region: str) -> Phone | PhoneProblem:
    """Skip the library's parser where ten digits can be read in one way only; a test compares the answers."""
    number = PhoneNumber(country_code=1, national_number=int(national))
    if _american_line().fullmatch(national) or phonenumbers.is_valid_number(number):
        return Phone(e164=f"+1{national}", raw=raw)
    return _not_valid(_Typed(digits=national, is_international=raw.startswith("+"), region=region))


@cache
def _american_line() -> re.Pattern[str]:
    """Return the library's pattern of ordinary US lines, which it asks first: what matches it is valid.

    Asking it directly takes a tenth of the time, and a list has 200,000 numbers.
    """
    metadata = PhoneMetadata.metadata_for_region("US")
    pattern = metadata.fixed_line.national_number_pattern if metadata and metadata.fixed_line else None
    return re.compile(pattern or "(?!)")


def _damage(text: str) -> PhoneProblem | None:
    """Name what is known to be wrong before the library is asked."""
    if not text:
        return _problem("empty", "Phone is missing; add a phone number.")
    if is_excel_notation(text):
        return _problem(
            "excel",
            f"Excel turned it into {text}; format the phone column as text and enter the number again.",
        )
    if has_fraction(text):
        return _problem(
            "fraction",
            "Phone ends in a decimal fraction; format the phone column as text and enter the number again.",
        )
    if holds_several_numbers(text):
        return _problem("several", "Phone holds more than one number; keep one number in this cell.")
    return None


def _read_cleaned(raw: str, text: str, region: str) -> Phone | PhoneProblem:
    written = split_extension(text)
    if not _DIALLABLE.fullmatch(written.number):
        return _not_diallable(written.number)
    if written.extension and len(written.extension) > MAX_EXTENSION_DIGITS:
        return _problem(
            "extension", f"The extension of phone is longer than {MAX_EXTENSION_DIGITS} digits; shorten it."
        )
    digits = _NOT_DIGITS.sub("", written.number)
    typed = _Typed(digits=digits, is_international=written.number.startswith("+"), region=region)
    e164 = _to_e164(typed)
    return e164 if isinstance(e164, PhoneProblem) else Phone(e164=e164, raw=raw, extension=written.extension)


def _not_diallable(text: str) -> PhoneProblem:
    if any(character.isalpha() for character in text):
        return _problem("letters", "Phone contains letters; write the number in digits.")
    return _problem("characters", "Phone contains characters that do not belong in a number; write it in digits.")


def _to_e164(typed: _Typed) -> str | PhoneProblem:
    """Ask the library, and refuse whatever it could only read by adding or dropping digits."""
    text = f"+{typed.digits}" if typed.is_international else typed.digits
    try:
        number = phonenumbers.parse(text, typed.region)
    except NumberParseException as error:
        return _unreadable(error, typed)
    if not phonenumbers.is_valid_number(number):
        return _why_not_valid(number, typed)
    e164 = f"+{number.country_code}{phonenumbers.national_significant_number(number)}"
    if len(e164) > MAX_E164_DIGITS + 1:
        return _wrong_length("long", typed)
    if not _is_same_number(number, typed):
        return _problem("ambiguous", "Phone can be read in more than one way; write it with + and the country code.")
    return e164


def _is_same_number(number: PhoneNumber, typed: _Typed) -> bool:
    """Whether the typed digits are those of the number, apart from its country code and dialling prefixes."""
    national = phonenumbers.national_significant_number(number)
    full = f"{number.country_code}{national}"
    if typed.is_international:
        return typed.digits == full
    if typed.digits.endswith(full) and _is_exit_code(typed.digits.removesuffix(full), typed.region):
        return True
    prefix = typed.digits.removesuffix(national)
    trunk = phonenumbers.ndd_prefix_for_region(typed.region, True) or ""
    is_domestic = number.country_code == phonenumbers.country_code_for_region(typed.region)
    return is_domestic and prefix + national == typed.digits and prefix in {"", trunk}


def _is_exit_code(prefix: str, region: str) -> bool:
    """Whether the prefix is what one dials in that region to call abroad (011, 00, ...); '' counts too."""
    metadata = PhoneMetadata.metadata_for_region(region)
    pattern = metadata.international_prefix if metadata else None
    return not prefix or bool(pattern and re.fullmatch(pattern, prefix))


def _unreadable(error: NumberParseException, typed: _Typed) -> PhoneProblem:
    if error.error_type == NumberParseException.TOO_LONG:
        return _wrong_length("long", typed)
    if error.error_type == NumberParseException.INVALID_COUNTRY_CODE and typed.digits:
        return _problem("not_valid", "Phone begins with a country code that does not exist; correct it.")
    return _wrong_length("short", typed)


def _why_not_valid(number: PhoneNumber, typed: _Typed) -> PhoneProblem:
    verdict = phonenumbers.is_possible_number_with_reason(number)
    if verdict in {ValidationResult.TOO_SHORT, ValidationResult.IS_POSSIBLE_LOCAL_ONLY}:
        return _wrong_length("short", typed)
    if verdict == ValidationResult.TOO_LONG and not _begins_like_abroad(number, typed):
        return _wrong_length("long", typed)
    return _not_valid(typed)


def _begins_like_abroad(number: PhoneNumber, typed: _Typed) -> bool:
    """Whether a leading zero shows that the number was written for another country: here none begins so."""
    trunk = phonenumbers.ndd_prefix_for_region(typed.region, True)
    return bool(number.italian_leading_zero) and trunk != "0" and not typed.is_international


def _wrong_length(way: str, typed: _Typed) -> PhoneProblem:
    kind = "number with this country code" if typed.is_international else f"{typed.region} number"
    remedy = "add the missing digits" if way == "short" else "remove the digits that do not belong"
    return _problem(f"too_{way}", f"Phone is too {way} for a {kind}; {remedy}.")


def _not_valid(typed: _Typed) -> PhoneProblem:
    if typed.is_international:
        return _problem("not_valid", "Phone is not a valid number for its country code; correct it.")
    sentence = f"Phone is not a valid {typed.region} number; correct it, or write it with + and the country code."
    return _problem("not_valid", sentence)


def _problem(code: str, reason: str) -> PhoneProblem:
    return PhoneProblem(code=code, reason=reason)
