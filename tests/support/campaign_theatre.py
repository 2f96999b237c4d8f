"""The theatre in which plays of campaigns follow one another, each from nothing."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from autolynx.store.database import Database
from tests.support.campaign_books import ANSWERS, Books
from tests.support.campaign_play import ACCOUNT_CAP, Play
from tests.support.campaign_witness import call_witness, empty, look
from tests.support.stage import Stage, a_stage
from tests.support.stub_vapi import as_json

CONTACTS = 3


@asynccontextmanager
async def a_theatre(database: Database) -> AsyncIterator[Stage]:
    """Open a stage on which one play follows the other."""
    await call_witness(database)
    async with a_stage(database, ACCOUNT_CONCURRENCY_CAP=ACCOUNT_CAP, INBOUND_RESERVE=0, BREAKER_THRESHOLD=3) as stage:
        stage.vapi.on_silence = as_json({"message": "Too Many Requests"}, status=429)  # not tried again at once
        yield stage


async def a_play(stage: Stage, *, caps: tuple[int, int], is_batch: bool) -> Play:
    """Begin a play from nothing: two campaigns, of which the second may be in batches."""
    await empty(stage.database)
    vapi = stage.vapi
    vapi.calls.clear()
    vapi.dials.clear()
    vapi.controls.clear()
    vapi.reads, vapi.placed, vapi.on_dial = True, 0, ANSWERS["accepts"]
    modes = ("continuous", "batch" if is_batch else "continuous")
    ids = [
        await stage.campaign(
            contacts=CONTACTS, cap=cap, mode=mode, first=50 * number, name=f"Play {number}", is_started=False
        )
        for number, (cap, mode) in enumerate(zip(caps, modes, strict=True))
    ]
    books = Books(vapi=vapi)
    vapi.on_list = books.listed
    return Play(stage=stage, books=books, scene=await look(stage.database), campaign_ids=ids)
