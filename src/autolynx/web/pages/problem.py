"""How a page shows that something went wrong: a page of its own, or a message where a part of one was asked for."""

from http import HTTPStatus
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from autolynx.web.pages.rendering import NEVER_KEPT, answer, is_htmx, notice, toast

_HEADINGS = {
    HTTPStatus.UNAUTHORIZED: "You are not signed in",
    HTTPStatus.FORBIDDEN: "This is not for you",
    HTTPStatus.NOT_FOUND: "There is nothing here",
    HTTPStatus.REQUEST_TIMEOUT: "That took too long",
    HTTPStatus.CONFLICT: "That is not possible now",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "That is too large",
    HTTPStatus.TOO_MANY_REQUESTS: "Too many requests",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Something broke on our side",
    HTTPStatus.SERVICE_UNAVAILABLE: "Not available at this moment",
}


def show_problem(request: Request, *, status: int, message: str) -> Response:
    """Return the answer: somebody signed out is led to the sign-in, a part of a page gets a message at its edge."""
    if is_htmx(request):
        if status == HTTPStatus.UNAUTHORIZED:
            return answer(status=status, HX_Redirect="/sign-in")
        return answer(toast(message, tone="bad"), status=status)
    if status == HTTPStatus.UNAUTHORIZED and request.method == "GET" and _is_navigation(request):
        return RedirectResponse(_sign_in(request), status_code=HTTPStatus.SEE_OTHER, headers=NEVER_KEPT)
    heading = _HEADINGS.get(HTTPStatus(status), "That did not work")
    return notice(request, status=status, heading=heading, sentence=message)


def _is_navigation(request: Request) -> bool:
    """Whether a browser wants to show a page: a stream or a program is told, and led nowhere."""
    return "text/html" in request.headers.get("accept", "")


def _sign_in(request: Request) -> str:
    """Return the address of the sign-in, which leads back to what was asked for."""
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return "/sign-in" if wanted == "/" else f"/sign-in?{urlencode({'next': wanted})}"
