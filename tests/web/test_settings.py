"""Settings that are chosen in the application: they come before the environment, hold at once, and are on record."""

import pytest

from autolynx.domain.permission import Role
from autolynx.flows.choosing_settings import LOOK_EVERY_SECONDS, refresh_settings
from autolynx.store.database import Database
from tests.support.engine import make_runtime, settings_for_test
from tests.support.signed_in import HTMX, OPERATOR, sign_in, text_of, words_of
from tests.support.web import NOWHERE, moved_clock, problem, rows, running_web

pytestmark = pytest.mark.anyio


async def test_what_is_chosen_holds_at_once_and_what_is_left_out_is_as_the_environment_says(database: Database) -> None:
    async with running_web(database, ACCOUNT_CONCURRENCY_CAP=20, INBOUND_RESERVE=2) as web:
        answer = await web.client.put("/api/settings", json={"accountConcurrencyCap": 30, "defaultRegion": "DE"})
        assert answer.status_code == 200, answer.text
        found = {one["name"]: (one["value"], one["environment"], one["isChosen"]) for one in answer.json()["settings"]}
        assert found["accountConcurrencyCap"] == (30, 20, True)
        assert found["inboundReserve"] == (2, 2, False)
        assert (web.runtime.settings.account_room, web.runtime.settings.default_region) == (28, "DE")
        back = await web.client.put("/api/settings", json={})
        assert {one["isChosen"] for one in back.json()["settings"]} == {False}
        assert web.runtime.settings is web.runtime.configured
        (first, second) = await rows(database, "SELECT actor, details FROM audit_log WHERE action = 'settings.changed'")
        assert first["details"] == {"changed": {"ACCOUNT_CONCURRENCY_CAP": 30, "DEFAULT_REGION": "DE"}}
        assert second["details"] == {"changed": {"ACCOUNT_CONCURRENCY_CAP": None, "DEFAULT_REGION": None}}


async def test_every_process_hears_of_it_within_a_quarter_of_a_minute(database: Database) -> None:
    clock = moved_clock()
    async with running_web(database, clock=clock) as web:
        other = make_runtime(database, NOWHERE, settings=settings_for_test(), clock=clock)
        await refresh_settings(other)
        await web.client.put("/api/settings", json={"recentCallDays": 90})
        await refresh_settings(other)
        assert other.settings.recent_call_days == 30
        clock.move(LOOK_EVERY_SECONDS)
        await refresh_settings(other)
        assert other.settings.recent_call_days == 90
        await other.provider.close()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"accountConcurrencyCap": 0}, "accountConcurrencyCap"),
        ({"defaultRegion": "Germany"}, "defaultRegion"),
        ({"launchPerSecond": "fast"}, "launchPerSecond"),
        ({"vapiApiKey": "x"}, "vapiApiKey"),
    ],
)
async def test_what_cannot_be_is_refused_by_name_and_changes_nothing(
    database: Database, body: dict[str, object], field: str
) -> None:
    async with running_web(database) as web:
        inside = problem(await web.client.put("/api/settings", json=body), 400, "VALIDATION_ERROR")
        assert inside["details"]["field"] == field
        assert await rows(database, "SELECT 1 AS one FROM system_config WHERE key LIKE 'setting:%%'") == []


async def test_a_choice_that_the_environment_of_today_forbids_is_left_out_and_said(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running_web(database) as web:
        async with database.transaction() as conn:
            await conn.execute(
                "INSERT INTO system_config (key, value, updated_at) VALUES ('setting:DEFAULT_REGION', '7', now())"
            )
        await refresh_settings(web.runtime, at_once=True)
        assert web.runtime.settings.default_region == "US"
        assert "settings.not_applied" in "".join(capsys.readouterr())


async def test_an_operator_reads_them_and_changes_none(database: Database) -> None:
    async with running_web(database) as web:
        operator = await sign_in(web, OPERATOR, Role.OPERATOR)
        page = await text_of(operator, "/settings")
        assert "An admin can change these." in page
        assert "Save" not in page
        assert (await operator.post("/settings", data={"defaultRegion": "DE"}, headers=HTMX)).status_code == 403
        assert (await operator.put("/api/settings", json={"defaultRegion": "DE"})).status_code == 403


async def test_the_page_keeps_what_was_typed_beside_what_is_wrong_with_it(database: Database) -> None:
    async with running_web(database) as web:
        admin = await sign_in(web)
        wrong = await admin.post("/settings", data={"recentCallDays": "many", "defaultRegion": "DE"}, headers=HTMX)
        words = words_of(wrong, 400)
        assert 'value="many"' in words
        assert 'id="recentCallDays-problem"' in words
        assert 'value="DE"' in words
        good = await admin.post("/settings", data={"recentCallDays": "7", "defaultRegion": ""}, headers=HTMX)
        assert "Saved. It holds at once." in words_of(good)
        assert web.runtime.settings.recent_call_days == 7
        assert "Nothing was changed." in words_of(
            await admin.post("/settings", data={"recentCallDays": "7"}, headers=HTMX)
        )
