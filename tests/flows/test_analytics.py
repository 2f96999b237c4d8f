"""The figures of analytics against calls made by hand, and against a recount after long random lives."""

import random
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from autolynx.domain.analytics import Analytics, Figures
from autolynx.errors import NotFound, ValidationProblem
from autolynx.flows.analytics import Wanted, read_analytics
from autolynx.flows.campaign_edit import delete_campaign
from autolynx.flows.campaign_life import start_campaign
from autolynx.runtime import Runtime
from autolynx.store.analytics import CallFilter
from autolynx.store.database import Database
from autolynx.store.migrate import migrate, migration_files
from tests.flows.test_counters import NOWHERE, random_step
from tests.support.campaign_rows import START, add_assistant, add_call, change_campaign, make_campaign
from tests.support.checks import assert_figures_are_a_recount, query
from tests.support.engine import MovedClock, make_runtime, settings_for_test
from tests.support.figures import assert_analytics_are_a_recount

pytestmark = pytest.mark.anyio

DAY = date(2026, 3, 2)
FIGURES = 20261125110000  # the migration that brought them


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def runtime_at(database: Database, now: datetime = START) -> Runtime:
    return make_runtime(database, NOWHERE, settings=settings_for_test(), clock=MovedClock(now))


async def analytics(runtime: Runtime, timezone: str = "UTC", **values: object) -> Analytics:
    chosen = CallFilter(**{name: values.pop(name) for name in ("assistant_id", "campaign_id") if name in values})
    return await read_analytics(runtime, Wanted(timezone=timezone, chosen=chosen, **values))


async def test_calls_made_by_hand_are_counted_in_every_part(database: Database) -> None:
    campaign_id = await make_campaign(database, contacts=5)
    talk = {"started_at": START, "ended_at": START + timedelta(seconds=45), "cost_usd": Decimal("0.1200")}
    await add_call(database, campaign_id, 0, success_evaluation=True, **talk)
    await add_call(database, campaign_id, 1, outcome="voicemail", cost_usd=Decimal("0.0200"), success_evaluation=False)
    await add_call(database, campaign_id, 2, outcome="not_dialled", counts_as_attempt=False, status="FAILED")
    await add_call(database, campaign_id, 3, status="RINGING", outcome=None, holds_line=True, is_final=False)
    await add_call(database, campaign_id, 4, outcome="no_answer", claimed_at=START - timedelta(days=1))
    found = await analytics(runtime_at(database))
    assert (found.period.first, found.period.last, len(found.days)) == (date(2026, 2, 1), DAY, 30)
    assert (found.total.calls, found.total.active, found.total.completed) == (4, 1, 3)
    today = found.days[DAY]
    assert (today.calls, today.answered, today.voicemail, today.cost_usd) == (3, 1, 1, Decimal("0.1400"))
    assert (today.answer_rate, today.success_rate, today.cost_per_success) == (0.5, 0.5, Decimal("0.1400"))
    assert (today.talks, today.talks_to_60, today.average_duration_seconds) == (1, 1, Decimal("45.000"))
    assert found.hours[1, 10] == today  # START is a Monday at ten
    assert found.days[date(2026, 3, 1)] == found.hours[7, 10] == Figures(completed=1, no_answer=1)
    assert [(one.name, one.figures) for one in found.assistants] == [("Riley", found.total)]
    await assert_analytics_are_a_recount(database, found)


async def test_without_a_call_every_day_and_hour_is_there_and_no_rate(database: Database) -> None:
    found = await analytics(runtime_at(database), first=DAY, last=DAY + timedelta(days=6))
    assert (len(found.days), len(found.hours), found.assistants) == (7, 168, ())
    assert {*found.days.values(), *found.hours.values(), found.total} == {Figures()}
    total = found.total
    assert (total.answer_rate, total.success_rate, total.cost_per_success, total.average_duration_seconds) == (
        None,
    ) * 4


