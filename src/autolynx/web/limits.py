"""How often somebody may ask: counted by caller, and by address for those who are not known.

Who proved who they are is never refused for what strangers at the same address do. Not counted are style sheets and
scripts, the probe of health, and what bears a secret of its own: authentic webhooks and the tick.
"""

from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from autolynx.domain.actor import Actor
from autolynx.errors import RateLimited
from autolynx.settings import WEBHOOK_PATH, Settings
from autolynx.web.context import get_runtime
from autolynx.web.limiter import get_limiter
from autolynx.web.problems import error_answer, own_path

UNCOUNTED = frozenset({"/healthz", "/api/scheduler/tick", WEBHOOK_PATH})
ASSETS = "/assets/"
ERRORS_OF_UPLOADS = "/errors.csv"
READING = frozenset({"GET", "HEAD", "OPTIONS"})
# Where a file comes in; a list that comes in parts is counted once, where it begins.
_WHOLE_FILES = frozenset({("POST", "/api/uploads"), ("POST", "/api/uploads/parts")})
_FORMS_WITH_FILES = frozenset({("POST", "/api/campaigns")})
_FORM = "multipart/form-data"
_IPV6_NETWORK_BITS = 64  # what one customer is given: an address of it is chosen freely


@dataclass(frozen=True, kw_only=True)
class Limit:
    """A kind of request, and how many of it a caller may make in a minute; 0 for any number."""

    name: str
    per_minute: int


class CallerLimits:
    """ASGI middleware inside the guard: counts what a known caller asks, and what is open to everybody by address."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, or say when to come back."""
        if scope["type"] == "http" and _is_counted(scope):
            request = HTTPConnection(scope)
            try:
                await _count(request, scope["method"])
            except RateLimited as error:
                await error_answer(Request(scope, receive), error)(scope, receive, send)
                return
        await self._app(scope, receive, send)


class StrangerLimits:
    """ASGI middleware outside the guard: whoever is refused too often as nobody is told to wait."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on the answer; one that says 401 is counted by address first."""
        if scope["type"] != "http" or not _is_answer_counted(scope):
            await self._app(scope, receive, send)
            return
        is_replaced = False

        async def send_counted(message: Message) -> None:
            nonlocal is_replaced
            if message["type"] == "http.response.start" and message["status"] == 401:
                refusal = await _count_stranger(Request(scope, receive))
                if refusal is not None:
                    is_replaced = True
                    await refusal(scope, receive, send)
            if not is_replaced:
                await send(message)

        await self._app(scope, receive, send_counted)


async def _count(request: HTTPConnection, method: str) -> None:
    limiter, settings = get_limiter(request), get_runtime(request).settings
    who = caller_key(request)
    request.scope.setdefault("state", {})["is_counted"] = True
    for limit in limits_of(request, method, settings):
        await limiter.hit(limit.name, who, limit.per_minute)


async def _count_stranger(request: Request) -> Response | None:
    """Count a request that proved nothing, unless it was counted already. Returns an answer to one too many."""
    if getattr(request.state, "is_counted", False):
        return None
    most = get_runtime(request).settings.rate_limit_per_minute
    try:
        await get_limiter(request).hit("general", address_key(request), most)
    except RateLimited as error:
        return error_answer(request, error)
    return None


def limits_of(request: HTTPConnection, method: str, settings: Settings) -> list[Limit]:
    """Return what a request counts as.

    A browser that reads is told apart: its pages fetch by themselves what changes, plays recordings in pieces and
    opens streams, which no person should have to think of.
    """
    path = own_path(request.scope)
    if _is_upload(request, method, path):
        return [Limit(name="upload", per_minute=settings.rate_limit_uploads_per_minute)]
    if method in READING and path.endswith(".csv") and not path.endswith(ERRORS_OF_UPLOADS):
        return [Limit(name="export", per_minute=settings.rate_limit_exports_per_minute)]
    actor = getattr(request.state, "actor", None)
    if method in READING and actor is not None and actor.is_browser:
        return [Limit(name="pages", per_minute=settings.rate_limit_pages_per_minute)]
    return [Limit(name="general", per_minute=settings.rate_limit_per_minute)]


def caller_key(request: HTTPConnection) -> str:
    """Return who asks: the person, else the token, else the address."""
    actor: Actor | None = getattr(request.state, "actor", None)
    if actor is None:
        return address_key(request)
    return f"caller:{actor.user_id or actor.id}"


def address_key(request: HTTPConnection) -> str:
    """Return from where it is asked; of IPv6 the network that one customer has."""
    host = request.client.host if request.client else "unknown"
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return f"address:{host}"
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return f"address:{int(address) >> _IPV6_NETWORK_BITS:x}"
    return f"address:{getattr(address, 'ipv4_mapped', None) or address}"


def _is_upload(request: HTTPConnection, method: str, path: str) -> bool:
    if (method, path) in _WHOLE_FILES:
        return True
    has_file = request.headers.get("content-type", "").lower().startswith(_FORM)
    return has_file and (method, path) in _FORMS_WITH_FILES


def _is_counted(scope: Scope) -> bool:
    path = own_path(scope)
    return path not in UNCOUNTED and not path.startswith(ASSETS)


def _is_answer_counted(scope: Scope) -> bool:
    """Refused webhooks have a flood guard of their own; a tick with a wrong secret is a stranger."""
    path = own_path(scope)
    return path != WEBHOOK_PATH and not path.startswith(ASSETS)
