"""The audit log as a page: who did what, when and from where. For admins."""

import json
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import Response

from autolynx.store import audit_entries
from autolynx.store.audit_entries import AuditEntry, AuditFilter
from autolynx.web.api.audit import audit_filter
from autolynx.web.context import RuntimeDep
from autolynx.web.pages.paging import Paging, page_number
from autolynx.web.pages.rendering import page
from autolynx.web.readers import read_day

ROWS = 25
MOST_COUNTED = 10_000  # beyond that the page says "and more"
LONGEST = 200
# Where the subject of an area has a page of its own.
_PLACES = {"campaign": "/campaigns/", "assistant": "/assistants/"}
_GONE = frozenset({"campaign.deleted", "campaign.forgotten", "assistant.deleted", "assistant.retired"})

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What somebody wants to see; nonsense in the address falls back to everything."""

    actor: str
    action: str
    first: date | None
    last: date | None
    page: int

    @classmethod
    def of(cls, request: Request) -> "Wish":
        """Read the address."""
        asked = request.query_params
        return cls(
            actor=asked.get("actor", "").strip()[:LONGEST],
            action=asked.get("action", "").strip()[:LONGEST],
            first=read_day(asked.get("from", "")),
            last=read_day(asked.get("to", "")),
            page=page_number(asked.get("page", "")),
        )

    @property
    def chosen(self) -> AuditFilter:
        """What is asked of the log."""
        return audit_filter(actor=self.actor, action=self.action, first=self.first, last=self.last)

    @property
    def is_everything(self) -> bool:
        """Whether nothing is left out."""
        return self.chosen == AuditFilter()

    def address(self, path: str = "/audit", *, page: int = 1) -> str:
        """Return where the same entries are to be had; what is ordinary is left out."""
        values = {"actor": self.actor, "action": self.action, "from": self.first, "to": self.last}
        said = {name: value for name, value in values.items() if value} | ({"page": page} if page > 1 else {})
        return f"{path}?{urlencode(said)}" if said else path


@dataclass(frozen=True, kw_only=True)
class EntryView:
    """One entry, in the words of people."""

    seen: AuditEntry
    word: str
    place: str | None
    details: str


@router.get("/audit")
async def show_audit(request: Request, runtime: RuntimeDep) -> Response:
    """Show the entries that the address asks for, newest first."""
    wish = Wish.of(request)
    async with runtime.database.connection() as conn:
        total = await audit_entries.count_entries(conn, wish.chosen, most=MOST_COUNTED)
        found = await audit_entries.list_entries(conn, wish.chosen, limit=ROWS, skip=(wish.page - 1) * ROWS)
        actions = await audit_entries.list_actions(conn)
    is_exact = total < MOST_COUNTED
    paging = Paging.of(
        page=wish.page,
        size=ROWS,
        total=total,
        address=lambda number: wish.address(page=number),
        is_exact=is_exact or len(found) < ROWS,
    )
    values: dict[str, Any] = {
        "entries": [_view(entry) for entry in found],
        "areas": _areas(actions),
        "wish": wish,
        "paging": paging,
        "csv": wish.address("/api/audit.csv"),
    }
    return await page(request, "audit.html", section="system", **values)


def action_word(action: str) -> str:
    """Return an action as a person says it."""
    return action.replace(".", " ").replace("_", " ").capitalize()


def _areas(actions: list[str]) -> dict[str, list[tuple[str, str]]]:
    """Return the actions with their words, by area."""
    areas: dict[str, list[tuple[str, str]]] = {}
    for action in actions:
        area = action.partition(".")[0]
        areas.setdefault(area, []).append((action, action_word(action)))
    return areas


def _view(entry: AuditEntry) -> EntryView:
    place = _PLACES.get(entry.action.partition(".")[0])
    said = ", ".join(f"{_spaced(name)}: {_said(value)}" for name, value in entry.details.items())
    has_page = place and entry.subject and entry.action not in _GONE
    return EntryView(
        seen=entry,
        word=action_word(entry.action),
        place=f"{place}{entry.subject}" if has_page else None,
        details=said,
    )


def _spaced(name: str) -> str:
    """Return a key such as hangUp as words."""
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else json.dumps(value)
