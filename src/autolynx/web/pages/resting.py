"""Why nothing new is dialled, for people."""

from datetime import datetime

from autolynx.domain.pacing import Account, NumberPace
from autolynx.web.pages.words import span


def resting_sentence(account: Account, number: NumberPace, now: datetime) -> str | None:
    """Say why nothing new is dialled, in the whole account or from this number; None when it may be."""
    if account.held_at is not None:
        return f"Dialling is held: {account.hold_reason or 'by an operator.'} Release it to go on."
    if account.trouble is not None:
        return f"The account cannot dial: {account.trouble} Mend it, then release dialling."
    if account.not_before is not None and now < account.not_before:
        seconds = (account.not_before - now).total_seconds()
        return f"Dialling rests for {span(seconds)}: {account.rest_reason or 'the provider asked for it.'}"
    if number.hold_reason is not None and (number.held_until is None or now < number.held_until):
        return f"Nothing can be dialled from this phone number: {number.hold_reason}"
    if number.left_today(now) == 0:
        return f"The phone number has made its {number.daily_limit} calls of today; it goes on at midnight UTC."
    return None
