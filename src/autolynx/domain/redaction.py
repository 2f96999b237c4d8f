"""What nobody should have said on the phone, taken out of texts: card numbers, US social security numbers, emails.

Digits may stand together, apart by spaces, dashes and dots, or be spoken as words ("four one one one"). A card number
is told from others by its length, its beginning and its check digit. What is spread over several texts is not found,
nor what is spoken in other ways ("double four", "forty-one eleven"), nor in other languages.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

CARD, SSN, EMAIL = "[card number]", "[social security number]", "[email]"
_WORDS = {
    "zero": "0",
    "oh": "0",
    "one": "1",
    "two": "2",
    "three": "3",
    "four": "4",
    "five": "5",
    "six": "6",
    "seven": "7",
    "eight": "8",
    "nine": "9",
}
_SPOKEN = "|".join(_WORDS)
_DIGIT = re.compile(rf"\d|\b(?:{_SPOKEN})\b", re.IGNORECASE)
# At least nine digits in a row, with little between them; not what is part of a word or of an address.
_GAP = r"[\s\-\u2010-\u2015.,]{0,3}"
_RUN = re.compile(
    rf"(?<![\w+/=])(?:\d|\b(?:{_SPOKEN})\b)(?:{_GAP}(?:\d|\b(?:{_SPOKEN})\b)){{8,}}(?![\w/])", re.IGNORECASE
)
_MAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[a-z0-9-]{1,63}\.)+[a-z]{2,24}\b", re.IGNORECASE)
_SPOKEN_MAIL = re.compile(
    r"\b[\w.+-]{1,64}(?:\s+dot\s+[\w+-]{1,64}){0,3}\s+at\s+[a-z0-9-]{1,63}(?:\s+dot\s+[a-z0-9-]{1,63}){0,2}"
    r"\s+dot\s+(?:com|org|net|edu|gov|io|co|us|info|biz)\b",
    re.IGNORECASE,
)
# Ids and moments are no speech, and have to stay as they are.
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d.*)?")
_ADDRESS = re.compile(r"(?:https?|wss?)://\S+", re.IGNORECASE)
_SHORTEST_RUN = 9
_SHORTEST_TEXT = 6
_LEAST_CARD, _MOST_CARD = 10**13, 10**19  # thirteen digits are the milliseconds of a moment
_CARD_LENGTHS = (16, 15, 14, 19, 18, 17, 13)


def redact_text(text: str) -> str:
    """Return the text without them; each is replaced by what it was."""
    if len(text) < _SHORTEST_TEXT or _UUID.fullmatch(text) or _MOMENT.fullmatch(text) or _ADDRESS.fullmatch(text):
        return text
    if "@" in text:
        text = _MAIL.sub(EMAIL, text)
    lowered = text.lower()
    if " at " in lowered and " dot " in lowered:
        text = _SPOKEN_MAIL.sub(EMAIL, text)
    return _outside_ids(text, lambda part: _RUN.sub(_redact_run, part))


def redact(value: Any) -> Any:
    """Return a JSON value with every text in it redacted, and numbers that are card numbers."""
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, Mapping):
        return {key: redact(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [redact(inner) for inner in value]
    if isinstance(value, int) and not isinstance(value, bool) and _LEAST_CARD <= value < _MOST_CARD:
        return CARD if _is_card(str(value)) else value
    return value


def _outside_ids(text: str, change: Callable[[str], str]) -> str:
    """Change what stands between ids and addresses inside the text."""
    parts: list[str] = []
    end = 0
    for match in re.finditer(f"{_UUID.pattern}|{_ADDRESS.pattern}", text, re.IGNORECASE):
        parts += [change(text[end : match.start()]), match.group()]
        end = match.end()
    return "".join([*parts, change(text[end:])])


def _redact_run(match: re.Match[str]) -> str:
    """Return a run of digits without the card and social security numbers in it."""
    run = match.group()
    places = list(_DIGIT.finditer(run))
    digits = "".join(_WORDS.get(place.group().lower(), place.group()) for place in places)
    found = _find_cards(digits) or _find_ssn(places, digits)
    for first, last, word in reversed(found):
        run = run[: places[first].start()] + word + run[places[last].end() :]
    return run


def _find_cards(digits: str) -> list[tuple[int, int, str]]:
    """Return where card numbers begin and end, as positions among the digits; what is no card may stand around them."""
    found: list[tuple[int, int, str]] = []
    first = 0
    while first + 13 <= len(digits):
        length = next((size for size in _CARD_LENGTHS if _is_card(digits[first : first + size], size)), 0)
        if length:
            found.append((first, first + length - 1, CARD))
        first += length or 1
    return found


def _find_ssn(places: list[re.Match[str]], digits: str) -> list[tuple[int, int, str]]:
    """Return where a social security number stands: nine digits, three, two and four of them together or all apart."""
    if len(digits) != _SHORTEST_RUN or digits[0] == "9" or digits[:3] in {"000", "666"}:
        return []
    if digits[3:5] == "00" or digits[5:] == "0000":
        return []
    gaps = [places[n].end() != places[n + 1].start() for n in range(_SHORTEST_RUN - 1)]
    is_grouped = gaps == [n in {2, 4} for n in range(_SHORTEST_RUN - 1)]
    return [(0, _SHORTEST_RUN - 1, SSN)] if is_grouped or all(gaps) else []


def _is_card(digits: str, size: int | None = None) -> bool:
    return len(digits) == (size or len(digits)) and _is_issued(digits) and _passes_check(digits)


def _is_issued(digits: str) -> bool:
    """Whether a card network issues numbers of that beginning and length."""
    size, two, four = len(digits), int(digits[:2]), int(digits[:4])
    if digits[0] == "4":
        return size in {13, 16, 19}
    if two in {34, 37}:
        return size == 15
    if two in {36, 38, 39} or 300 <= int(digits[:3]) <= 305:
        return 14 <= size <= 19
    if 51 <= two <= 55 or 2221 <= four <= 2720:
        return size == 16
    return 16 <= size <= 19 and (two in {35, 62, 64, 65} or four == 6011)


def _passes_check(digits: str) -> bool:
    """Whether the last digit is the check digit of the others (Luhn)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        number = int(digit) * (2 if place % 2 else 1)
        total += number - 9 if number > 9 else number
    return total % 10 == 0
