"""Settings that are chosen in the application, over JSON."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field

from autolynx.chosen_settings import CHOOSABLE, value_of
from autolynx.flows.choosing_settings import choose_settings, refresh_settings
from autolynx.runtime import Runtime
from autolynx.web.auth import CallerDep
from autolynx.web.context import LaunchingDep, RuntimeDep
from autolynx.web.shapes import Input, Shape

router = APIRouter(prefix="/api", tags=["settings"])


class SettingShape(Shape):
    """A setting: what holds, what the environment says, and whether somebody chose otherwise."""

    name: str
    variable: str
    label: str
    unit: str
    value: Any
    environment: Any
    is_chosen: bool


class SettingList(Shape):
    """The settings that can be chosen in the application."""

    settings: list[SettingShape]


class SettingsInput(Input):
    """What is to hold, by the names of the settings; what is left out, or null, is as the environment says."""

    account_concurrency_cap: Annotated[int | None, Field(ge=1, le=1000)] = None
    inbound_reserve: Annotated[int | None, Field(ge=0, le=1000)] = None
    default_concurrency_cap: Annotated[int | None, Field(ge=1, le=50)] = None
    launch_per_second: Annotated[float | None, Field(ge=0, le=1000)] = None
    default_cron_cadence: Annotated[float | None, Field(ge=1, le=3600)] = None
    recent_call_days: Annotated[int | None, Field(ge=0, le=3650)] = None
    default_region: Annotated[str | None, Field(pattern=r"^[A-Z]{2}$")] = None


@router.get("/settings", summary="Show the settings")
async def show(runtime: RuntimeDep, _actor: CallerDep) -> SettingList:
    """Return the settings that can be chosen in the application."""
    await refresh_settings(runtime, at_once=True)
    return SettingList(settings=settings_of(runtime))


@router.put("/settings", summary="Choose settings")
async def choose(body: SettingsInput, runtime: RuntimeDep, actor: CallerDep, launching: LaunchingDep) -> SettingList:
    """Let these values hold, at once here and within a quarter of a minute in every other process."""
    await choose_settings(runtime, {name.upper(): value for name, value in body.model_dump().items()}, actor=actor.name)
    await launching.work_added()  # there may be more room
    return SettingList(settings=settings_of(runtime))


def settings_of(runtime: Runtime) -> list[SettingShape]:
    """Return the settings as they hold in this process."""
    return [
        SettingShape(
            name=one.name,
            variable=one.variable,
            label=one.label,
            unit=one.unit,
            value=value_of(runtime.settings, one.variable),
            environment=value_of(runtime.configured, one.variable),
            is_chosen=one.variable in runtime.chosen_settings.chosen,
        )
        for one in CHOOSABLE
    ]
