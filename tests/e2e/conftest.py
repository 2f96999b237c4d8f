"""Every test here runs whole processes, and has to leave none behind."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command import Console, wait_until


@pytest.fixture
def console(database_url: str, tmp_path: Path) -> Iterator[Console]:
    """A console on a database of this test's own. Afterwards none of its processes runs any more."""
    made = Console(folder=tmp_path, variables={"DATABASE_URL": database_url})
    yield made
    wait_until(lambda: not made.processes(), seconds=15)


@pytest.fixture
def bare_console(run_folder: Path, tmp_path: Path) -> Iterator[Console]:
    """A console without DATABASE_URL: the commands bring a database server of their own."""
    data = run_folder / f"data-{tmp_path.name}"
    made = Console(folder=tmp_path, variables={"DATA_DIR": str(data)})
    yield made
    wait_until(lambda: not made.processes(), seconds=15)
