"""Reading single values of JSON that others wrote: one of the wrong type is missing, never an error."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from ipaddress import ip_address
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

from autolynx.domain.cost_parts import MOST_USD

Object = Mapping[str, Any]
T = TypeVar("T")

EMPTY: Object = {}
LONGEST_WORD = 200  # ids, states, reasons
LONGEST_ADDRESS = 2048

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_EARLIEST = datetime(2015, 1, 1, tzinfo=UTC)
_LATEST = datetime(2100, 1, 1, tzinfo=UTC)
_SECONDS = (1e9, 1e10)  # epoch seconds of our century have ten digits, milliseconds thirteen
_MILLISECONDS = (1e12, 1e13)
_CENTS = Decimal("0.0001")  # what the database keeps
_USUAL_SCHEMES = ("https://", "wss://", "http://", "ws://")
_SIGNING_KEYS = re.compile(r"^(x-(amz|goog)-.*|signature|sig|se|expires|token|key-pair-id|policy|awsaccesskeyid)$")


def clean(text: str) -> str:
    """Return the text as PostgreSQL can store it: without NUL, lone surrogates replaced."""
    if "\x00" in text:
        text = text.replace("\x00", "")
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def as_object(value: Any) -> Object:
    """Return the value if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else EMPTY


def at(source: Any, *path: str) -> Any:
    """Return what lies under the keys, or None where the way breaks off."""
    for key in path:
        if not isinstance(source, dict):
            return None
        source = source.get(key)
    return source


def as_text(value: Any) -> str | None:
    """Return a string with something in it, cleaned; None for anything else."""
    if not isinstance(value, str):
        return None
    text = clean(value)
    return text if text.strip() else None


def as_word(value: Any) -> str | None:
    """Return a short string such as an id or a state, stripped; None for anything else."""
    text = as_text(value)
    return text.strip() if text and len(text) <= LONGEST_WORD else None


def as_uuid(value: Any) -> UUID | None:
    """Return a UUID written in its usual 36 characters; None for anything else."""
    return UUID(value) if isinstance(value, str) and _UUID.fullmatch(value) else None


def as_number(value: Any) -> float | None:
    """Return a finite number, also from a string of digits; None for anything else, booleans included."""
    if value is None or isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str) and len(value) > LONGEST_WORD:
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def as_moment(value: Any) -> datetime | None:
    """Return a moment in UTC from an ISO string with an offset or from epoch seconds or milliseconds.

    A date without an offset and one outside 2015 to 2099 are no moments: nobody can say when they were.
    """
    moment = _from_epoch(as_number(value)) or _from_iso(value)
    return moment if moment and _EARLIEST <= moment < _LATEST else None


def _from_epoch(number: float | None) -> datetime | None:
    if number is None:
        return None
    if _MILLISECONDS[0] <= number < _MILLISECONDS[1]:
        number /= 1000
    if not _SECONDS[0] <= number < _SECONDS[1]:
        return None
    return datetime.fromtimestamp(round(number, 6), UTC)


def _from_iso(value: Any) -> datetime | None:
    if not isinstance(value, str) or len(value) > LONGEST_WORD:
        return None
    try:
        moment = datetime.fromisoformat(value.strip())
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def as_money(value: Any) -> Decimal | None:
    """Return an amount in USD rounded to what the database keeps; None below zero, absurd or not a number."""
    if as_number(value) is None:
        return None
    try:
        amount = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return amount.quantize(_CENTS) + 0 if amount.is_finite() and 0 <= amount < MOST_USD else None


def as_address(value: Any) -> str | None:
    """Return an http or https address; None for anything else, such as a script."""
    text = (as_text(value) or "").strip()
    if len(text) > LONGEST_ADDRESS or len(text.split()) > 1:
        return None
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    return text if parts.scheme in {"http", "https"} and parts.hostname else None


def stable_address(value: Any) -> str | None:
    """Return an address without the signature that makes it expire: what may be kept and shown."""
    address = as_address(value)
    return None if address is None else without_signature(address)


def without_signature(address: str) -> str:
    """Return the address without its query where that holds a signature, and without a user and password."""
    if address.startswith(_USUAL_SCHEMES) and not any(sign in address for sign in "?@#"):
        return address  # there is nothing to take apart, as in most addresses
    try:
        parts = urlsplit(address)
        is_signed = any(_SIGNING_KEYS.match(key.lower()) for key, _ in parse_qsl(parts.query, keep_blank_values=True))
    except ValueError:
        return address.partition("?")[0]
    if is_signed:
        parts = parts._replace(query="")
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def is_loopback(host: str | None) -> bool:
    """Return whether the host is this machine."""
    if host == "localhost":
        return True
    try:
        return host is not None and ip_address(host).is_loopback
    except ValueError:
        return False


def objects(value: Any) -> Sequence[Object]:
    """Return the objects in a list; nothing for anything else."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def first(candidates: Iterable[T | None]) -> T | None:
    """Return the first candidate that has content."""
    return next((candidate for candidate in candidates if candidate is not None), None)
