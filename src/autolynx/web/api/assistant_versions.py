"""Versions, drift and test calls of assistants over JSON."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query
from starlette.responses import JSONResponse

from autolynx.flows.assistant_drift import find_drift, take_side
from autolynx.flows.assistant_versions import compare_version, list_versions, restore_version
from autolynx.flows.test_call import TestCall, place_test_call
from autolynx.web.api.assistants import MOST_PAGES, AssistantShape
from autolynx.web.auth import CallerDep
from autolynx.web.context import LaunchingDep, RuntimeDep
from autolynx.web.idempotency import OnceDep
from autolynx.web.shapes import Pagination
from autolynx.web.shapes_assistants import (
    DriftChoice,
    DriftShown,
    TestCallAnswer,
    TestCallInput,
    VersionItem,
    VersionPage,
    VersionShown,
)

router = APIRouter(prefix="/api", tags=["assistants"])

MOST_VERSIONS = 2_000_000_000
Number = Annotated[int, Path(ge=1, le=MOST_VERSIONS)]


@router.get("/assistants/{assistant_id}/versions", summary="List the versions of an assistant")
async def list_all(
    assistant_id: UUID,
    runtime: RuntimeDep,
    _actor: CallerDep,
    *,
    page: Annotated[int, Query(ge=1, le=MOST_PAGES)] = 1,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> VersionPage:
    """Return who changed what and when, the latest first. A template has none."""
    found = await list_versions(runtime, assistant_id, page=page, limit=limit)
    return VersionPage(
        versions=[VersionItem.of(one) for one in found.versions],
        pagination=Pagination.of(page=page, limit=limit, total=found.total),
    )


@router.get("/assistants/{assistant_id}/versions/{version}", summary="Show a version of an assistant")
async def show(
    assistant_id: UUID,
    version: Number,
    runtime: RuntimeDep,
    _actor: CallerDep,
    against: Annotated[int | None, Query(ge=1, le=MOST_VERSIONS)] = None,
) -> VersionShown:
    """Return a version and what differs from version `against`, the one before it unless told otherwise."""
    return VersionShown.of(await compare_version(runtime, assistant_id, version, against=against))


@router.post("/assistants/{assistant_id}/versions/{version}/restore", summary="Restore a version of an assistant")
async def restore(assistant_id: UUID, version: Number, runtime: RuntimeDep, actor: CallerDep) -> AssistantShape:
    """Make the assistant what it was, at the provider first; what the version lacks is unset. Leaves a version."""
    return AssistantShape.of(await restore_version(runtime, assistant_id, version, actor=actor.name))


@router.get("/assistants/{assistant_id}/drift", summary="Compare an assistant with the provider's")
async def show_drift(assistant_id: UUID, runtime: RuntimeDep, _actor: CallerDep) -> DriftShown:
    """Ask the provider what it has at this moment, and say what differs from ours."""
    return DriftShown.of(await find_drift(runtime, assistant_id))


@router.post("/assistants/{assistant_id}/drift", summary="Take either side of a drift")
async def end_drift(assistant_id: UUID, body: DriftChoice, runtime: RuntimeDep, actor: CallerDep) -> AssistantShape:
    """Write ours to the provider, or the provider's into the directory, where it leaves a version."""
    return AssistantShape.of(await take_side(runtime, assistant_id, body.take, actor=actor.name))


@router.post(
    "/assistants/{assistant_id}/test-call",
    status_code=201,
    response_model=TestCallAnswer,
    summary="Call one number with an assistant",
)
async def test_call(
    assistant_id: UUID,
    body: TestCallInput,
    *,
    runtime: RuntimeDep,
    actor: CallerDep,
    launching: LaunchingDep,
    once: OnceDep,
) -> JSONResponse:
    """Call one number at once, as a campaign of one contact that lists and figures leave out."""
    wanted = TestCall(**body.model_dump())

    async def work() -> TestCallAnswer:
        campaign = await place_test_call(runtime, assistant_id, wanted, by=actor.maker)
        await launching.work_added()
        message = "The call goes out now; follow it as the campaign of this id."
        return TestCallAnswer(campaign_id=campaign.id, name=campaign.name, status=campaign.status, message=message)

    asked = {"assistantId": str(assistant_id), **body.model_dump(mode="json")}
    return await once.answer(asked, work, status=201)
