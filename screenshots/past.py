"""Moves what was just called into the past: a month of work, made in seconds."""

from datetime import datetime, timedelta
from uuid import UUID

from autolynx.store.database import Connection, Database

MOMENTS = {
    "campaigns": ("id", ["quiet_at", "last_served_at", "created_at", "queued_at", "started_at", "completed_at"]),
    "contacts": ("campaign_id", ["due_at"]),
    "calls": (
        "campaign_id",
        ["claimed_at", "lease_until", "dial_started_at", "last_status_at", "unsure_at", "cancel_requested_at"],
    ),
    "call_events": ("campaign_id", ["created_at"]),
    "incidents": ("campaign_id", ["created_at"]),
    "campaign_files": ("campaign_id", ["loaded_at"]),
}


async def move_into_past(database: Database, campaign_id: UUID, *, began_at: datetime, hours: float) -> None:
    """Let a campaign have begun at that moment and taken so many hours. The length of its calls stays as it is."""
    async with database.transaction() as conn:
        first, last = await _span(conn, campaign_id)
        await conn.execute("SET LOCAL session_replication_role = 'replica'")  # history is append-only otherwise
        factor = timedelta(hours=hours) / max(last - first, timedelta(seconds=1))
        values = {"id": campaign_id, "began": began_at, "first": first, "factor": factor}
        # Lengths of calls come from the provider, whose clock runs faster than ours: they are kept.
        await conn.execute(
            """UPDATE calls SET ended_at = %(began)s + (claimed_at - %(first)s) * %(factor)s + (ended_at - started_at)
                   + interval '8 seconds',
                   started_at = %(began)s + (claimed_at - %(first)s) * %(factor)s + interval '8 seconds'
               WHERE campaign_id = %(id)s""",
            values,
        )
        for table, (key, columns) in MOMENTS.items():
            moved = ", ".join(f"{one} = %(began)s + ({one} - %(first)s) * %(factor)s" for one in columns)
            await conn.execute(f"UPDATE {table} SET {moved} WHERE {key} = %(id)s", values)
        await conn.execute("DELETE FROM call_figures WHERE campaign_id = %(id)s", values)
        await conn.execute(
            "INSERT INTO call_figures SELECT * FROM recount_figures() WHERE campaign_id = %(id)s", values
        )


async def _span(conn: Connection, campaign_id: UUID) -> tuple[datetime, datetime]:
    cursor = await conn.execute(
        """SELECT c.created_at AS first, coalesce(max(k.claimed_at), c.created_at) AS last
           FROM campaigns c LEFT JOIN calls k ON k.campaign_id = c.id WHERE c.id = %s GROUP BY c.id""",
        [campaign_id],
    )
    row = await cursor.fetchone()
    assert row is not None
    return row["first"], row["last"]


async def leave_in_doubt(database: Database, campaign_id: UUID, *, contacts: int, sentence: str) -> None:
    """Set some contacts aside, as after a crash in the very moment of their dials."""
    async with database.transaction() as conn:
        cursor = await conn.execute(
            """UPDATE calls SET status = 'TIMEOUT', outcome = 'unsure', is_final = false, unsure_at = claimed_at,
                   reason = %(sentence)s, provider_call_id = NULL, transcript_json = NULL, summary = NULL,
                   recording_url = NULL, started_at = NULL, ended_at = NULL, ended_reason = NULL, cost_usd = NULL,
                   success_raw = NULL, success_evaluation = NULL
               WHERE id IN (SELECT id FROM calls WHERE campaign_id = %(id)s AND outcome = 'no_answer' LIMIT %(most)s)
               RETURNING id, contact_id, claimed_at""",
            {"id": campaign_id, "most": contacts, "sentence": sentence},
        )
        for row in await cursor.fetchall():
            await conn.execute(
                "UPDATE contacts SET state = 'unsure', reason = %s WHERE id = %s", [sentence, row["contact_id"]]
            )
            await conn.execute(
                """INSERT INTO incidents (kind, campaign_id, call_id, sentence, created_at)
                   VALUES ('unsure', %s, %s, %s, %s)""",
                [campaign_id, row["id"], sentence, row["claimed_at"]],
            )


async def tell_incident(database: Database, campaign_id: UUID, *, kind: str, sentence: str, at: datetime) -> None:
    """Write down an incident."""
    async with database.connection() as conn:
        await conn.execute(
            "INSERT INTO incidents (kind, campaign_id, sentence, created_at) VALUES (%s, %s, %s, %s)",
            [kind, campaign_id, sentence, at],
        )
