"""The directory of assistants over JSON."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from autolynx.domain.assistant import Assistant, AssistantSource
from autolynx.domain.assistant_usage import Usage
from autolynx.flows import assistant_import
from autolynx.flows import assistants as flow
from autolynx.store import directory
from autolynx.store.directory import DirectoryFilter, DirectoryRow
from autolynx.web.auth import CallerDep
from autolynx.web.context import RuntimeDep
from autolynx.web.shapes import Input, Pagination, Shape

router = APIRouter(prefix="/api", tags=["assistants"])

MOST_PAGES = 1_000_000
Name = Annotated[str, Field(description="1 to 40 characters, unique in any case.")]
Config = Annotated[dict[str, Any], Field(description="The provider's assistant object, without its name.")]


class AssistantShape(Shape):
    """An assistant of the directory."""

    id: UUID
    name: str
    source: AssistantSource
    provider: str
    provider_assistant_id: str | None
    config: dict[str, Any]
    active: bool
    ephemeral: bool
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, assistant: Assistant) -> "AssistantShape":
        """Show an assistant."""
        return cls(
            id=assistant.id,
            name=assistant.name,
            source=assistant.source,
            provider=assistant.provider,
            provider_assistant_id=assistant.provider_assistant_id,
            config=dict(assistant.config),
            active=assistant.active,
            ephemeral=assistant.ephemeral,
            created_at=assistant.created_at,
            updated_at=assistant.updated_at,
        )


class UsageShape(Shape):
    """What an assistant was used for: campaigns that you see, and the figures of their calls that are over.

    Test calls aside.
    """

    campaigns: int
    open_campaigns: int
    calls: int
    answer_rate: float | None
    success_rate: float | None
    average_cost: Decimal | None

    @classmethod
    def of(cls, usage: Usage) -> "UsageShape":
        """Show the use of an assistant."""
        return cls(
            campaigns=usage.campaigns,
            open_campaigns=usage.open_campaigns,
            calls=usage.calls,
            answer_rate=usage.answer_rate,
            success_rate=usage.success_rate,
            average_cost=usage.average_cost_usd,
        )


class ListedAssistant(AssistantShape):
    """An assistant with what it was used for."""

    usage: UsageShape

    @classmethod
    def of_row(cls, row: DirectoryRow) -> "ListedAssistant":
        """Show a row of the directory."""
        shown = dict(AssistantShape.of(row.assistant))
        return cls(**shown, usage=UsageShape.of(row.usage))


class AssistantList(Shape):
    """A page of the directory."""

    assistants: list[ListedAssistant]
    pagination: Pagination


class NewAssistant(Input):
    """An assistant to be created at the provider."""

    name: Name
    config: Config
    ephemeral: Annotated[
        bool, Field(description="After its last campaign it is deleted, here and at the provider.")
    ] = False


class AssistantImport(Input):
    """An assistant of the account to be taken into the directory."""

    provider_assistant_id: str
    name: Name | None = None


class AssistantEdit(Input):
    """What to change; what is left out stays. In `config`, objects are merged key by key and null unsets a value."""

    name: Name | None = None
    config: Config | None = None
    active: bool | None = None


class CloneRequest(Input):
    """The name of the copy; without one it gets a free name."""

    name: Name | None = None


class ImportableShape(Shape):
    """An assistant that the account has; `assistantId` is ours where the directory has it already."""

    provider_assistant_id: str
    name: str
    updated_at: datetime | None
    assistant_id: UUID | None


class ImportableList(Shape):
    """What can be imported."""

    assistants: list[ImportableShape]


@router.get("/assistants", summary="List the directory")
async def list_assistants(
    runtime: RuntimeDep,
    actor: CallerDep,
    *,
    q: Annotated[str | None, Query(max_length=100)] = None,
    active: bool | None = None,
    source: AssistantSource | None = None,
    page: Annotated[int, Query(ge=1, le=MOST_PAGES)] = 1,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> AssistantList:
    """Return a page of assistants by name, each with what it was used for; `q` is a part of the name."""
    chosen = DirectoryFilter(q=q.strip() if q and q.strip() else None, active=active, source=source)
    async with runtime.database.connection() as conn:
        total = await directory.count(conn, chosen)
        found = await directory.list_page(conn, chosen, owner_id=actor.sees_only, most=limit, skip=(page - 1) * limit)
    return AssistantList(
        assistants=[ListedAssistant.of_row(one) for one in found],
        pagination=Pagination.of(page=page, limit=limit, total=total),
    )


@router.post("/assistants", status_code=201, summary="Create an assistant")
async def create(body: NewAssistant, runtime: RuntimeDep, actor: CallerDep) -> AssistantShape:
    """Create an assistant at the provider and in the directory."""
    made = await flow.create_assistant(
        runtime, name=body.name, config=body.config, actor=actor.name, ephemeral=body.ephemeral
    )
    return AssistantShape.of(made)


@router.get("/assistants/importable", summary="List what the account has")
async def list_importable(runtime: RuntimeDep, _actor: CallerDep) -> ImportableList:
    """Return the account's assistants at the provider."""
    shapes = [
        ImportableShape(
            provider_assistant_id=one.remote.provider_assistant_id,
            name=one.remote.name,
            updated_at=one.remote.updated_at,
            assistant_id=one.assistant_id,
        )
        for one in await assistant_import.list_importable(runtime)
    ]
    return ImportableList(assistants=shapes)


@router.post(
    "/assistants/import",
    status_code=201,
    summary="Import an assistant",
    responses={200: {"model": AssistantShape, "description": "It was in the directory, and is up to date now."}},
)
async def import_assistant(
    body: AssistantImport, response: Response, runtime: RuntimeDep, actor: CallerDep
) -> AssistantShape:
    """Take an assistant of the account into the directory, or bring ours up to date with it."""
    imported = await assistant_import.import_assistant(
        runtime, body.provider_assistant_id, name=body.name, actor=actor.name
    )
    response.status_code = 201 if imported.is_new else 200
    return AssistantShape.of(imported.assistant)


@router.get("/assistants/{assistant_id}", summary="Show an assistant")
async def get(assistant_id: UUID, runtime: RuntimeDep, actor: CallerDep) -> ListedAssistant:
    """Return one assistant with what it was used for."""
    async with runtime.database.connection() as conn:
        return ListedAssistant.of_row(await directory.get(conn, assistant_id, owner_id=actor.sees_only))


@router.patch("/assistants/{assistant_id}", summary="Edit an assistant")
async def edit(assistant_id: UUID, body: AssistantEdit, runtime: RuntimeDep, actor: CallerDep) -> AssistantShape:
    """Change it at the provider first; where the provider refuses, ours is unchanged."""
    edited = await flow.edit_assistant(
        runtime, assistant_id, name=body.name, config=body.config, active=body.active, actor=actor.name
    )
    return AssistantShape.of(edited)


@router.post("/assistants/{assistant_id}/clone", status_code=201, summary="Clone an assistant or template")
async def clone(
    assistant_id: UUID, runtime: RuntimeDep, actor: CallerDep, body: CloneRequest | None = None
) -> AssistantShape:
    """Create a copy at the provider and in the directory."""
    name = body.name if body else None
    return AssistantShape.of(await flow.clone_assistant(runtime, assistant_id, name=name, actor=actor.name))


@router.delete("/assistants/{assistant_id}", status_code=204, summary="Take an assistant out of the directory")
async def delete(assistant_id: UUID, runtime: RuntimeDep, actor: CallerDep) -> None:
    """Forget it here; the provider keeps it."""
    await flow.delete_assistant(runtime, assistant_id, actor=actor.name)
