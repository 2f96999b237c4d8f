"""Reading lists page by page: without a cursor, the next page begins where the last one ended in time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from autolynx.errors import ProviderError
from autolynx.provider.vapi_http import Wire
from autolynx.provider.wire_errors import Answer
from autolynx.provider.wire_values import Object, as_moment, as_object, as_word, objects

LARGEST_PAGE = 1000
_OVERLAP = timedelta(milliseconds=1)  # times may be cut to milliseconds on their way out


@dataclass(frozen=True, kw_only=True)
class Pages:
    """All that was read. `is_complete` says whether that is the whole list."""

    items: Sequence[Object]
    is_complete: bool


async def read_pages(wire: Wire, path: str, *, params: Mapping[str, str], most: int, page_size: int) -> Pages:
    """Return the objects of a list that is ordered from the newest down, each once, at most `most` of them.

    Pages overlap, so that ties in time lose nothing. The list is complete only if its end was seen,
    everything in it could be read, and its order was the one that this way of reading relies on.
    """
    found: dict[str, Object] = {}
    size, before, is_whole = max(1, min(page_size, LARGEST_PAGE, most)), None, True
    while True:
        page = await _read_page(wire, path, {**params, **_cursor(before), "limit": str(size)})
        known = len(found)
        readable = [item for item in objects(page) if as_word(item.get("id"))]
        found.update((item["id"], item) for item in readable if item["id"] not in found)
        is_whole = is_whole and len(readable) == len(page)
        if len(page) < size:
            return _cut(found, most=most, is_complete=is_whole)
        next_before = _oldest(readable)
        if next_before is None or len(found) >= most:
            return _cut(found, most=most, is_complete=False)
        if len(found) == known:  # more ties in one millisecond than fit the page
            if size >= LARGEST_PAGE:
                return _cut(found, most=most, is_complete=False)
            size = min(size * 2, LARGEST_PAGE)
        before = next_before


def _cut(found: Mapping[str, Object], *, most: int, is_complete: bool) -> Pages:
    return Pages(items=list(found.values())[:most], is_complete=is_complete and len(found) <= most)


async def _read_page(wire: Wire, path: str, params: Mapping[str, str]) -> list[Any]:
    answer = await wire.read(path, doing="list what the account has", params=params)
    items = _listed(answer)
    if items is None:
        raise ProviderError("Vapi answered a list with something else: check VAPI_BASE_URL.", status=answer.status)
    return items


def _listed(answer: Answer) -> list[Any] | None:
    body = answer.body if isinstance(answer.body, list) else as_object(answer.body).get("results")
    return body if answer.is_success and isinstance(body, list) else None


def _oldest(page: Sequence[Object]) -> datetime | None:
    """Return the time of the last item; None where the page is not ordered from the newest down."""
    moments = [as_moment(item.get("createdAt")) for item in page]
    times = [moment for moment in moments if moment is not None]
    is_ordered = len(times) == len(moments) and all(a >= b for a, b in pairwise(times))
    return times[-1] if times and is_ordered else None


def _cursor(before: datetime | None) -> dict[str, str]:
    return {} if before is None else {"createdAtLe": as_iso(before + _OVERLAP)}


def as_iso(moment: datetime) -> str:
    """Return a moment as the provider writes it: UTC with milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
