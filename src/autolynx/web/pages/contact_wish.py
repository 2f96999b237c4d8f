"""Which contacts of a campaign somebody wants to see: read from the address, and written back into it."""

from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Depends, Query

from autolynx.domain.call import CallStatus, Outcome
from autolynx.store.contact_pages import ContactSort
from autolynx.store.report_rows import NOT_CALLED, ContactFilter
from autolynx.web.pages.paging import page_number
from autolynx.web.pages.words import status_word

MOST_SEARCH_CHARACTERS = 200
STATUSES: dict[str, str] = {
    "": "Any call",
    NOT_CALLED: "Not called",
    **{status.value: status_word(status.value) for status in CallStatus},
}
OUTCOMES: dict[str, str] = {
    "": "Any outcome",
    **{one.value: one.value.replace("_", " ").capitalize() for one in Outcome if one is not Outcome.NOT_DIALLED},
}
SUCCESSES: dict[str, tuple[str, bool | None]] = {
    "": ("Any result", None),
    "yes": ("Success", True),
    "no": ("No success", False),
}
# How contacts may be sorted: key, word, sort of the read model, whether it is turned round.
SORTS: dict[str, tuple[str, ContactSort, bool]] = {
    "file": ("Order of the list", ContactSort.POSITION, False),
    "reverse": ("Last in the list first", ContactSort.POSITION, True),
    "latest": ("Called last first", ContactSort.LATEST, False),
    "outcome": ("Outcome", ContactSort.OUTCOME, False),
    "longest": ("Longest talk first", ContactSort.DURATION, False),
    "dearest": ("Highest cost first", ContactSort.COST, False),
}

ORDINARY = {"sort": "file", "page": 1}  # what is left out of an address; of the others, what is empty


@dataclass(frozen=True, kw_only=True)
class ContactWish:
    """What somebody wants to see; nonsense in the address falls back to the ordinary list."""

    search: str = ""
    status: str = ""
    outcome: str = ""
    success: str = ""
    batch: int | None = None  # as people count them, from 1
    sort: str = "file"
    page: int = 1

    @property
    def chosen(self) -> ContactFilter:
        """What the read model is asked for."""
        return ContactFilter(
            status=self.status or None,
            outcome=self.outcome or None,
            success=SUCCESSES[self.success][1],
            search=self.search or None,
            batch=self.batch - 1 if self.batch else None,
        )

    @property
    def is_filtered(self) -> bool:
        """Whether some contacts may be left out."""
        return not self.chosen.is_empty

    @property
    def is_moving(self) -> bool:
        """Whether calls let contacts enter or leave the list, or move in it."""
        return self.is_filtered or SORTS[self.sort][1] is not ContactSort.POSITION

    @property
    def stream_query(self) -> str:
        """Return the list as this page words it, to be put into the address of its stream."""
        return self._query({**self._said(), "sort": self.sort, "page": self.page}).removeprefix("?")

    def address(self, campaign_id: UUID, **changed: Any) -> str:
        """Return the address of this list with something changed; what is ordinary is left out."""
        return f"/campaigns/{campaign_id}{self._query({**self._said(), 'sort': self.sort, 'page': 1, **changed})}"

    @property
    def page_query(self) -> str:
        """Return the filter as this page words it, to be put behind an address."""
        return self._query(self._said())

    @property
    def api_query(self) -> str:
        """Return the same filter as the API words it, to be put behind an address."""
        success = {True: "true", False: "false", None: ""}[SUCCESSES[self.success][1]]
        said: dict[str, Any] = {"status": self.status, "outcome": self.outcome, "success": success}
        said |= {"search": self.search, "batch": "" if self.batch is None else self.batch - 1}
        return self._query(said)

    def _said(self) -> dict[str, Any]:
        said = {"q": self.search, "status": self.status, "outcome": self.outcome, "success": self.success}
        return {**said, "batch": self.batch or ""}

    @staticmethod
    def _query(values: dict[str, Any]) -> str:
        said = {key: value for key, value in values.items() if value != ORDINARY.get(key, "")}
        return f"?{urlencode(said)}" if said else ""


def _batch(text: str) -> int | None:
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 8 else 0
    return number or None


async def _contact_wish(
    *,
    q: str = "",
    status: str = "",
    outcome: str = "",
    success: str = "",
    batch: str = "",
    sort: str = "",
    page: Annotated[str, Query()] = "",
) -> ContactWish:
    return ContactWish(
        search=q.strip()[:MOST_SEARCH_CHARACTERS],
        status=status if status in STATUSES else "",
        outcome=outcome if outcome in OUTCOMES else "",
        success=success if success in SUCCESSES else "",
        batch=_batch(batch),
        sort=sort if sort in SORTS else "file",
        page=page_number(page),
    )


ContactWishDep = Annotated[ContactWish, Depends(_contact_wish)]
