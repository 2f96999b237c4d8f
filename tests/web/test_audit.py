"""The audit log: append-only, who did what when and from where, read by page, as JSON and as CSV."""

import csv
import io
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from autolynx.domain.permission import Role
from autolynx.flows.access import create_token
from autolynx.flows.refill import Refiller
from autolynx.origin import CONSOLE, acting_from, get_origin
from autolynx.store.database import Database
from tests.support.campaign_rows import add_call, add_event, make_campaign
from tests.support.engine import MovedClock
from tests.support.signed_in import sign_in, text_of
from tests.support.web import CRON_SECRET, rows, running_web

pytestmark = pytest.mark.anyio
MARCH = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


async def add_entry(database: Database, action: str, **values: Any) -> None:
    """Append an entry as it was written some day."""
    row = {"at": MARCH, "actor": "ada@example.com", "origin": "203.0.113.9", "subject": None, "details": {}, **values}
    row["details"] = Jsonb(row["details"])
    async with database.connection() as conn:
        await conn.execute(
            """INSERT INTO audit_log (at, actor, origin, action, subject, details)
               VALUES (%(at)s, %(actor)s, %(origin)s, %(action)s, %(subject)s, %(details)s)""",
            {**row, "action": action},
        )


async def execute(database: Database, *statements: str) -> None:
    """Execute statements in one transaction."""
    async with database.transaction() as conn:
        for statement in statements:
            await conn.execute(statement)


