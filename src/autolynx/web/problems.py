"""Every error leaves in one envelope: {"error": {"code", "message", "details", "timestamp"}}."""

import math
import traceback
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, Response
from starlette.types import Scope

from autolynx.errors import AutolynxError, DatabaseUnavailable, ValidationProblem, kind_of
from autolynx.log import log
from autolynx.web.context import get_runtime

UNAVAILABLE_RETRY_SECONDS = 5
LONGEST_FIELD = 100
_HTTP_WORDS = {
    400: ("VALIDATION_ERROR", "The request could not be read; send a body of the documented form."),
    401: ("UNAUTHORIZED", "Sign in, or send a valid token."),
    403: ("FORBIDDEN", "This is not allowed."),
    404: ("NOT_FOUND", "There is nothing at this address."),
    405: ("METHOD_NOT_ALLOWED", "This address does not answer to that method."),
    408: ("REQUEST_TIMEOUT", "The body came too slowly; send it again over a better connection."),
    413: ("PAYLOAD_TOO_LARGE", "The body is larger than this server accepts."),
    429: ("RATE_LIMITED", "Too many requests; come back later."),
}
_PROBLEM_WORDS = {
    "missing": "is required",
    "extra_forbidden": "is not a known field; remove it",
    "json_invalid": "the body is not valid JSON",
    "uuid_parsing": "must be a UUID",
    "uuid_type": "must be a UUID",
    "model_attributes_type": "must be a JSON object, sent as Content-Type: application/json",
}


def error_body(*, code: str, message: str, details: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Return the envelope."""
    return {
        "error": {
            "code": code,
            "message": message,
            "details": dict(details),
            "timestamp": now.isoformat().replace("+00:00", "Z"),
        }
    }


def error_answer(request: Request, error: AutolynxError) -> Response:
    """Return our error as the caller can read it: a page or a message for people, the envelope for programs."""
    if is_api(request) and not is_visited(request):
        return error_response(error, now=get_runtime(request).clock.now())
    shown = error_response(error, now=get_runtime(request).clock.now())
    return _shown(request, status=shown.status_code, message=error.message, headers=shown.headers)


def is_visited(request: HTTPConnection) -> bool:
    """Whether a browser goes there itself, as it does to download a file: then a person reads the answer."""
    return request.headers.get("accept", "").startswith("text/html")


def is_api(request: HTTPConnection) -> bool:
    """Whether JSON is read there: everywhere but at the addresses of pages."""
    return own_path(request.scope).startswith(("/api/", "/assets/", "/healthz"))


def own_path(scope: Scope) -> str:
    """Return the path of a request within the application."""
    root = scope.get("app_root_path", scope.get("root_path", ""))  # the application's own, also inside a mount
    path: str = scope["path"]
    return path.removeprefix(root)


def _shown(request: Request, *, status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return a page's answer. The pages put into the application's state how they show a problem."""
    kept = {name: value for name, value in (headers or {}).items() if name.lower() == "retry-after"}
    response: Response = request.app.state.show_problem(request, status=status, message=message)
    response.headers.update(kept)
    return response


def error_response(error: AutolynxError, *, now: datetime) -> JSONResponse:
    """Return our error as an answer; one that says when to come back bears Retry-After."""
    kind = kind_of(error)
    headers: dict[str, str] = {}
    wait = error.details.get("retryAfterSeconds")
    if wait is None and isinstance(error, DatabaseUnavailable):
        wait = UNAVAILABLE_RETRY_SECONDS
    if wait is not None:
        headers["Retry-After"] = str(max(1, math.ceil(wait)))
    if kind.http_status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    body = error_body(code=kind.code, message=error.message, details=error.details, now=now)
    return JSONResponse(body, status_code=kind.http_status, headers=headers)


def unexpected_response(request: Request, error: BaseException) -> Response:
    """Return a 500 without internals. The log gets the places in the code, never the values that were there."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    places = " ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames)
    log.error("web.unexpected", path=request.scope["path"], error=type(error).__name__, at=places)
    message = "Something went wrong on our side; the log of the server says where."
    if not is_api(request):
        return _shown(request, status=500, message=message)
    now = get_runtime(request).clock.now()
    return JSONResponse(error_body(code="INTERNAL_ERROR", message=message, details={}, now=now), status_code=500)


def install_handlers(app: FastAPI) -> None:
    """Turn everything that a route may raise into the envelope."""
    app.add_exception_handler(AutolynxError, _on_our_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_exception)


async def _on_our_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, AutolynxError)  # noqa: S101 - registered for nothing else
    if kind_of(error).http_status >= 500:
        log.warning("web.failed", path=request.url.path, error=type(error).__name__, reason=error.message)
    return error_answer(request, error)


async def _on_invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for nothing else
    return error_answer(request, validation_problem(error.errors()))


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for nothing else
    return http_answer(request, error.status_code, headers=error.headers)


def http_answer(request: Request, status: int, *, headers: Mapping[str, str] | None = None) -> Response:
    """Return an answer that is about HTTP alone, as the caller can read it."""
    code, message = _HTTP_WORDS.get(status, ("INTERNAL_ERROR", "The request could not be answered."))
    if not is_api(request):
        return _shown(request, status=status, message=message, headers=headers)
    body = error_body(code=code, message=message, details={}, now=get_runtime(request).clock.now())
    return JSONResponse(body, status_code=status, headers=headers)


def validation_problem(errors: Sequence[Any]) -> ValidationProblem:
    """Return what a validator found as one sentence, with all fields in the details; values are not repeated."""
    problems = [_problem(error) for error in errors[:20]] or [{"field": "body", "message": "is not valid"}]
    first = problems[0]
    return ValidationProblem(
        f"{first['field']}: {first['message']}.", field=first["field"], details={"problems": problems}
    )


def _problem(error: Mapping[str, Any]) -> dict[str, str]:
    place = [str(part) for part in error["loc"]]
    if error["type"] == "json_invalid":
        place = place[:1]
    elif len(place) > 1 and place[0] in {"body", "query", "path", "header", "cookie"}:
        place = place[1:]
    text = _PROBLEM_WORDS.get(error["type"]) or str(error["msg"]).removeprefix("Value error, ").rstrip(".")
    return {"field": ".".join(place)[:LONGEST_FIELD] or "body", "message": text[:1].lower() + text[1:]}
