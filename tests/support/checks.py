"""What must hold after any run: asked of the database and of the simulator's ledger."""

import csv
from collections import Counter
from typing import Any
from uuid import UUID

from autolynx.flows.export import open_export
from autolynx.runtime import Runtime
from autolynx.store.database import Database

RECOUNT = """
SELECT n.campaign_id FROM campaign_counters n
CROSS JOIN LATERAL (SELECT count(*) FILTER (WHERE state = 'due') AS due,
    count(*) FILTER (WHERE state = 'calling') AS calling,
    count(*) FILTER (WHERE state = 'done') AS done, count(*) FILTER (WHERE state = 'unsure') AS unsure,
    count(*) FILTER (WHERE state = 'excluded') AS excluded FROM contacts t WHERE t.campaign_id = n.campaign_id) t
CROSS JOIN LATERAL (SELECT count(*) FILTER (WHERE status = 'QUEUED') AS queued,
    count(*) FILTER (WHERE status = 'RINGING') AS ringing,
    count(*) FILTER (WHERE status = 'IN_PROGRESS') AS in_progress,
    count(*) FILTER (WHERE status = 'ENDED') AS ended, count(*) FILTER (WHERE status = 'FAILED') AS failed,
    count(*) FILTER (WHERE status = 'CANCELED') AS canceled, count(*) FILTER (WHERE status = 'TIMEOUT') AS timeout,
    count(*) FILTER (WHERE outcome = 'answered') AS answered,
    count(*) FILTER (WHERE outcome = 'voicemail') AS voicemail,
    count(*) FILTER (WHERE outcome = 'no_answer') AS no_answer, count(*) FILTER (WHERE outcome = 'busy') AS busy,
    count(*) FILTER (WHERE success_evaluation) AS success_true,
    count(*) FILTER (WHERE NOT success_evaluation) AS success_false,
    coalesce(sum(cost_usd), 0) AS cost_usd,
    coalesce(sum(extract(epoch FROM ended_at - started_at))
        FILTER (WHERE outcome = 'answered' AND ended_at >= started_at), 0)
        AS talk_seconds
    FROM calls k WHERE k.campaign_id = n.campaign_id AND k.outcome IS DISTINCT FROM 'not_dialled') k
WHERE (n.due, n.calling, n.done, n.unsure, n.excluded) <> (t.due, t.calling, t.done, t.unsure, t.excluded)
    OR (n.queued, n.ringing, n.in_progress, n.ended, n.failed, n.canceled, n.timeout)
        <> (k.queued, k.ringing, k.in_progress, k.ended, k.failed, k.canceled, k.timeout)
    OR (n.answered, n.voicemail, n.no_answer, n.busy, n.success_true, n.success_false)
        <> (k.answered, k.voicemail, k.no_answer, k.busy, k.success_true, k.success_false)
    OR n.cost_usd <> k.cost_usd OR round(n.talk_seconds, 1) <> round(k.talk_seconds, 1)
"""


async def query(database: Database, sql: str, *values: Any) -> list[dict[str, Any]]:
    """Run one statement and return its rows."""
    async with database.connection() as conn:
        return await (await conn.execute(sql, list(values))).fetchall()


async def assert_counters_are_a_recount(database: Database) -> None:
    """The counters beside the campaigns, and the figures of analytics, say what a recount of the rows says."""
    assert await query(database, RECOUNT) == []
    await assert_figures_are_a_recount(database)


async def assert_figures_are_a_recount(database: Database) -> None:
    """The kept figures are what a recount by PostgreSQL says; what came to nothing may have left a row of zeros."""
    kept, anew = "SELECT * FROM call_figures WHERE completed > 0", "SELECT * FROM recount_figures()"
    assert await query(database, f"({kept} EXCEPT {anew}) UNION ALL ({anew} EXCEPT {kept})") == []


async def assert_nobody_twice(summary: dict[str, Any]) -> None:
    """The witness saw no number dialled more than once, and no request of ours repeated."""
    twice = {number: count for number, count in summary["dialsPerNumber"].items() if count > 1}
    assert twice == {}
    assert summary["repeatedExternalIds"] == {}


async def assert_every_contact_has_an_end(database: Database, campaign_id: UUID, summary: dict[str, Any]) -> None:
    """Each contact was dialled once and has a terminal call, or is listed with the reason why it was not."""
    rows = await query(
        database,
        """SELECT t.phone, t.state, t.reason, count(k.id) FILTER (WHERE k.counts_as_attempt) AS counted,
               array_agg(k.status::text) FILTER (WHERE k.counts_as_attempt) AS statuses
           FROM contacts t LEFT JOIN calls k ON k.contact_id = t.id WHERE t.campaign_id = %s GROUP BY t.id""",
        campaign_id,
    )
    dialled = Counter(summary["dialsPerNumber"])
    for row in rows:
        if row["counted"]:
            assert row["counted"] == 1, row["state"]
            assert set(row["statuses"]) <= {"ENDED", "FAILED", "CANCELED", "TIMEOUT"}, row
        else:
            assert dialled[row["phone"]] == 0, row["state"]
            assert row["reason"], row["state"]


async def assert_export_counters_and_ledger_agree(
    runtime: Runtime, campaign_id: UUID, summary: dict[str, Any], *, contacts: int
) -> None:
    """The exported file, the counters that a page shows and the witness tell of the same calls."""
    export = await open_export(runtime, campaign_id, actor="a test", has_transcript=False, is_for_excel=False)
    text = b"".join([chunk if isinstance(chunk, bytes) else chunk.encode() async for chunk in export.chunks]).decode()
    rows = list(csv.DictReader(text.splitlines()))
    (counters,) = await query(runtime.database, "SELECT * FROM campaign_counters WHERE campaign_id = %s", campaign_id)
    outcomes = Counter(row["outcome"] for row in rows)
    called = [row for row in rows if row["call_status"] != "NOT_CALLED"]
    assert len(rows) == contacts
    assert len(called) == summary["dials"] == counters["done"] + counters["unsure"]
    for outcome in ("answered", "voicemail", "no_answer", "busy"):
        assert outcomes[outcome] == counters[outcome]
