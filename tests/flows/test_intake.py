"""Where webhooks wait for each other: what goes wrong with one of them is told to its sender alone."""

import asyncio
from collections.abc import Sequence

import pytest

from autolynx.errors import DatabaseUnavailable
from autolynx.runtime import Intake

pytestmark = pytest.mark.anyio


async def test_one_that_could_not_be_kept_hides_from_nobody_that_the_others_were_settled() -> None:
    intake, batches = Intake(), []

    async def work(items: Sequence[int]) -> list[int | Exception]:
        batches.append(len(items))
        await asyncio.sleep(0)  # until everybody waits
        return [DatabaseUnavailable("Away.") if item == 3 else item for item in items]

    answers = await asyncio.gather(
        *(intake.share(number, key=number, work=work) for number in range(8)), return_exceptions=True
    )
    assert max(batches) > 1
    assert [type(answer) for answer in answers] == [int] * 3 + [DatabaseUnavailable] + [int] * 4
    assert [answer for answer in answers if isinstance(answer, int)] == [0, 1, 2, 4, 5, 6, 7]
