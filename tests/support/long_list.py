"""A list of any length that was nearly called to its end, as it lies in the database when nobody vacuums.

The rows are written as the engine writes them, round after round: a contact is due, then calling, then done; its call
takes a line, is to be looked at, and ends. Only the triggers rest meanwhile. Fill it on a server where nobody
else holds a transaction open: entries that may still be seen cannot be cleared away.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg

from autolynx.runtime import SystemClock
from tests.support.sim import ASSISTANT_SALES, TWILIO_MAIN

LINES = 100  # in use at a time
DONE_PERCENT = 99

_CAMPAIGN = """WITH a AS (INSERT INTO assistants
            (name, source, provider_assistant_id, config_json, created_at, updated_at)
        VALUES ('Riley', 'imported', %(assistant)s, '{"maxDurationSeconds": 600}', %(now)s, %(now)s)
        ON CONFLICT (provider_assistant_id) DO UPDATE SET updated_at = excluded.updated_at RETURNING id)
    INSERT INTO campaigns (id, name, status, mode, cap, assistant_id, phone_number_id, next_position, total_contacts,
        created_at, queued_at, started_at)
    SELECT %(id)s, %(id)s, 'RUNNING', 'continuous', 50, a.id, %(number)s, %(done)s, %(contacts)s, %(now)s, %(now)s,
        %(now)s FROM a"""
_CONTACTS = """INSERT INTO contacts (campaign_id, name, business_name, phone, phone_raw, position)
    SELECT %(id)s, 'Ada', 'Acme', '+1' || (2000000000 + n), '', n FROM generate_series(0, %(contacts)s - 1) AS n"""
_COUNTERS = """INSERT INTO campaign_counters (campaign_id, due, done, ended, answered)
    VALUES (%(id)s, %(contacts)s - %(done)s, %(done)s, %(done)s, %(done)s)"""
# One round of calls after the other, each step committed; after each the look that every claim and tick takes.
_LIFE = """CREATE PROCEDURE pg_temp.live(campaign uuid, done integer, lines integer, began timestamptz) LANGUAGE plpgsql
AS $$
DECLARE
    at timestamptz;
BEGIN
    FOR start IN 0 .. done - 1 BY lines LOOP
        at := began + start * interval '80 milliseconds';
        WITH chosen AS (UPDATE contacts SET state = 'calling', due_at = NULL WHERE campaign_id = campaign
                AND position >= start AND position < least(start + lines, done) RETURNING id)
        INSERT INTO calls (campaign_id, contact_id, attempt, claimed_at, lease_until)
            SELECT campaign, id, 1, at, at + interval '10 seconds' FROM chosen;
        COMMIT;
        PERFORM min(lease_until) FROM calls WHERE holds_line AND status = 'QUEUED' AND dial_started_at IS NULL
            AND provider_call_id IS NULL;
        UPDATE calls SET provider_call_id = 'theirs-' || id, dial_started_at = at, status = 'IN_PROGRESS',
            next_check_at = at + interval '90 seconds' WHERE campaign_id = campaign AND holds_line;
        COMMIT;
        WITH over AS (UPDATE calls SET status = 'ENDED', outcome = 'answered', holds_line = false, is_final = true,
                next_check_at = NULL, started_at = at, ended_at = at + interval '54 seconds', cost_usd = 0.05,
                ended_reason = 'customer-ended-call'
            WHERE campaign_id = campaign AND holds_line RETURNING id, contact_id, provider_call_id),
        told AS (INSERT INTO webhook_inbox (provider_call_id, type, status, our_call_id, state, body, received_at)
            SELECT provider_call_id, 'end-of-call-report', '', id, 'settled', '{}', at FROM over),
        noted AS (INSERT INTO call_events (campaign_id, call_id, status, source, created_at)
            SELECT campaign, id, 'ENDED', 'webhook', at FROM over)
        UPDATE contacts SET state = 'done' WHERE id IN (SELECT contact_id FROM over);
        COMMIT;
        PERFORM count(*) FROM calls WHERE holds_line;
        PERFORM min(next_check_at) FROM calls WHERE next_check_at IS NOT NULL;
    END LOOP;
END $$"""


def fill_long_list(url: str, *, contacts: int, due: int | None = None) -> UUID:
    """Make a running campaign of which all but `due` contacts (1 %) are done, with a call each. Returns its id."""
    campaign_id, now = uuid4(), SystemClock().now()
    values: dict[str, Any] = {
        "id": campaign_id,
        "assistant": ASSISTANT_SALES,
        "number": TWILIO_MAIN,
        "now": now,
        "contacts": contacts,
        "done": contacts * DONE_PERCENT // 100 if due is None else contacts - due,
        "lines": LINES,
        "began": now - timedelta(days=2),
    }
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("SET session_replication_role = replica")  # triggers rest
        conn.execute("SET synchronous_commit = on")  # what is not on disk yet is not taken for dead either
        conn.execute("SET enable_seqscan = off; SET enable_bitmapscan = off")
        for statement in (_CAMPAIGN, _CONTACTS, _COUNTERS):
            conn.execute(statement, values)
        conn.execute(_LIFE)
        conn.execute("CALL pg_temp.live(%(id)s, %(done)s, %(lines)s, %(began)s)", values)
    return campaign_id
