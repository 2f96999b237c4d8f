"""The document of the API is kept: requests made up from it get the answers that it promises, and no others."""

import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import requests
import schemathesis
from anyio.from_thread import start_blocking_portal
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, CheckContext, GenerationMode, Response
from schemathesis.schemas import APIOperation as AnyOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from autolynx.store.database import Database
from autolynx.web.app import build_app
from autolynx.web.openapi import BESIDES
from tests.support.campaign_rows import add_call, add_event
from tests.support.engine import make_campaign, make_runtime, settings_for_test
from tests.support.sim import running_sim
from tests.support.web import HOOK_SECRET, NOWHERE, listening, running_web

EXAMPLES = 6
# A stream that lasts: what it refuses is tried here, what it sends in the tests of the feed.
STREAM = "/api/campaigns/{campaign_id}/events"
Ids = dict[str, str]
Operation = AnyOperation[Any, Any, Any, Any]


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A server with something of everything. `headers` let every door open; `ids` are there, by parameter."""

    url: str
    headers: dict[str, str]
    ids: Ids


@asynccontextmanager
async def _running(database_url: str) -> AsyncIterator[Stage]:
    database = await Database.open(database_url)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with (
            running_sim("--scenario", "all-answer") as sim,
            running_web(database, sim.url, PUBLIC_URL=url, TIME_SCALE=100) as web,
            listening(web.app, listener),
        ):
            token = web.client.headers["Authorization"]
            headers = {"Authorization": token, "X-Vapi-Secret": HOOK_SECRET}
            yield Stage(url=url, headers=headers, ids=await _furnish(database, web.client))
    await database.close()


async def _furnish(database: Database, client: Any) -> Ids:
    campaign_id = await make_campaign(database, contacts=3, name="Spring")
    call_id = await add_call(
        database, campaign_id, 0, provider_call_id="gone-at-the-provider", transcript_json={"text": "Hello"}
    )
    await add_event(database, campaign_id, call_id)
    csv = "name,business_name,phone\nAda,Acme,202-555-0143\nBob,Bold,12\n"
    upload = await client.post("/api/uploads", content=csv)
    assistants = await client.get("/api/assistants")
    token = await client.post("/api/tokens", json={"name": "spare"})
    return {
        "campaign_id": str(campaign_id),
        "call_id": str(call_id),
        "upload_id": upload.json()["uploadId"],
        "assistant_id": assistants.json()["assistants"][0]["id"],
        "token_id": token.json()["id"],
    }


@pytest.fixture
def stage(database_url: str) -> Iterator[Stage]:
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(_running(database_url)) as running:
        yield running


@pytest.fixture
def session(stage: Stage) -> Iterator[requests.Session]:
    with requests.Session() as opened:
        opened.headers.update(stage.headers)
        yield opened


def operations(document: dict[str, Any]) -> list[Operation]:
    """The operations of a document, those that take something away last."""
    found = [result.ok() for result in schemathesis.openapi.from_dict(document).get_all_operations()]
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


def problems_of(operation: Operation, stage: Stage, session: requests.Session, **how: Any) -> list[str]:
    """Try an operation with requests of one sort; returns what was wrong, at most one case of it."""

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(**how))
    def run(case: Case) -> None:
        answer = case.call(base_url=stage.url, session=session, timeout=20)
        case.validate_response(answer, checks=CHECKS)

    try:
        run()
    except Exception as error:  # every kind of failure is reported with its operation
        return [f"{operation.label} {how}: {error!r}"]
    return []


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_every_operation_answers_as_its_document_says(
    stage: Stage, session: requests.Session, mode: GenerationMode
) -> None:
    document = session.get(f"{stage.url}/api/openapi.json").json()
    found: list[str] = []
    for operation in operations(document):
        named = {name: value for name, value in stage.ids.items() if "{" + name + "}" in operation.path}
        found += problems_of(operation, stage, session, generation_mode=mode)
        if named and operation.path != STREAM:
            found += problems_of(operation, stage, session, generation_mode=mode, path_parameters=named)
    assert found == []
