"""One simulator and one receiver for the whole folder, as new for every test."""

from collections.abc import AsyncIterator

import httpx
import pytest
import uvicorn

from tests.simulator.stage import SPEED, Receiver, Stage, running, simulator
from vapisim.server import listen
from vapisim.state import Settings


@pytest.fixture(scope="session")
async def shared_receiver() -> AsyncIterator[Receiver]:
    listener = listen("127.0.0.1", 0)
    receiver = Receiver(url=f"http://127.0.0.1:{listener.getsockname()[1]}/hook")
    config = uvicorn.Config(receiver, log_level="warning", lifespan="off", access_log=False)
    async with running(uvicorn.Server(config), listener):
        yield receiver


@pytest.fixture
def receiver(shared_receiver: Receiver) -> Receiver:
    shared_receiver.clear()
    return shared_receiver


@pytest.fixture(scope="session")
async def shared_stage(shared_receiver: Receiver) -> AsyncIterator[Stage]:
    async with simulator(Settings(speed=SPEED), shared_receiver) as stage:
        yield stage


@pytest.fixture
async def stage(shared_stage: Stage, receiver: Receiver) -> Stage:
    answer = await shared_stage.client.post("/_sim/reset", json={"scenario": "busy-town"})
    assert answer.status_code == 200
    receiver.clear()
    return shared_stage


@pytest.fixture
async def anonymous(stage: Stage) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=stage.client.base_url) as client:
        yield client
