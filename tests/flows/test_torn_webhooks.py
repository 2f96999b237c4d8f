"""Bodies torn in several places at once go through the whole intake: kept, settled or set aside, and never an error."""

import asyncio
from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autolynx.flows.ingest import receive_webhook
from autolynx.store.database import Database
from tests.support.checks import RECOUNT, query
from tests.support.stage import Stage, a_stage
from tests.support.vapi_bodies import call, report, status_update

# Wherever one of these stands it is of the wrong kind, beyond what a column holds, or what PostgreSQL cannot store.
ODD: Sequence[Any] = (
    *(None, True, -1, 0.00001, 99999.99995, 1e308, float("nan"), float("inf"), 10**400),
    *("", " ", "\x00", "\ud800", "x" * 3000, "NaN", "1e400", "-0", "ended", "in-progress", "end-of-call-report"),
    *("9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "2026-13-45T99:99:99Z", "https://[::1", "http://\x00"),
    *([], {}, [None], [[]], {"\x00": "\ud800"}, [{"role": "user", "message": "\x00"}, {"role": 5}], {"id": {}}),
)
SHAPES: Sequence[Callable[[Any], Any]] = (
    lambda inner: report(call=inner),
    lambda inner: report(call=inner)["message"],
    lambda inner: status_update("in-progress", call=inner),
    lambda inner: status_update("ended", call=inner, endedReason="customer-busy"),
    lambda inner: {"message": {"type": "end-of-call-report"}, "call": inner},
    lambda inner: {**report(call=inner)["message"], "message": {"type": "end-of-call-report"}},
)
tears = st.lists(st.tuples(st.integers(0, 999), st.sampled_from(["replace", "drop", "wrap"]), st.sampled_from(ODD)))


def places(body: Any) -> list[tuple[Any, Any]]:
    """Every place in a body, as what holds it and its key."""
    keys = list(body) if isinstance(body, dict) else list(range(len(body))) if isinstance(body, list) else []
    return [place for key in keys for place in [(body, key), *places(body[key])]]


def torn(body: Any, at: Sequence[tuple[int, str, Any]]) -> Any:
    """Return a copy of a body that is torn in these places."""
    body = deepcopy(body)
    for number, how, new in at:
        if not (found := places(body)):
            break
        holder, key = found[number % len(found)]
        if how == "drop":
            del holder[key]
        else:
            holder[key] = deepcopy(new) if how == "replace" else [holder[key]]
    return body


async def receive(stage: Stage, shape: int, *, is_known: bool, at: Sequence[tuple[int, str, Any]]) -> None:
    known = next(iter(stage.vapi.calls.values()))
    inner = call(id=known["id"], assistantOverrides=known["assistantOverrides"]) if is_known else call()
    await receive_webhook(stage.runtime, torn(SHAPES[shape](inner), at))
    assert await query(stage.database, "SELECT last_error FROM webhook_inbox WHERE failures > 0") == []
    assert await query(stage.database, RECOUNT) == []


def test_a_body_torn_in_several_places_is_never_an_error_and_never_moves_a_counter_wrongly(database_url: str) -> None:
    async def play(examples: Sequence[tuple[int, bool, Sequence[tuple[int, str, Any]]]]) -> None:
        database = await Database.open(database_url)
        async with a_stage(database) as stage:
            await stage.campaign(contacts=2, cap=2)
            await stage.tick()
            for shape, is_known, at in examples:
                await receive(stage, shape, is_known=is_known, at=at)
        await database.close()

    drawn: list[tuple[int, bool, Sequence[tuple[int, str, Any]]]] = []

    @settings(max_examples=150, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(shape=st.integers(0, len(SHAPES) - 1), is_known=st.booleans(), at=tears)
    def draw(shape: int, is_known: bool, at: list[tuple[int, str, Any]]) -> None:
        drawn.append((shape, is_known, at))

    draw()
    asyncio.run(play(drawn))
