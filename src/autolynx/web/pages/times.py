"""Moments on a page: exact in the document, read by people as their own clock and calendar say it."""

from datetime import datetime

from markupsafe import Markup, escape

from autolynx.web.pages.words import NOTHING


def moment(at: datetime | None) -> Markup:
    """Return a moment as date and time; the browser puts it into the reader's time zone."""
    return _time(at, shown_as="moment")


def ago(at: datetime | None) -> Markup:
    """Return a moment that has passed as "3 min ago", with the exact one on hover; "now" where clocks differ."""
    return _time(at, shown_as="ago")


def coming(at: datetime | None) -> Markup:
    """Return a moment to come as "in 5 min", with the exact one on hover."""
    return _time(at, shown_as="coming")


def _time(at: datetime | None, *, shown_as: str) -> Markup:
    if at is None:
        return escape(NOTHING)
    return Markup('<time datetime="{}" data-as="{}">{}</time>').format(
        at.isoformat(timespec="seconds"), shown_as, f"{at:%d %b %Y, %H:%M} UTC"
    )
