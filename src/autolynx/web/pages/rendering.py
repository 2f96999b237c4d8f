"""Turning views into pages: templates, what every page carries, and the plain notices."""

from http import HTTPStatus
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from autolynx.flows.access import csrf_for
from autolynx.settings import VAPI_API, Settings
from autolynx.web.auth import SESSION_COOKIE
from autolynx.web.context import get_runtime
from autolynx.web.pages.words import status_word
from autolynx.web.served_assets import asset_address

NEVER_KEPT = {"Cache-Control": "no-store"}
_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parents[1] / "templates"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.filters["status_word"] = status_word
_templates.globals["asset"] = asset_address


def render(request: Request, template: str, *, status: int = HTTPStatus.OK, **values: Any) -> Response:
    """Return a page; every page knows the session's CSRF token and whether the calls are real."""
    secret = request.cookies.get(SESSION_COOKIE)
    html = _templates.get_template(template).render(
        csrf_token=csrf_for(secret) if secret else None,
        simulation=simulation(get_runtime(request).settings),
        **values,
    )
    return HTMLResponse(html, status_code=status, headers=NEVER_KEPT)


def notice(request: Request, *, status: int, heading: str, sentence: str, command: str | None = None) -> Response:
    """Return a page that says one thing, and what to do about it."""
    return render(request, "notice.html", status=status, heading=heading, sentence=sentence, command=command)


def signed_out(request: Request) -> Response:
    """Return the page of somebody who is not signed in."""
    return notice(
        request,
        status=HTTPStatus.UNAUTHORIZED,
        heading="You are not signed in",
        sentence="Get a one-time sign-in link in the terminal where AutoLynx runs, and open it here:",
        command="autolynx link",
    )


def simulation(settings: Settings) -> str | None:
    """Say that nobody is really called, where the provider is not the real one."""
    if settings.vapi_base_url == VAPI_API:
        return None
    return (
        f"Simulated calls · {settings.time_scale:g}\N{MULTIPLICATION SIGN} speed"
        if settings.time_scale > 1
        else "Simulated calls"
    )
