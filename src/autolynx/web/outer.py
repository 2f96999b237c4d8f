"""The outermost layer of every answer: security headers, limits that hold before routing, and no crash that shows."""

from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from autolynx.errors import AutolynxError, ValidationProblem
from autolynx.origin import acting_from
from autolynx.runtime import Runtime
from autolynx.web.bodies import IncomingBody, check_length, most_bytes
from autolynx.web.context import get_runtime
from autolynx.web.hosts import check_host, check_origin
from autolynx.web.problems import error_answer, unexpected_response
from autolynx.web.proxies import as_seen_by_proxies

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "media-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
# Names in small letters, as ASGI wants them.
_HEADERS = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=()"),
)
_TRANSPORT_SECURITY = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")
_NO_STORE = (b"cache-control", b"no-store")


class Outer:
    """ASGI middleware around everything else."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, whatever happens inside."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        runtime = get_runtime(HTTPConnection(scope))
        settings = runtime.settings
        scope = as_seen_by_proxies(scope, settings.trusted_proxies)
        connection = HTTPConnection(scope)
        has_begun = False

        async def send_with_headers(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                _add_headers(message, path=scope["path"], is_https=_is_https(runtime))
            await send(message)

        try:
            _check_address(scope)
            check_host(connection, settings)
            check_origin(connection, scope["method"], settings)
            most = most_bytes(connection, settings)
            check_length(connection, most)
            body = IncomingBody(receive, most=most, seconds=settings.body_timeout_seconds)
            with acting_from(client_address(connection)):
                await self._app(scope, body, send_with_headers)
        except ClientDisconnect:
            return  # nobody is there to be answered
        except Exception as error:  # noqa: BLE001 - the last line: nothing may show its internals
            response = _answer(Request(scope, receive), error)
            if has_begun:
                raise ConnectionAbortedError("The answer broke off half-way.") from None
            await response(scope, receive, send_with_headers)


def client_address(connection: HTTPConnection) -> str:
    """Return the address that a request came from, as the server in front of us tells it."""
    return connection.client.host if connection.client else "unknown"


def _answer(request: Request, error: Exception) -> Response:
    if isinstance(error, AutolynxError):
        return error_answer(request, error)
    return unexpected_response(request, error)


def _add_headers(message: Message, *, path: str, is_https: bool) -> None:
    """Add what the answer does not say by itself."""
    headers: list[tuple[bytes, bytes]] = message.setdefault("headers", [])
    said = {name for name, _ in headers}
    ours = [
        *_HEADERS,
        *((_TRANSPORT_SECURITY,) if is_https else ()),
        *((_NO_STORE,) if path.startswith("/api/") else ()),
    ]
    message["headers"] = [*headers, *(header for header in ours if header[0] not in said)]


def _is_https(runtime: Runtime) -> bool:
    return runtime.settings.public_url.startswith("https://")


def _check_address(scope: Scope) -> None:
    """Refuse NUL in path and query at once: no database can be asked about it."""
    if "\x00" in scope["path"] or b"%00" in scope.get("query_string", b""):
        raise ValidationProblem("The address contains a NUL character; remove it.", field="url")
