"""The settings that are chosen in the application, and where the others stand."""

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from autolynx.chosen_settings import CHOOSABLE
from autolynx.domain.permission import Permission
from autolynx.errors import ValidationProblem
from autolynx.flows.choosing_settings import choose_settings, refresh_settings
from autolynx.runtime import Runtime
from autolynx.web.api.settings import settings_of
from autolynx.web.auth import CallerDep
from autolynx.web.context import LaunchingDep, RuntimeDep
from autolynx.web.pages.rendering import answer, fragment, page, toast

LONGEST = 50

router = APIRouter(include_in_schema=False)


@router.get("/settings")
async def show_settings(request: Request, runtime: RuntimeDep, actor: CallerDep) -> Response:
    """Show what holds; an admin may change it."""
    await refresh_settings(runtime, at_once=True)
    may_write = actor.may(Permission.SETTINGS_WRITE)
    return await page(request, "settings.html", section="settings", may_write=may_write, **_values(runtime))


@router.post("/settings")
async def save(request: Request, runtime: RuntimeDep, actor: CallerDep, launching: LaunchingDep) -> Response:
    """Let hold what was chosen; what is left empty is as the environment says."""
    form = await request.form()
    typed = {one.name: str(form.get(one.name, "")).strip()[:LONGEST] for one in CHOOSABLE}
    wanted = {one.variable: typed[one.name] or None for one in CHOOSABLE}
    try:
        changed = await choose_settings(runtime, wanted, actor=actor.name)
    except ValidationProblem as error:
        name, _, sentence = error.message.partition(": ")
        problems = {name: sentence[:1].upper() + sentence[1:]}
        html = fragment("settings_part.html", may_write=True, **_values(runtime, typed=typed, problems=problems))
        return answer(html, status=HTTPStatus.BAD_REQUEST)
    await launching.work_added()
    said = "Nothing was changed." if not changed else "Saved. It holds at once."
    return answer(fragment("settings_part.html", may_write=True, **_values(runtime)), toast(said))


def _values(
    runtime: Runtime, *, typed: dict[str, str] | None = None, problems: dict[str, str] | None = None
) -> dict[str, Any]:
    hints = {one.name: one.hint for one in CHOOSABLE}
    return {"settings": settings_of(runtime), "hints": hints, "typed": typed or {}, "problems": problems or {}}
