"""How a page shows that something went wrong: a page of its own, or a message where a part of one was asked for."""

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from autolynx.web.pages.rendering import answer, is_htmx, notice, toast

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
_SIGN_IN = "Get a one-time sign-in link in the terminal where AutoLynx runs, and open it here:"


def show_problem(request: Request, *, status: int, message: str) -> Response:
    """Return the answer: somebody signed out is led to the sign-in, a part of a page gets a message at its edge."""
    if is_htmx(request):
        if status == HTTPStatus.UNAUTHORIZED:
            return answer(status=status, HX_Redirect="/")
        return answer(toast(message, tone="bad"), status=status)
    if status == HTTPStatus.UNAUTHORIZED:
        heading = _HEADINGS[HTTPStatus.UNAUTHORIZED]
        return notice(request, status=status, heading=heading, sentence=_SIGN_IN, command="autolynx link")
    heading = _HEADINGS.get(HTTPStatus(status), "That did not work")
    return notice(request, status=status, heading=heading, sentence=message)