@pytest.mark.parametrize("seed", range(4))
async def test_after_any_life_the_figures_are_a_recount(database: Database, seed: int) -> None:
    dice, clock = random.Random(seed), MovedClock(START)  # noqa: S311 - chooses a life, guards nothing
    runtime = make_runtime(database, NOWHERE, settings=settings_for_test(), clock=clock)
    for first in (0, 12):
        options = '{"maxAttempts": 3}'
        await start_campaign(runtime, await make_campaign(database, contacts=12, cap=5, options=options, first=first))
    for _ in range(120):
        await random_step(dice, runtime, clock)
    found = await analytics(runtime)
    assert found.total.completed > 5
    await assert_figures_are_a_recount(database)
    await assert_analytics_are_a_recount(database, found)


async def test_a_call_that_is_corrected_moves_and_one_that_is_deleted_goes(database: Database) -> None:
    campaign_id = await make_campaign(database, contacts=2)
    call_id = await add_call(database, campaign_id, 0, outcome="unknown", status="TIMEOUT", is_final=False)
    await add_call(database, campaign_id, 1, outcome="busy")
    change = "UPDATE calls SET {} WHERE id = %s RETURNING id"
    late = (
        "outcome = 'answered', status = 'ENDED', started_at = claimed_at, ended_at = claimed_at + interval '9.9996 s'"
    )
    for change_of in (
        late,
        "cost_usd = 0.3",
        "cost_usd = 0.25, success_evaluation = true",
        "outcome = 'not_dialled', counts_as_attempt = false",
        "outcome = 'answered', counts_as_attempt = true",
    ):
        await query(database, change.format(change_of), call_id)
        await assert_figures_are_a_recount(database)
    earlier = "claimed_at = claimed_at - interval '1 day', cost_usd = 0.35"
    for change_of in (earlier, "claimed_at = claimed_at + interval '1 day', cost_usd = 0.25"):
        await query(database, change.format(change_of), call_id)
        await assert_figures_are_a_recount(database)
    found = await analytics(runtime_at(database))
    assert (found.total.answered, found.total.cost_usd, found.total.talks_to_30) == (1, Decimal("0.2500"), 1)
    await query(database, "DELETE FROM calls WHERE id = %s RETURNING id", call_id)
    await assert_figures_are_a_recount(database)
    assert (await analytics(runtime_at(database))).total == Figures(completed=1, busy=1)


ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "America/Santiago")


@pytest.mark.parametrize("timezone", ZONES)
async def test_days_and_hours_are_those_of_the_time_zone_when_clocks_change(database: Database, timezone: str) -> None:
    """Calls every 25 minutes through the changes of March, April, September and October 2026."""
    campaign_id = await make_campaign(database, contacts=1)
    await query(
        database,
        """INSERT INTO calls (campaign_id, contact_id, attempt, status, outcome, holds_line, claimed_at, lease_until)
           SELECT t.campaign_id, t.id, row_number() OVER (), 'ENDED', 'busy', false, s.at, s.at
           FROM contacts t CROSS JOIN unnest(%s::timestamptz[]) AS b (begins)
           CROSS JOIN generate_series(b.begins, b.begins + interval '3 days', '25 minutes') AS s (at)
           WHERE t.campaign_id = %s RETURNING id""",
        [at(f"2026-{day}T12:00:00Z") for day in ("03-07", "03-28", "04-04", "09-05", "10-03", "10-24", "10-31")],
        campaign_id,
    )
    runtime = runtime_at(database)
    found = await analytics(runtime, timezone, first=date(2026, 3, 1), last=date(2026, 12, 1))
    await assert_analytics_are_a_recount(database, found)
    for day in (date(2026, 3, 8), date(2026, 3, 29), date(2026, 9, 6), date(2026, 10, 25)):
        one = await analytics(runtime, timezone, first=day, last=day)
        assert one.total == found.days[day]
        await assert_analytics_are_a_recount(database, one)


async def test_the_thirty_days_end_on_the_day_that_it_is_in_the_time_zone(database: Database) -> None:
    runtime = runtime_at(database, at("2026-03-02T22:30:00Z"))
    assert (await analytics(runtime, "Asia/Tokyo")).period.last == date(2026, 3, 3)
    assert (await analytics(runtime, "America/Los_Angeles")).period.last == DAY


