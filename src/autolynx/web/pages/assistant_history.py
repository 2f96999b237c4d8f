"""The versions of an assistant, and what the provider has of it by now."""

import json
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from autolynx.errors import NotFound, ProviderError
from autolynx.flows.assistant_drift import Side, find_drift, take_side
from autolynx.flows.assistant_versions import compare_version, list_versions, restore_version
from autolynx.web.auth import CallerDep
from autolynx.web.context import RuntimeDep
from autolynx.web.pages.assistant_view import ACTION_WORDS, AssistantView, change_view, what_changed
from autolynx.web.pages.assistants import assistant_id_of, look_at
from autolynx.web.pages.paging import Paging, page_number
from autolynx.web.pages.rendering import answer, fragment, page, toast

ROWS = 25
MOST_NUMBER_DIGITS = 9

router = APIRouter(include_in_schema=False)


@router.get("/assistants/{assistant_id}/versions")
async def show_versions(
    request: Request,
    assistant_id: str,
    runtime: RuntimeDep,
    actor: CallerDep,
    number: Annotated[str, Query(alias="page")] = "",
) -> Response:
    """Show who changed what and when."""
    view = await look_at(runtime, assistant_id_of(assistant_id), actor)
    wanted = page_number(number)
    found = await list_versions(runtime, view.id, page=wanted, limit=ROWS)
    return await page(
        request,
        "assistant_versions.html",
        section="assistants",
        view=view,
        tab="versions",
        versions=[(listed, ACTION_WORDS[listed.version.action], what_changed(listed)) for listed in found.versions],
        paging=Paging.of(
            page=wanted, size=ROWS, total=found.total, address=lambda number: f"{view.address}/versions?page={number}"
        ),
    )


@router.get("/assistants/{assistant_id}/versions/{version}")
async def show_version(
    request: Request, assistant_id: str, version: str, runtime: RuntimeDep, actor: CallerDep, against: str = ""
) -> Response:
    """Show a version, and what differs from the one before it or from another."""
    view = await look_at(runtime, assistant_id_of(assistant_id), actor)
    other = _number_of(against) if against else None
    compared = await compare_version(runtime, view.id, _number_of(version), against=other)
    return await page(
        request,
        "assistant_version.html",
        section="assistants",
        view=view,
        tab="versions",
        compared=compared,
        whole=json.dumps(compared.version.config, ensure_ascii=False, indent=2),
        action=ACTION_WORDS[compared.version.action],
        changes=[change_view(change) for change in compared.changes],
        others=[number for number in range(compared.latest, 0, -1) if number != compared.version.number][:100],
    )


@router.post("/assistants/{assistant_id}/versions/{version}/restore")
async def restore(assistant_id: str, version: str, runtime: RuntimeDep, actor: CallerDep) -> Response:
    """Make an assistant what it was in that version, and show what that changed."""
    number = _number_of(version)
    restored = await restore_version(runtime, assistant_id_of(assistant_id), number, actor=actor.name)
    return answer(HX_Redirect=f"/assistants/{restored.id}/versions")


@router.get("/assistants/{assistant_id}/drift")
async def show_drift_page(request: Request, assistant_id: str, runtime: RuntimeDep, actor: CallerDep) -> Response:
    """Show the page at once; the comparison comes when the provider answers."""
    view = await look_at(runtime, assistant_id_of(assistant_id), actor)
    return await page(request, "assistant_drift.html", section="assistants", view=view, tab="drift")


@router.get("/assistants/{assistant_id}/drift/now")
async def show_drift(assistant_id: str, runtime: RuntimeDep, actor: CallerDep) -> Response:
    """Show what differs at this moment."""
    view = await look_at(runtime, assistant_id_of(assistant_id), actor)
    try:
        drift = await find_drift(runtime, view.id)
    except ProviderError as error:
        return answer(fragment("assistant_drift_now.html", view=view, drift=None, alarm=error.message, changes=()))
    changes = [change_view(change) for change in drift.changes]
    return answer(fragment("assistant_drift_now.html", view=view, drift=drift, alarm=None, changes=changes))


@router.post("/assistants/{assistant_id}/drift")
async def end_drift(
    assistant_id: str, runtime: RuntimeDep, actor: CallerDep, take: Annotated[Side, Form()]
) -> Response:
    """Take either side, and show that nothing differs any more."""
    taken = await take_side(runtime, assistant_id_of(assistant_id), take, actor=actor.name)
    view = await look_at(runtime, taken.id, actor)
    said = "The provider has yours now." if take is Side.OURS else "Yours is now as the provider has it."
    return answer(_compared_again(view), fragment("assistant_part.html", view=view), toast(said))


def _compared_again(view: AssistantView) -> str:
    return fragment("assistant_drift_part.html", view=view)


def _number_of(text: str) -> int:
    """Return the number of a version in an address. Raises NotFound for what is none."""
    if not (text.isascii() and text.isdigit() and len(text) <= MOST_NUMBER_DIGITS and int(text)):
        raise NotFound("There is no version of that number.")
    return int(text)
