"""Turning views into pages and fragments: templates, what every page carries, and the plain notices."""

import hashlib
import secrets
from http import HTTPStatus
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from autolynx.domain.actor import Actor
from autolynx.flows.access import csrf_for
from autolynx.settings import VAPI_API, Settings
from autolynx.store import feed
from autolynx.web.auth import SESSION_COOKIE
from autolynx.web.context import get_runtime
from autolynx.web.masking import masked
from autolynx.web.pages.account_view import account_view
from autolynx.web.pages.times import ago, coming, moment
from autolynx.web.pages.words import count, money, status_word
from autolynx.web.served_assets import asset_address

NEVER_KEPT = {"Cache-Control": "no-store"}
# The navigation: key, word, address.
SECTIONS = (
    ("campaigns", "Campaigns", "/"),
    ("assistants", "Assistants", "/assistants"),
    ("analytics", "Analytics", "/analytics"),
    ("system", "System", "/system"),
)
POLL_SECONDS = 2  # in a function, which cannot stream
_MASK = secrets.token_hex(24)  # stands in a page for the CSRF token until the page is sent
TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parents[1] / "templates"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
)
TEMPLATES.filters |= {
    "status_word": status_word,
    "moment": moment,
    "ago": ago,
    "coming": coming,
    "count": count,
    "money": money,
}
TEMPLATES.globals["sections"] = SECTIONS
TEMPLATES.globals["asset"] = asset_address


def fragment(template: str, **values: Any) -> str:
    """Return a piece of a page. It may go to many readers: nothing of a session is in it."""
    return TEMPLATES.get_template(template).render(**values)


async def page(
    request: Request,
    template: str,
    *,
    section: str,
    status: int = HTTPStatus.OK,
    live: str | None = None,
    **values: Any,
) -> Response:
    """Return a whole page, with the account's banner and figures as they are now.

    `section` is the entry of the navigation it belongs to; `live` is the address of its stream, which in a function
    is replaced by polling. A page that has not changed since the ETag of If-None-Match is answered by 304.
    """
    runtime = get_runtime(request)
    async with runtime.database.connection() as conn:
        seen = await feed.look_at_account(conn)
    account = account_view(seen, runtime.settings.pacing, runtime.clock.now())
    streams = runtime.settings.runtime == "server"
    html = _whole(
        request,
        template,
        section=section,
        account=account,
        live=_stream_address(live, account.stamp) if streams else None,
        live_id=_stream_id(live),
        poll_seconds=POLL_SECONDS if live and not streams else None,
        **values,
    )
    return _unless_known(request, html, status)


def bare_page(request: Request, template: str, *, status: int = HTTPStatus.OK, **values: Any) -> Response:
    """Return a page for somebody who is not signed in. It asks the database nothing, and nobody keeps it."""
    html = _whole(request, template, section="", account=None, live=None, poll_seconds=None, **values)
    return HTMLResponse(_as_sent(request, html), status_code=status, headers=NEVER_KEPT)


def notice(request: Request, *, status: int, heading: str, sentence: str, command: str | None = None) -> Response:
    """Return a page that says one thing, and what to do about it. It asks the database nothing.

    What was asked for is not repeated: somebody may have typed a name or a number into the address.
    """
    values = {"path": "/", "heading": heading, "sentence": sentence, "command": command}
    html = _whole(request, "notice.html", section="", account=None, live=None, poll_seconds=None, **values)
    return HTMLResponse(_as_sent(request, html), status_code=status, headers=NEVER_KEPT)


def toast(text: str, *, tone: str = "good", undo: str | None = None) -> str:
    """Return a short message that appears at the edge of the page; `tone` is good or bad.

    `undo` is the address that takes back what was done.
    """
    return fragment("toast.html", text=text, tone=tone, undo=undo)


def answer(*parts: str, status: int = HTTPStatus.OK, **headers: str) -> Response:
    """Return fragments to a page that asked for them by htmx."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HTMLResponse("".join(parts), status_code=status, headers={**NEVER_KEPT, **named})


def is_htmx(request: Request) -> bool:
    """Whether a page asks for a fragment, rather than a browser for a page."""
    return request.headers.get("hx-request") == "true"


def simulation(settings: Settings) -> str | None:
    """Say that nobody is really called, where the provider is not the real one."""
    if settings.vapi_base_url == VAPI_API:
        return None
    return (
        f"Simulated calls · {settings.time_scale:g}\N{MULTIPLICATION SIGN} speed"
        if settings.time_scale > 1
        else "Simulated calls"
    )


def _whole(request: Request, template: str, **values: Any) -> str:
    actor: Actor | None = getattr(request.state, "actor", None)
    return fragment(
        template,
        csrf_token=_MASK if _csrf(request) else None,
        actor=actor,
        may=actor.may if actor else _may_nothing,
        sees_all=actor is not None and actor.sees_only is None,
        simulation=simulation(get_runtime(request).settings),
        **{"path": _own_address(request), **values},
    )


def _may_nothing(_permission: str) -> bool:
    return False


def _own_address(request: Request) -> str:
    query = request.url.query
    return request.url.path + (f"?{query}" if query else "")


def _stream_address(live: str | None, stamp: str) -> str:
    address = live or "/live"
    return f"{address}{'&' if '?' in address else '?'}stamp={stamp}"


def _stream_id(live: str | None) -> str:
    """Return a name for what a stream watches; from where on it is watched is no part of it."""
    watched = (live or "").partition("&after=")[0]
    return hashlib.blake2b(watched.encode(), digest_size=6).hexdigest()


def _unless_known(request: Request, html: str, status: int) -> Response:
    content = f"{_csrf(request)} {html}".encode()  # of this session: the mask is not new as long as the page is not
    tag = f'W/"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'
    headers = {**NEVER_KEPT, "ETag": tag}
    if status == HTTPStatus.OK and request.headers.get("if-none-match") == tag:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return HTMLResponse(_as_sent(request, html), status_code=status, headers=headers)


def _csrf(request: Request) -> str | None:
    secret = request.cookies.get(SESSION_COOKIE)
    return csrf_for(secret) if secret else None


def _as_sent(request: Request, html: str) -> str:
    """Put the session's CSRF token where its place is, behind a new mask."""
    token = _csrf(request)
    return html.replace(_MASK, masked(token)) if token else html
