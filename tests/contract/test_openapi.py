"""The document of the API is kept: requests made up from it get the answers that it promises, and no others."""

import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
import requests
import schemathesis
from anyio.from_thread import start_blocking_portal
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, CheckContext, GenerationMode, Response
from schemathesis.core.failures import FailureGroup
from schemathesis.schemas import APIOperation as AnyOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from autolynx.domain.permission import Role
from autolynx.store.database import Database
from autolynx.web.openapi import BESIDES
from tests.support.callers import callers_of
from tests.support.campaign_rows import add_call, add_event, change_campaign
from tests.support.engine import make_campaign
from tests.support.sim import TWILIO_MAIN, running_sim
from tests.support.web import listening, running_web

# The server runs in a thread beside us and rolls dice of its own; that is no business of the strategies.
pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies"),
]

EXAMPLES = {Role.ADMIN: 5, Role.OPERATOR: 2}  # to an operator many doors are shut, and all of them alike
JSON = "application/json"
PROVIDER_SECRET = "test-webhook-secret"  # the one that the simulator is told
ASSISTANT_SURVEY = "a0000000-0000-4000-8000-000000000002"
# A stream that lasts: what it refuses is tried here, what it sends in the tests of the feed.
STREAM = "/api/campaigns/{campaign_id}/events"
ANYTHING_GOES = {"/api/webhooks/vapi"}  # whatever JSON the provider sends is kept
Ids = dict[str, str]
Operation = AnyOperation[Any, Any, Any, Any]


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A server with something of everything. `headers` let in somebody of that role; `ids` are theirs, by parameter.

    `good` bodies, by operation, are those that luck does not find.
    """

    role: Role

    url: str
    headers: dict[str, str]
    ids: Ids
    good: dict[str, list[Any]]


@asynccontextmanager
async def _running(database_url: str, role: Role) -> AsyncIterator[Stage]:
    database = await Database.open(database_url)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with (
            running_sim("--scenario", "all-answer") as sim,
            running_web(
                database, sim.url, PUBLIC_URL=url, WEBHOOK_SHARED_SECRET=PROVIDER_SECRET, TIME_SCALE=100
            ) as web,
            listening(web.app, listener),
            callers_of(web) as callers,
        ):
            program = await callers.program("somebody@example.com", role)
            headers = {"Authorization": program.headers["Authorization"], "X-Vapi-Secret": PROVIDER_SECRET}
            owner = await callers.person("somebody@example.com", role)
            ids = await _furnish(database, web.client, program, owner_id=owner.id)
            yield Stage(role=role, url=url, headers=headers, ids=ids, good=_good(ids))
    await database.close()


async def _furnish(database: Database, admin: Any, program: Any, *, owner_id: UUID) -> Ids:
    campaign_id = await make_campaign(database, contacts=3, name="Spring")
    await change_campaign(database, campaign_id, owner_id=owner_id)
    call_id = await add_call(
        database, campaign_id, 0, provider_call_id="gone-at-the-provider", transcript_json={"text": "Hello"}
    )
    await add_event(database, campaign_id, call_id)
    csv = "name,business_name,phone\nAda,Acme,202-555-0143\nBob,Bold,12\n"
    upload = await program.post("/api/uploads", content=csv)
    assistants = await admin.get("/api/assistants")
    assistant_id = next(one["id"] for one in assistants.json()["assistants"] if one["source"] != "template")
    await admin.patch(f"/api/assistants/{assistant_id}", json={"config": {"firstMessage": "Hello"}})  # two versions
    token = await program.post("/api/tokens", json={"name": "spare"})
    return {
        "campaign_id": str(campaign_id),
        "call_id": str(call_id),
        "upload_id": upload.json()["uploadId"],
        "assistant_id": assistant_id,
        "version": "1",
        "token_id": token.json()["id"],
    }


def _good(ids: Ids) -> dict[str, list[Any]]:
    assistant = {"name": "Robin", "config": {"firstMessage": "Hello {{name}}"}}
    campaign = {
        "assistantId": ids["assistant_id"],
        "uploadId": ids["upload_id"],
        "phoneNumberId": TWILIO_MAIN,
        "name": "Summer",
    }
    return {
        "POST /api/assistants": [assistant, assistant],  # the second time the name is taken
        "POST /api/assistants/import": [{"providerAssistantId": ASSISTANT_SURVEY}] * 2,
        "PATCH /api/assistants/{assistant_id}": [{"config": {"firstMessage": "Good morning"}}],
        "POST /api/assistants/{assistant_id}/drift": [{"take": "ours"}, {"take": "theirs"}],
        "POST /api/assistants/{assistant_id}/test-call": [{"phone": "202-555-0199", "phoneNumberId": TWILIO_MAIN}],
        "POST /api/campaigns": [campaign, campaign, {**campaign, "name": "Autumn", "again": True}],
    }


@pytest.fixture(params=[Role.ADMIN, Role.OPERATOR])
def stage(database_url: str, request: pytest.FixtureRequest) -> Iterator[Stage]:
    opening = _running(database_url, request.param)
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(opening) as running:
        yield running


@pytest.fixture
def session(stage: Stage) -> Iterator[requests.Session]:
    with requests.Session() as opened:
        opened.headers.update(stage.headers)
        yield opened


def operations(document: dict[str, Any]) -> list[Operation]:
    """All operations of a document, those that take something away last."""
    found = [result.ok() for result in schemathesis.openapi.from_dict(document).get_all_operations()]
    assert {one.label for one in found} == described(document).keys(), "some were left out"
    return sorted(found, key=lambda one: ["get", "post", "put", "patch", "delete"].index(one.method))


def fails_as_documented(_context: CheckContext, response: Response, _case: Case) -> bool | None:
    """A 5xx is only ever the provider's refusal, told as such."""
    assert response.status_code < 500 or (
        response.status_code == 502 and response.json()["error"]["code"] == "PROVIDER_ERROR"
    ), response.text
    return None


