"""For the pages before accounts elsewhere: a stand-in for Supabase Auth, and the application before a new project."""

from collections.abc import AsyncIterator

import pytest

from autolynx.store.database import Database
from tests.support.outside import Outside, running_outside
from tests.support.supabase_standin.server import Standin, running_standin


@pytest.fixture(scope="module")
async def standin() -> AsyncIterator[Standin]:
    async with running_standin() as running:
        yield running


@pytest.fixture
async def outside(database: Database, standin: Standin) -> AsyncIterator[Outside]:
    async with running_outside(database, standin) as running:
        yield running