async def test_one_campaign_and_one_assistant_can_be_looked_at_alone(database: Database) -> None:
    one, two = await make_campaign(database, contacts=1), await make_campaign(database, contacts=2, first=1)
    morgan = await add_assistant(database)
    await change_campaign(database, two, assistant_id=morgan)
    for campaign_id, position in ((one, 0), (two, 0)):
        await add_call(database, campaign_id, position)
    await add_call(database, two, 1, status="QUEUED", outcome=None, holds_line=True, is_final=False)
    runtime = runtime_at(database)
    of_one = await analytics(runtime, campaign_id=one)
    of_morgan = await analytics(runtime, assistant_id=morgan)
    assert (of_one.total.calls, [one.name for one in of_one.assistants]) == (1, ["Riley"])
    assert (of_morgan.total.calls, [one.name for one in of_morgan.assistants]) == (2, ["Morgan"])
    assert (await analytics(runtime, campaign_id=one, assistant_id=morgan)).total == Figures()
    await assert_analytics_are_a_recount(database, of_one, campaign_id=one)
    await assert_analytics_are_a_recount(database, of_morgan, assistant_id=morgan)
    assert [one.name for one in (await analytics(runtime)).assistants] == ["Morgan", "Riley"]  # more calls first


async def test_a_deleted_campaign_keeps_its_figures_and_test_calls_have_none(database: Database) -> None:
    deleted = await make_campaign(database, contacts=1)
    tried = await make_campaign(database, contacts=2, first=1, options='{"testCall": true}')
    for campaign_id in (deleted, tried):
        await add_call(database, campaign_id, 0)
    await add_call(database, tried, 1, status="QUEUED", outcome=None, holds_line=True, is_final=False)
    runtime = runtime_at(database)
    await delete_campaign(runtime, deleted, actor="a test")
    found = await analytics(runtime)
    assert found.total == (await analytics(runtime, campaign_id=deleted)).total == Figures(completed=1, answered=1)
    assert (await analytics(runtime, campaign_id=tried)).total == Figures()
    await assert_analytics_are_a_recount(database, found)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"timezone": "Nowhere/City5"}, "timezone"),
        ({"timezone": "FOO+3"}, "timezone"),
        ({"timezone": "CEST"}, "timezone"),
        ({"timezone": ""}, "timezone"),
        ({"first": DAY, "last": DAY - timedelta(days=1)}, "to"),
        ({"first": date(2025, 3, 1), "last": DAY}, "from"),
        ({"first": date(2024, 3, 1)}, "from"),
    ],
)
async def test_impossible_days_are_refused_by_name(database: Database, values: dict[str, object], field: str) -> None:
    with pytest.raises(ValidationProblem) as refused:
        await analytics(runtime_at(database), **values)
    assert refused.value.field == field


async def test_the_first_and_the_last_day_of_the_calendar_are_days(database: Database) -> None:
    runtime = runtime_at(database)
    assert (await analytics(runtime, last=date.min)).days.keys() == {date.min}
    assert (await analytics(runtime, first=date.max)).period.first == date.max
    assert (await analytics(runtime, "Asia/Tokyo", first=date.max - timedelta(days=5), last=date.max)).total.calls == 0


@pytest.mark.parametrize("of", ["campaign_id", "assistant_id"])
async def test_who_never_was_is_not_found(database: Database, of: str) -> None:
    unknown: UUID = uuid4()
    with pytest.raises(NotFound):
        await analytics(runtime_at(database), **{of: unknown})


async def test_calls_that_were_there_before_the_figures_are_counted(empty_database: Database, tmp_path: Path) -> None:
    for migration in migration_files():
        if int(migration.version) < FIGURES:
            (tmp_path / f"{migration.version}_{migration.name}.sql").write_text(migration.sql, "utf-8")
    await migrate(empty_database, tmp_path)
    await add_call(empty_database, await make_campaign(empty_database, contacts=1), 0)
    assert str(FIGURES) in [one.version for one in await migrate(empty_database)]
    assert (await analytics(runtime_at(empty_database))).total == Figures(completed=1, answered=1)
