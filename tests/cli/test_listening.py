import gc

import pytest
from fastapi import FastAPI

from autolynx.cli.listening import listen, serving

pytestmark = pytest.mark.anyio


async def test_what_a_server_loaded_at_its_start_is_not_searched_for_garbage() -> None:
    with listen("127.0.0.1", 0) as listener:
        async with serving(FastAPI(), listener):
            assert gc.get_freeze_count() > 10_000
        assert gc.get_freeze_count() < 10_000
