"""Where a browser may be sent after signing in: to a page of ours, whatever the address says."""

import re
from urllib.parse import unquote, urlsplit

LONGEST = 2000
_NOT_IN_PATHS = re.compile(r"[\x00-\x20\x7f-\x9f\\]")


def safe_path(wanted: str | None, *, otherwise: str = "/") -> str:
    """Return an absolute path of this site with its query, or `otherwise` for anything else.

    Refused are other schemes and hosts (`https:`, `//host`, also percent-encoded or with backslashes, which browsers
    take for slashes), control characters and blanks, which they skip, and what is too long.
    """
    if not wanted or len(wanted) > LONGEST:
        return otherwise
    for text in (wanted, unquote(wanted), unquote(unquote(wanted))):
        if _NOT_IN_PATHS.search(text.partition("?")[0]) or not _is_own_path(text):
            return otherwise
    return otherwise if _NOT_IN_PATHS.search(wanted) else wanted


def _is_own_path(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    has_single_slash = text.startswith("/") and not text.startswith("//")
    return has_single_slash and not parts.scheme and not parts.netloc and "/../" not in f"{parts.path}/"
