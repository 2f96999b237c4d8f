"""How figures read on a page."""

from decimal import Decimal

from phonenumbers import NumberParseException, PhoneNumberFormat, format_number, parse

NO_COUNTRY = "+999"  # what stands in the place of an erased number begins so
NOTHING = "\N{EN DASH}"
STATUS_WORDS = {
    "CREATED": "Ready",
    "QUEUED": "Queued",
    "DIALING": "Dialling",
    "RUNNING": "Running",
    "COMPLETED": "Completed",
    "PAUSED": "Paused",
    "CANCELED": "Stopped",
    "FAILED": "Failed",
    "RINGING": "Ringing",
    "IN_PROGRESS": "Talking",
    "ENDED": "Ended",
    "TIMEOUT": "Timed out",
    "due": "Due",
    "unsure": "Unsure",
    "excluded": "Excluded",
}


def status_word(status: str) -> str:
    """Return a state as a person says it."""
    return STATUS_WORDS.get(status, status.replace("_", " ").capitalize())


def money(amount: Decimal | None) -> str:
    """Return dollars: cents for sums from one dollar on, tenths of a cent below."""
    if amount is None:
        return ""
    return f"${amount:,.2f}" if amount >= 1 or amount == 0 else f"${amount:.3f}"


def span(seconds: float | None) -> str:
    """Return a duration as 7 s, 3 min 20 s or 2 h 5 min."""
    if seconds is None:
        return NOTHING
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest and minutes < 10 else f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


def grouped(phone: str) -> str:
    """Return a number in E.164 with spaces, as it is written in its country; unchanged where that is not known."""
    if phone.startswith(NO_COUNTRY):
        return "number erased"
    try:
        return format_number(parse(phone), PhoneNumberFormat.INTERNATIONAL)
    except NumberParseException:
        return phone


def count(number: int | None) -> str:
    """Return a count with its thousands apart."""
    return NOTHING if number is None else f"{number:,}"


def share(part: float | None) -> str:
    """Return a share (0 to 1) in per cent."""
    return NOTHING if part is None else f"{100 * part:.0f} %"


def ago(seconds: float) -> str:
    """Return how long ago, in one unit."""
    whole = max(0, int(seconds))
    if whole < 2:
        return "now"
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if whole >= size:
            return f"{whole // size} {unit} ago"
    return f"{whole} s ago"
