"""The document of the API: what the routes say of themselves, and here, for all of them, how each may fail."""

from datetime import datetime
from typing import Any

from fastapi import FastAPI
from pydantic import Field
from pydantic.json_schema import models_json_schema

from autolynx.errors import KINDS
from autolynx.web.entries import ENTRIES
from autolynx.web.shapes import Shape

Document = dict[str, Any]
_REFERENCE = "#/components/schemas/{model}"
_JSON = "application/json"
_UNSAFE = frozenset({"post", "put", "patch", "delete"})
_ALWAYS = (400, 401, 500, 503)
_MEANINGS = {
    400: "Something that was sent is not as it must be; `details.field` names it.",
    401: "Nobody is signed in, or the token or secret is wrong.",
    403: "Not for this role or this token's scopes, or a browser did not send its session's token as X-CSRF-Token.",
    404: "There is no such thing (any more).",
    409: "Not possible in the present state, a name that is taken, or an Idempotency-Key that is in use.",
    413: "The body is over a limit, which `details.limitBytes` names.",
    429: "Refused too often within a minute; Retry-After says when to come back.",
    500: "Something went wrong on our side; nothing of its inside is told.",
    502: "The voice provider refused, broke, or could not be asked.",
    503: "The database cannot be reached; Retry-After says when to come back.",
}
# What follows from neither the method nor the address of an operation.
BESIDES: dict[str, tuple[int, ...]] = {
    "POST /api/assistants": (409, 502),
    "GET /api/assistants/importable": (502,),
    "POST /api/assistants/import": (404, 409, 502),
    "PATCH /api/assistants/{assistant_id}": (409, 502),
    "DELETE /api/assistants/{assistant_id}": (409,),
    "POST /api/assistants/{assistant_id}/clone": (409, 502),
    "POST /api/assistants/{assistant_id}/versions/{version}/restore": (409, 502),
    "GET /api/assistants/{assistant_id}/drift": (409, 502),
    "POST /api/assistants/{assistant_id}/drift": (409, 502),
    "POST /api/assistants/{assistant_id}/test-call": (409, 502),
    "GET /api/phone-numbers": (502,),
    "POST /api/uploads": (409,),
    "PUT /api/uploads/{upload_id}/parts/{number}": (409,),
    "POST /api/uploads/{upload_id}/finish": (409,),
    "POST /api/campaigns": (404, 409, 502),
    "POST /api/campaigns/plan": (404,),
    "POST /api/campaigns/{campaign_id}/follow-up": (409, 502),
    "PATCH /api/campaigns/{campaign_id}": (409, 502),
    "DELETE /api/campaigns/{campaign_id}": (409,),
    "POST /api/campaigns/{campaign_id}/start": (409,),
    "POST /api/campaigns/{campaign_id}/pause": (409,),
    "POST /api/campaigns/{campaign_id}/resume": (409,),
    "POST /api/campaigns/{campaign_id}/stop": (409,),
    "GET /api/calls/{call_id}/recording": (502,),
    "POST /api/unsure/{call_id}": (409,),
    "GET /api/health/phone-line": (404,),
    "GET /api/analytics": (404,),
    "GET /api/analytics.csv": (404,),
    "POST /api/scheduler/tick": (403, 404),
    "GET /api/scheduler/tick": (403, 404),
    "POST /api/session": (429,),
    "POST /api/webhooks/vapi": (429,),
}


class ErrorShape(Shape):
    """What went wrong, in one sentence; `details` are facts for programs, often the `field`."""

    code: str = Field(json_schema_extra={"enum": [*sorted({kind.code for kind in KINDS.values()})]})
    message: str
    details: dict[str, Any]
    timestamp: datetime


class ErrorAnswer(Shape):
    """How everything fails."""

    error: ErrorShape


class DescribedApp(FastAPI):
    """An application whose document says how each operation may fail."""

    def openapi(self) -> Document:
        """Return the document, described to its end once."""
        document = super().openapi()
        if "ErrorAnswer" not in document["components"]["schemas"]:
            _describe(document)
        return document


def _describe(document: Document) -> None:
    schemas = document["components"]["schemas"]
    for unused in ("HTTPValidationError", "ValidationError"):  # the framework's words for a 422, which nobody gets
        schemas.pop(unused, None)
    _, made = models_json_schema([(ErrorAnswer, "serialization")], ref_template=_REFERENCE)
    schemas |= made["$defs"]
    document["components"]["responses"] = {f"Error{status}": _response(status) for status in _MEANINGS}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            _add_failures(operation, _failures(path, method, operation))


def _failures(path: str, method: str, operation: Document) -> set[int]:
    """Return the statuses by which an operation may fail."""
    label = f"{method.upper()} {path}"
    found = {*_ALWAYS, *BESIDES.get(label, ())}
    if "{" in path:
        found.add(404)
    if "requestBody" in operation:
        found.add(413)
    by_cookie = any("APIKeyCookie" in scheme for scheme in operation.get("security", ()))
    if ENTRIES.get(label) is not None or (method in _UNSAFE and by_cookie):
        found.add(403)
    return found


def _add_failures(operation: Document, statuses: set[int]) -> None:
    responses = operation["responses"]
    responses.pop("422", None)
    for status in sorted(statuses):
        own = responses.get(str(status))
        if own is None:
            responses[str(status)] = {"$ref": f"#/components/responses/Error{status}"}
        else:  # the operation has an answer of its own under this status
            own["content"][_JSON]["schema"] = {"anyOf": [own["content"][_JSON]["schema"], _schema()]}
    operation["responses"] = dict(sorted(responses.items()))


def _response(status: int) -> Document:
    response: Document = {"description": _MEANINGS[status], "content": {_JSON: {"schema": _schema()}}}
    if status in {429, 503}:
        response["headers"] = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer", "minimum": 1}}}
    return response


def _schema() -> Document:
    return {"$ref": _REFERENCE.format(model="ErrorAnswer")}
