"""Pages of a list, as its foot shows them."""

from collections.abc import Callable
from dataclasses import dataclass

MOST_PAGES = 100_000


@dataclass(frozen=True, kw_only=True)
class Paging:
    """Where a reader is in a list, in numbers and addresses; `previous` and `following` are None at the ends."""

    page: int
    pages: int
    first: int
    last: int
    total: int
    is_exact: bool
    previous: str | None
    following: str | None

    @classmethod
    def of(cls, *, page: int, size: int, total: int, address: Callable[[int], str], is_exact: bool = True) -> "Paging":
        """Return what the foot shows of page `page` (from 1) of `total` rows; where not exact, of at least so many."""
        pages = max(1, -(-total // size))
        return cls(
            page=page,
            pages=pages,
            first=min((page - 1) * size + 1, total),
            last=min(page * size, total),
            total=total,
            is_exact=is_exact,
            previous=address(min(page - 1, pages)) if page > 1 else None,
            following=address(page + 1) if page < pages or not is_exact else None,
        )


def page_number(text: str) -> int:
    """Return the page that an address asks for, 1 where it asks for none or for nonsense."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 1
    return min(max(number, 1), MOST_PAGES)
