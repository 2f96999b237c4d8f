"""Fixtures for every test. A test that uses a database gets one of its own: a copy of the template."""

import gc
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import IO, Any

import pytest

from autolynx.store.database import Database
from hatch_build import Unobtainable, take
from tests.support.postgres import EMBEDDED_VERSIONS, Server, Servers, own_folder, tidy
from tests.support.sources import ROOT
from tests.support.suite_order import sort_suite

RUN_FOLDER = pytest.StashKey[Path]()
OWNER = pytest.StashKey[IO[bytes]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("autolynx")
    group.addoption("--postgres", default="16", choices=[*EMBEDDED_VERSIONS, "external"], help="server of most tests")
    group.addoption(
        "--postgres-url",
        default=os.environ.get("AUTOLYNX_TEST_POSTGRES_URL") or None,
        help="a further PostgreSQL for the tests marked every_postgres (or AUTOLYNX_TEST_POSTGRES_URL)",
    )
    group.addoption(
        "--campaign-examples", type=int, help="play so many random lives of campaigns instead of the few usual ones"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the run's folder in the process the user started; the workers of xdist are told of it."""
    worker: dict[str, Any] | None = getattr(config, "workerinput", None)
    if worker:
        config.stash[RUN_FOLDER] = Path(worker["postgres_folder"])
    else:
        _take_browser_files()
        config.stash[RUN_FOLDER], config.stash[OWNER] = own_folder()


def _take_browser_files() -> None:
    """Lay what the pages need into the package, as an installation does; nothing is done while the lock is the same."""
    try:
        take(ROOT)
    except Unobtainable as problem:
        pytest.exit(f"AutoLynx: {problem}", returncode=2)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    node.workerinput["postgres_folder"] = str(node.config.stash[RUN_FOLDER])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with what takes long."""
    worker: dict[str, Any] = getattr(config, "workerinput", {})
    sort_suite(items, workers=worker.get("workercount", 1))


def pytest_unconfigure(config: pytest.Config) -> None:
    """After the last worker has gone: nothing is left behind, after Ctrl-C as well."""
    if not hasattr(config, "workerinput") and RUN_FOLDER in config.stash:
        tidy(config.stash[RUN_FOLDER], config.getoption("--postgres-url"))
        config.stash[OWNER].close()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run tests marked every_postgres on each server at hand, the others on the one --postgres names."""
    if "postgres" not in metafunc.fixturenames:
        return
    external = ["external"] if metafunc.config.getoption("--postgres-url") else []
    is_for_every = metafunc.definition.get_closest_marker("every_postgres") is not None
    chosen = [*EMBEDDED_VERSIONS, *external] if is_for_every else [metafunc.config.getoption("--postgres")]
    metafunc.parametrize(
        "postgres",
        chosen,
        indirect=True,
        ids=[f"postgres-{name}" for name in chosen] if is_for_every else [pytest.HIDDEN_PARAM],
    )


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def run_folder(request: pytest.FixtureRequest) -> Path:
    """The folder of this test run: open to other accounts, shared by all workers, removed at the end."""
    return request.config.stash[RUN_FOLDER]


@pytest.fixture(scope="session")
def postgres_servers(request: pytest.FixtureRequest) -> Iterator[Servers]:
    servers = Servers(request.config.stash[RUN_FOLDER], request.config.getoption("--postgres-url"))
    yield servers
    servers.leave()


@pytest.fixture
def postgres(request: pytest.FixtureRequest, postgres_servers: Servers) -> Server:
    """The server that this test runs on."""
    return postgres_servers.get(request.param)


@pytest.fixture
def database_url(postgres: Server) -> Iterator[str]:
    """The URL of a migrated database of this test's own."""
    url = postgres.create_database()
    yield url
    postgres.drop_database(url)


@pytest.fixture
def empty_database_url(postgres: Server) -> Iterator[str]:
    """The URL of a database without any schema."""
    url = postgres.create_database(is_migrated=False)
    yield url
    postgres.drop_database(url)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An open Database on a migrated database of this test's own."""
    opened = await Database.open(database_url)
    yield opened
    await opened.close()


@pytest.fixture
async def empty_database(empty_database_url: str) -> AsyncIterator[Database]:
    """An open Database without any schema."""
    opened = await Database.open(empty_database_url)
    yield opened
    await opened.close()


def pytest_collection_finish() -> None:
    """Leave what was collected out of garbage collection: a full one would look through it again and again."""
    gc.collect()
    gc.freeze()