CHECKS = [
    fails_as_documented,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]


def problems_of(operation: Operation, stage: Stage, session: requests.Session, *, most: int, **how: Any) -> list[str]:
    """Try an operation with requests of one sort; returns what was wrong, at most one case of it."""

    @settings(
        max_examples=most,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(headers=stage.headers, **how))
    def run(case: Case) -> None:
        answer = case.call(base_url=stage.url, session=session, timeout=20)
        case.validate_response(answer, checks=CHECKS)

    try:
        run()
    except Unsatisfiable:
        assert operation.path in ANYTHING_GOES, operation.label
    except (Exception, FailureGroup) as error:  # noqa: BLE001 - every kind of failure is told with its operation
        return [f"{operation.label} {how}: {error!r}"]
    return []


def ids_in(operation: Operation, stage: Stage) -> Ids:
    return {name: value for name, value in stage.ids.items() if "{" + name + "}" in operation.path}


def test_what_fits_the_document_is_answered_as_it_says(stage: Stage, session: requests.Session) -> None:
    found: list[str] = []
    for operation in operations(session.get(f"{stage.url}/api/openapi.json").json()):
        ids = ids_in(operation, stage)
        if ids:  # of things that are not there
            found += problems_of(operation, stage, session, most=1)
        for body in stage.good.get(operation.label, ()):
            found += problems_of(
                operation, stage, session, most=1, path_parameters=ids or None, body=body, media_type=JSON
            )
        if operation.path != STREAM:
            most = EXAMPLES[stage.role] if operation.body or operation.query else 2
            found += problems_of(operation, stage, session, most=most, path_parameters=ids or None)
    assert found == []


def test_what_does_not_fit_the_document_is_refused_as_it_says(stage: Stage, session: requests.Session) -> None:
    found: list[str] = []
    negative = GenerationMode.NEGATIVE
    for operation in operations(session.get(f"{stage.url}/api/openapi.json").json()):
        if not (operation.body or operation.query or operation.path_parameters):
            continue  # there is nothing to be wrong
        has_more = operation.path != STREAM and (operation.body or operation.query)
        ids = ids_in(operation, stage) if has_more else {}
        found += problems_of(
            operation,
            stage,
            session,
            most=EXAMPLES[stage.role],
            generation_mode=negative,
            path_parameters=ids or None,
        )
    assert found == []


async def test_the_document_tells_of_every_failure_in_the_one_envelope(database: Database) -> None:
    async with running_web(database) as web:
        document = (await web.stranger.get("/api/openapi.json")).json()
    assert "HTTPValidationError" not in document["components"]["schemas"]
    assert all("422" not in one["responses"] for one in described(document).values())
    envelope = {"$ref": "#/components/schemas/ErrorAnswer"}
    for response in document["components"]["responses"].values():
        assert response["content"]["application/json"]["schema"] == envelope
    for label, one in described(document).items():
        assert {"400", "401", "500", "503"} <= set(one["responses"]), label


async def test_failures_are_told_of_operations_that_exist(database: Database) -> None:
    async with running_web(database) as web:
        assert set(BESIDES) <= set(described(web.app.openapi()))


def described(document: dict[str, Any]) -> dict[str, Any]:
    return {f"{method.upper()} {path}": one for path, item in document["paths"].items() for method, one in item.items()}
