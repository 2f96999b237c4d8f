"""Choosing settings in the application. Every process hears of it within a quarter of a minute."""

from collections.abc import Mapping
from typing import Any

from autolynx.chosen_settings import CHOOSABLE, merged, value_of
from autolynx.errors import AutolynxError, ValidationProblem
from autolynx.log import log
from autolynx.runtime import Runtime
from autolynx.store import audit, chosen_settings

LOOK_EVERY_SECONDS = 15.0


async def refresh_settings(runtime: Runtime, *, at_once: bool = False) -> None:
    """Let hold what was chosen in any process; asks the database at most four times a minute.

    What cannot hold with the environment of today is left out, and said in the log.
    """
    if not runtime.chosen_settings.is_due(runtime.clock.now(), LOOK_EVERY_SECONDS) and not at_once:
        return
    try:
        async with runtime.database.connection() as conn:
            chosen = await chosen_settings.list_all(conn)
        merged(runtime.configured, chosen)
    except ValidationProblem as error:
        log.error("settings.not_applied", reason=error.message)
        return
    except AutolynxError as error:
        log.warning("settings.unknown", reason=error.message)
        return
    runtime.chosen_settings.put(chosen)


async def choose_settings(runtime: Runtime, wanted: Mapping[str, Any], *, actor: str) -> list[str]:
    """Let these choices hold, by variable, and the environment for all others; returns the variables that changed.

    Raises ValidationProblem naming the one that cannot be.
    """
    known = {one.variable for one in CHOOSABLE}
    chosen = {variable: value for variable, value in wanted.items() if variable in known and value is not None}
    after = merged(runtime.configured, chosen)
    stored = {variable: value_of(after, variable) for variable in chosen}
    now = runtime.clock.now()
    async with runtime.database.transaction() as conn:
        await chosen_settings.lock(conn)
        before = await chosen_settings.list_all(conn)
        changed = sorted({*before, *stored} - {name for name in stored if before.get(name, ...) == stored[name]})
        await chosen_settings.save_all(conn, stored, now)
        if changed:
            details = {"changed": {name: stored.get(name) for name in changed}}
            await audit.append(conn, now=now, actor=actor, action="settings.changed", details=details)
    runtime.chosen_settings.put(stored)
    return changed
