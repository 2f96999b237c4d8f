"""Whatever a person, the provider, time and crashes do to campaigns, in any order: every law holds after each step."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from autolynx.store.database import Database
from tests.support.campaign_books import ANSWERS, NEVER_RANG, RANG, TALKED
from tests.support.campaign_theatre import a_play, a_theatre
from tests.support.stage import Stage

USUAL_EXAMPLES = 40


@dataclass(frozen=True)
class Step:
    """One step of a play: the name of a method of Play, and its arguments."""

    name: str
    values: Mapping[str, Any] = field(default_factory=dict)


def step(name: str, **values: Any) -> st.SearchStrategy[Step]:
    """Return a strategy of such steps."""
    return st.builds(Step, st.just(name), st.fixed_dictionaries(values))


yes_or_no = st.booleans()
seldom = st.integers(0, 3).map(lambda dice: dice == 3)
mostly = st.integers(0, 3).map(lambda dice: dice < 3)
campaigns = st.integers(0, 1)
numbers = st.integers(0, 7)
caps = st.integers(1, 3)
reasons = st.sampled_from([*sorted(TALKED), *sorted(RANG), *sorted(NEVER_RANG)])
answers = st.sampled_from([*["accepts"] * 6, *ANSWERS])

a_person = st.one_of(
    step("start", which=campaigns),
    step("pause", which=campaigns),
    step("resume", which=campaigns),
    step("set_cap", which=campaigns, cap=caps),
    step("decide", which=numbers, redials=yes_or_no),
    step("release"),
)
an_end = st.one_of(
    step("stop", which=campaigns, hangs_up=yes_or_no),
    step("delete", which=campaigns),
    step("press", hangs_up=yes_or_no),
)
time_passes = step("tick", after=st.sampled_from([0, 1, 5, 23, 31, 61, 130, 700, 1100]), twice=seldom)
a_process = st.one_of(
    step("refill"),
    step("interrupt", which=campaigns, verb=st.sampled_from(["pause", "stop", "press"])),
    step("die", is_marked=yes_or_no, is_sent=yes_or_no),
    step("thaw"),
)
a_call = st.one_of(
    step("happen", which=numbers, what=st.sampled_from(["ring", "connect", "connect"]), is_told=mostly),
    step("happen", which=numbers, what=reasons, is_told=mostly),
    step("repeat", which=numbers, what=numbers, is_ours=yes_or_no),
)
the_provider = step("answer", how=answers, reads=mostly, lag=st.sampled_from([0, 0, 40]))
plays = st.lists(
    st.sampled_from(
        [time_passes] * 5 + [a_call] * 6 + [a_person] * 3 + [a_process] * 2 + [the_provider] * 2 + [an_end]
    ).flatmap(lambda kind: kind),
    min_size=25,
    max_size=60,
)


async def perform(stage: Stage, *, caps: tuple[int, int], is_batch: bool, starts: int, steps: Sequence[Step]) -> None:
    """Play from the beginning to an end where nobody is lost."""
    play = await a_play(stage, caps=caps, is_batch=is_batch)
    for which in range(starts):
        await play.start(which)
    for one in steps:
        await getattr(play, one.name)(**one.values)
    await play.finish()


@asynccontextmanager
async def theatre(database_url: str) -> AsyncIterator[Stage]:
    database = await Database.open(database_url)
    try:
        async with a_theatre(database) as stage:
            yield stage
    finally:
        await database.close()


def as_test(run: Callable[..., None], examples: int | None) -> Callable[[], None]:
    """Return the test: a few plays that are always the same, or as many random ones as were asked for."""
    chosen = settings(
        max_examples=examples or USUAL_EXAMPLES,
        derandomize=not examples,
        database=None,
        deadline=None,
        print_blob=True,
        # Making a failure shorter takes minutes: only who asked for many plays has them.
        phases=[Phase.generate, Phase.shrink] if examples else [Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    return chosen(given(caps=st.tuples(caps, caps), is_batch=yes_or_no, starts=st.integers(1, 2), steps=plays)(run))


def test_every_law_of_campaigns_holds_after_every_step(database_url: str, request: pytest.FixtureRequest) -> None:
    with asyncio.Runner() as runner:
        opening = theatre(database_url)
        stage = runner.run(opening.__aenter__())

        def run(caps: tuple[int, int], is_batch: bool, starts: int, steps: list[Step]) -> None:
            note(f"caps={caps}, is_batch={is_batch}, starts={starts}, steps={steps}")
            runner.run(perform(stage, caps=caps, is_batch=is_batch, starts=starts, steps=steps))

        try:
            as_test(run, request.config.getoption("--campaign-examples"))()
        finally:
            runner.run(opening.__aexit__(None, None, None))
