"""Several processes of one installation, each with connections of its own, inside a test."""

import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

from autolynx.runtime import Runtime
from autolynx.store.database import Database
from tests.support.checks import query
from tests.support.engine import make_runtime, settings_for_test
from tests.support.scripted_vapi import ScriptedVapi, accepted
from tests.support.stub_vapi import Answering, Reply, Seen


@asynccontextmanager
async def processes(database_url: str, vapi_url: str, count: int, **settings: Any) -> AsyncIterator[list[Runtime]]:
    """Give runtimes with pools of their own, as so many processes have them."""
    async with AsyncExitStack() as stack:
        runtimes = []
        for _ in range(count):
            opened = await Database.open(database_url, max_size=3)
            stack.push_async_callback(opened.close)
            runtime = make_runtime(opened, vapi_url, settings=settings_for_test(**settings))
            stack.push_async_callback(runtime.provider.close)
            runtimes.append(runtime)
        yield runtimes


def slowly(vapi: ScriptedVapi, seen: Seen) -> Answering:
    """Take the call at once, and say so a little later."""
    answer = accepted(vapi, seen)
    assert isinstance(answer, Reply)
    return replace(answer, wait=random.uniform(0.005, 0.03))  # noqa: S311


async def count_lines(database: Database) -> Counter[UUID]:
    """Count the lines that each campaign holds."""
    rows = await query(database, "SELECT campaign_id FROM calls WHERE holds_line")
    return Counter(row["campaign_id"] for row in rows)
