"""One stand-in for Supabase Auth for each module of tests, and a new project on it for each test."""

from collections.abc import AsyncIterator

import pytest

from tests.support.supabase_project import Project, running_project
from tests.support.supabase_standin.server import Standin, running_standin


@pytest.fixture(scope="module")
async def standin() -> AsyncIterator[Standin]:
    async with running_standin() as running:
        yield running


@pytest.fixture
async def project(standin: Standin) -> AsyncIterator[Project]:
    async with running_project(standin) as running:
        yield running


@pytest.fixture
async def legacy(standin: Standin) -> AsyncIterator[Project]:
    """Return a project that signs with a secret, as those of old do."""
    async with running_project(standin, is_legacy=True) as running:
        yield running
