"""Under which names this installation answers, and from which pages it may be changed.

No address is ever made of what a request calls us: links lead below PUBLIC_URL or are paths.
"""

from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from autolynx.errors import Forbidden, ValidationProblem
from autolynx.settings import WEBHOOK_PATH, Settings
from autolynx.web.problems import own_path

PROBE = "/healthz"  # load balancers ask by address
LOCAL = frozenset({"localhost", "127.0.0.1", "[::1]"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# Where nobody comes from a page: these prove their origin by a secret.
NO_PAGES = frozenset({WEBHOOK_PATH, "/api/scheduler/tick"})
OWN_SITE = frozenset({"same-origin", "none"})  # none: typed, or opened from a bookmark


def check_host(connection: HTTPConnection, settings: Settings) -> None:
    """Raise ValidationProblem for a request to a name that is not ours: a browser may have been led here by it."""
    if own_path(connection.scope) == PROBE:
        return
    named = connection.headers.getlist("host")
    if len(named) != 1 or not is_ours(named[0], settings):
        raise ValidationProblem(
            "This installation does not answer under that name. Whoever runs it sets PUBLIC_URL, or adds the name "
            "to ALLOWED_HOSTS.",
            field="Host",
        )


def check_origin(connection: HTTPConnection, method: str, settings: Settings) -> None:
    """Raise Forbidden where the page of another site wants to change something here.

    Browsers say from where they ask, by Sec-Fetch-Site or, older ones, by Origin; programs say neither.
    """
    if method in SAFE_METHODS or own_path(connection.scope) in NO_PAGES:
        return
    site, origin = connection.headers.get("sec-fetch-site"), connection.headers.get("origin")
    is_own = site in OWN_SITE if site is not None else origin is None or _is_own(origin, connection, settings)
    if not is_own:
        raise Forbidden("The request comes from a page of another site; do it from a page of this installation.")


def is_ours(host: str, settings: Settings) -> bool:
    """Whether a Host header, with or without a port, names this installation."""
    name = name_of(host)
    names = {name_of(urlsplit(settings.public_url).netloc.rpartition("@")[2]), *settings.allowed_hosts}
    names |= LOCAL if settings.environment == "development" else set()
    return name in names or any(known.startswith(".") and name.endswith(known) for known in names)


def name_of(host: str) -> str:
    """Return a host without port, as names are compared; '' for what is none."""
    bare, bracket, rest = host.strip().lower().rpartition("]")
    name = bare + bracket if bracket else rest.partition(":")[0]
    port = rest.removeprefix(":") if bracket else rest.partition(":")[2]
    return name.rstrip(".") if not port or port.isdigit() else ""


def _is_own(origin: str, connection: HTTPConnection, settings: Settings) -> bool:
    """Whether an Origin is that of our pages: the public one, or the very host that was asked (which is ours)."""
    parts = urlsplit(origin)
    public = urlsplit(settings.public_url)
    if (parts.scheme, parts.netloc.lower()) == (public.scheme, public.netloc.lower()):
        return True
    return parts.scheme in {"http", "https"} and parts.netloc.lower() == connection.headers.get("host", "").lower()
