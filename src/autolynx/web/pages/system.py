"""The system: what decides about the next call, what waits for a person, what went wrong, and how every part is."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from autolynx.domain.permission import Permission
from autolynx.flows.dialing_state import get_dialing_state
from autolynx.flows.health import check_health
from autolynx.flows.phone_line import PhoneLines
from autolynx.runtime import Runtime
from autolynx.store import call_reports, gate
from autolynx.web.api.health import get_phone_lines
from autolynx.web.auth import CallerDep, caller_of
from autolynx.web.context import RuntimeDep
from autolynx.web.pages.paging import Paging, page_number
from autolynx.web.pages.rendering import answer, fragment, page
from autolynx.web.pages.system_view import (
    INCIDENT_KINDS,
    check_views,
    incident_view,
    number_views,
    state_view,
    unsure_view,
)

ROWS = 25
MOST_LOOKS = 12  # each costs the provider a request, at most once a minute
LOOKING_SECONDS = 6.0

router = APIRouter(include_in_schema=False)
LinesDep = Annotated[PhoneLines, Depends(get_phone_lines)]


@dataclass(frozen=True, kw_only=True)
class Wish:
    """Which pages of its two lists somebody wants to see, and which kind of incidents."""

    unsure: int = 1
    incidents: int = 1
    kind: str = ""

    @classmethod
    def of(cls, *, unsure: str = "", incidents: str = "", kind: str = "") -> "Wish":
        """Read the address; nonsense falls back to the beginning."""
        return cls(
            unsure=page_number(unsure), incidents=page_number(incidents), kind=kind if kind in INCIDENT_KINDS else ""
        )

    def address(self, **changed: Any) -> str:
        """Return the address of this page with something changed; what is ordinary is left out."""
        values = {"unsure": self.unsure, "incidents": self.incidents, "kind": self.kind, **changed}
        said = {key: value for key, value in values.items() if value not in {"", 1}}
        return "/system?" + urlencode(said) if said else "/system"


@router.get("/system")
async def show_system(
    request: Request, runtime: RuntimeDep, lines: LinesDep, unsure: str = "", incidents: str = "", kind: str = ""
) -> Response:
    """Show how everything stands."""
    actor, wish = caller_of(request), Wish.of(unsure=unsure, incidents=incidents, kind=kind)
    values = {
        **await state_values(runtime, lines, may_hold=actor.may(Permission.DIALING_HOLD)),
        **await health_values(runtime),
        **await unsure_values(runtime, wish, owner_id=actor.sees_only),
        **await _incident_values(runtime, wish, owner_id=actor.sees_only),
        "may_tick": actor.may(Permission.TICKS_RUN),
    }
    return await page(request, "system.html", section="system", live="/live?view=system", **values)


@router.get("/system/health")
async def show_health(runtime: RuntimeDep, actor: CallerDep) -> Response:
    """Show how every part is, for a page that asks again and again."""
    may_tick = actor.may(Permission.TICKS_RUN)
    return answer(fragment("system_health.html", may_tick=may_tick, **await health_values(runtime)))


@router.get("/system/numbers")
async def show_numbers(runtime: RuntimeDep, lines: LinesDep) -> Response:
    """Show the phone numbers, and ask the provider how busy their lines are."""
    state = await get_dialing_state(runtime)
    with suppress(TimeoutError):  # whoever was not asked in time is asked the next time
        async with asyncio.timeout(LOOKING_SECONDS):
            for number in state.numbers[:MOST_LOOKS]:
                await lines.look(number.pace.id)
    return answer(fragment("system_numbers.html", numbers=number_views(state, lines)))


async def state_values(runtime: Runtime, lines: PhoneLines, *, may_hold: bool) -> dict[str, Any]:
    """Return what the state of dialling and the numbers are rendered from; who `may_hold` has the red button."""
    state = await get_dialing_state(runtime)
    return {"state": state_view(state), "numbers": number_views(state, lines), "may_hold": may_hold}


async def state_part(runtime: Runtime, lines: PhoneLines, *, may_hold: bool) -> str:
    """Return the state of dialling and the numbers as a live stream sends them."""
    return fragment("system_part.html", **await state_values(runtime, lines, may_hold=may_hold))


async def health_values(runtime: Runtime) -> dict[str, Any]:
    """Return what the checks are rendered from."""
    health = await check_health(runtime)
    async with runtime.database.connection() as conn:
        account = await gate.get(conn)
    return {"checks": check_views(health), "last_tick_at": account.last_tick_at, "next_tick_at": account.next_tick_at}


async def unsure_values(runtime: Runtime, wish: Wish, *, owner_id: UUID | None) -> dict[str, Any]:
    """Return what the contacts that wait for a decision are rendered from."""
    async with runtime.database.connection() as conn:
        total = await call_reports.count_unsure(conn, owner_id=owner_id)
        wanted = min(wish.unsure, max(1, -(-total // ROWS)))  # the last decision of a page leads to the one before
        found = await call_reports.list_unsure(conn, owner_id=owner_id, limit=ROWS, skip=(wanted - 1) * ROWS)
    paging = Paging.of(page=wanted, size=ROWS, total=total, address=lambda number: wish.address(unsure=number))
    return {"unsure": [unsure_view(one) for one in found], "unsure_paging": paging}


async def _incident_values(runtime: Runtime, wish: Wish, *, owner_id: UUID | None) -> dict[str, Any]:
    kinds = [wish.kind] if wish.kind else []
    async with runtime.database.connection() as conn:
        found, total = await call_reports.list_incidents(
            conn, kinds=kinds, owner_id=owner_id, limit=ROWS, skip=(wish.incidents - 1) * ROWS
        )
    paging = Paging.of(
        page=wish.incidents, size=ROWS, total=total, address=lambda number: wish.address(incidents=number)
    )
    return {
        "incidents": [incident_view(one) for one in found],
        "incident_paging": paging,
        "kinds": INCIDENT_KINDS,
        "wish": wish,
    }