@pytest.mark.parametrize("table", ["audit_log", "call_events"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET id = DEFAULT", "DELETE FROM {}", "TRUNCATE {}"])
@pytest.mark.parametrize("setting", ["off", "on"])
async def test_nobody_rewrites_history(database: Database, table: str, statement: str, setting: str) -> None:
    campaign_id = await make_campaign(database, contacts=1)
    await add_event(database, campaign_id, await add_call(database, campaign_id, 0))
    await add_entry(database, "campaign.started")
    with pytest.raises(psycopg.errors.IntegrityError, match=f"{table} is append-only"):
        await execute(database, f"SET LOCAL autolynx.retention = '{setting}'", statement.format(table))


async def test_one_function_alone_lets_old_history_go_and_only_what_is_old(database: Database) -> None:
    campaign_id = await make_campaign(database, contacts=1)
    await add_event(database, campaign_id, await add_call(database, campaign_id, 0))
    await add_entry(database, "campaign.started")
    await add_entry(database, "campaign.stopped", at=datetime(2026, 6, 1, tzinfo=UTC))
    may = datetime(2026, 5, 1, tzinfo=UTC)
    for what in ("old events", "old audit"):
        (done,) = await rows(database, "SELECT rewrite_history(%s, %s, NULL, 10) AS n", what, may)
        assert done["n"] == 1
    assert await rows(database, "SELECT id FROM call_events") == []
    assert [row["action"] for row in await rows(database, "SELECT action FROM audit_log")] == ["campaign.stopped"]
    allowed = "SELECT rewrite_history('old audit', '2026-05-01', NULL, 10)"
    with pytest.raises(psycopg.errors.IntegrityError):  # what it may do ends with it
        await execute(database, allowed, "DELETE FROM audit_log")


async def test_an_entry_says_from_where_it_was_done(database: Database) -> None:
    async with running_web(database) as web:
        await web.client.post("/api/dialing/hold", json={})
        with acting_from(CONSOLE):
            await create_token(web.runtime, "by hand")
        assert get_origin() is None
    found = await rows(database, "SELECT action, actor, origin FROM audit_log ORDER BY id")
    assert [(row["action"], row["actor"], row["origin"]) for row in found[-2:]] == [
        ("dialing.held", "test", "203.0.113.7"),
        ("api.created", "console", "console"),
    ]


class WatchingClock(MovedClock):
    """Writes down from where those act who ask for the time."""

    def __init__(self) -> None:
        super().__init__(MARCH)
        self.seen: set[str | None] = set()

    def now(self) -> datetime:
        self.seen.add(get_origin())
        return super().now()


async def test_cron_and_the_clockwork_are_doors_of_their_own(database: Database) -> None:
    clock = WatchingClock()
    async with running_web(database, clock=clock) as web:
        clock.seen.clear()
        answer = await web.stranger.post("/api/scheduler/tick", headers={"Authorization": f"Bearer {CRON_SECRET}"})
        assert answer.status_code == 200
        assert clock.seen == {"cron"}
        clock.seen.clear()
        with acting_from("203.0.113.7"):
            refiller = Refiller(web.runtime)
            refiller.request()
            await refiller.drain()
        assert clock.seen == {"tick"}


async def test_the_log_is_filtered_and_paged_over_json(database: Database) -> None:
    for number in range(5):
        await add_entry(database, "campaign.started", subject=f"s{number}")
    await add_entry(database, "campaigns.odd", actor="50%_off")
    await add_entry(database, "token.created", actor="Bob", at=datetime(2026, 3, 3, 0, 0, tzinfo=UTC))
    async with running_web(database) as web:

        async def ask(**params: Any) -> list[str]:
            answer = await web.client.get("/api/audit", params={"limit": 50, "to": "2026-03-30", **params})
            assert answer.status_code == 200, answer.text
            return [entry["action"] for entry in answer.json()["entries"]]

        assert await ask(action="campaign") == ["campaign.started"] * 5
        assert await ask(action="token.created") == ["token.created"]
        assert await ask(actor="bob") == ["token.created"]
        assert await ask(actor="50%_") == ["campaigns.odd"]
        assert await ask(actor="%") == ["campaigns.odd"]
        assert len(await ask(**{"from": "2026-03-02", "to": "2026-03-02"})) == 6
        assert await ask(**{"from": "2026-03-03"}) == ["token.created"]
        page = (await web.client.get("/api/audit", params={"action": "campaign", "limit": 2, "page": 3})).json()
        assert [entry["subject"] for entry in page["entries"]] == ["s0"]
        assert page["pagination"] == {"page": 3, "limit": 2, "total": 5, "pages": 3}
        assert set(page["entries"][0]) == {"id", "at", "actor", "origin", "action", "subject", "details"}
        assert (await web.client.get("/api/audit", params={"from": "soon"})).status_code == 400
        for path in ("/api/audit", "/api/audit.csv", "/audit"):
            assert (await web.stranger.get(path)).status_code == 401


async def test_the_export_is_harmless_in_a_spreadsheet_and_stands_in_the_log(database: Database) -> None:
    await add_entry(database, "session.refused", actor="=HYPERLINK(1)", details={"count": 3})
    for number in range(1_005):
        await add_entry(database, "campaign.started", subject=str(number))
    async with running_web(database) as web:
        answer = await web.client.get("/api/audit.csv", params={"to": "2026-03-30"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    lines = list(csv.reader(io.StringIO(answer.text)))
    assert lines[0] == ["at", "actor", "origin", "action", "subject", "details"]
    assert lines[1] == ["2026-03-02T10:00:00Z", "'=HYPERLINK(1)", "203.0.113.9", "session.refused", "", '{"count": 3}']
    assert len(lines) == 1_007
    assert lines[-1][4] == "1004"
    (entry,) = await rows(database, "SELECT actor, origin FROM audit_log WHERE action = 'audit.exported'")
    assert entry == {"actor": "test", "origin": "203.0.113.7"}


async def test_the_page_keeps_its_filters_in_the_address_and_leads_on(database: Database) -> None:
    campaign_id = await make_campaign(database, contacts=1)
    for _ in range(30):
        await add_entry(database, "campaign.stopped", subject=str(campaign_id), details={"hangUp": True})
    await add_entry(database, "campaign.deleted", subject="gone")
    await add_entry(database, "token.created", actor="<b>Bob</b>")
    async with running_web(database) as web:
        browser = await sign_in(web)
        page = await text_of(browser, "/audit?action=campaign.stopped&actor=ada&from=2026-03-01")
        assert "1 to 25 of 30 entries" in page
        assert 'href="/audit?actor=ada&amp;action=campaign.stopped&amp;from=2026-03-01&amp;page=2"' in page
        assert 'href="/api/audit.csv?actor=ada&amp;action=campaign.stopped&amp;from=2026-03-01"' in page
        assert f'href="/campaigns/{campaign_id}"' in page
        assert "hang up: yes" in page
        assert '<option value="campaign.stopped" selected>Campaign stopped</option>' in page
        assert "Token created" in page
        second = await text_of(browser, "/audit?action=campaign&page=2")
        assert "26 to 31 of 31 entries" in second
        assert 'href="/campaigns/gone"' not in await text_of(browser, "/audit?action=campaign.deleted")
        assert "&lt;b&gt;Bob&lt;/b&gt;" in await text_of(browser, "/audit?action=token.created")
        assert "No entry matches." in await text_of(browser, "/audit?actor=nobody&from=nonsense")
        assert 'href="/audit"' in await text_of(browser, "/system")


async def test_a_refusal_is_on_record_once_a_minute(database: Database) -> None:
    clock = MovedClock(MARCH)
    async with running_web(database, clock=clock) as web:
        browser = await sign_in(web, "op@example.com", Role.OPERATOR)
        for _ in range(3):
            assert (await browser.get("/api/audit")).status_code == 403
        clock.move(61)
        assert (await browser.get("/privacy")).status_code == 403
    found = await rows(database, "SELECT actor, details FROM audit_log WHERE action = 'access.refused' ORDER BY id")
    assert found == [
        {"actor": "op@example.com", "details": {"permission": "audit:read"}},
        {"actor": "op@example.com", "details": {"permission": "privacy:manage"}},
    ]
