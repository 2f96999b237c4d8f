"""A database that has seen a year: 500 campaigns, a million contacts, a million calls.

One campaign has a quarter of them, the others an equal part of the rest; most are over, eight are running. Triggers and
the indexes that PostgreSQL can do without rest while the rows are written; counters and figures are counted afterwards.
"""

from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql

ASSISTANTS = 10
NAMES = ("Riley", "Morgan", "Casey", "Jordan", "Avery", "Quinn", "Rowan", "Sage", "Skyler", "Emerson")
DAYS = 365

_ASSISTANTS = """INSERT INTO assistants
        (id, name, source, provider_assistant_id, config_json, created_at, updated_at)
    SELECT md5('assistant' || n)::uuid, (%(names)s::text[])[n + 1], 'imported', 'benchmark-' || n,
        '{"maxDurationSeconds": 600, "firstMessage": "Hello, this is a call of a benchmark."}', %(began)s, %(began)s
    FROM generate_series(0, %(assistants)s - 1) AS n"""
# The first is the big one. The last eight are running, and 1 % of their contacts are due.
_CAMPAIGNS = """INSERT INTO campaigns (id, name, status, mode, cap, assistant_id, phone_number_id, next_position,
        total_contacts, created_at, queued_at, started_at, completed_at)
    SELECT md5('campaign' || n)::uuid,
        (ARRAY['Spring offer', 'Renewal', 'Survey', 'Reminder', 'Welcome'])[1 + n %% 5] || ' ' || n,
        (CASE WHEN n >= %(campaigns)s - 8 THEN 'RUNNING' WHEN n %% 17 = 3 THEN 'CANCELED' ELSE 'COMPLETED' END)
            ::campaign_status,
        'continuous', 8, md5('assistant' || n %% %(assistants)s)::uuid, 'line', size, size, began, began, began,
        CASE WHEN n < %(campaigns)s - 8 THEN began + interval '1 day' END
    FROM (SELECT n, CASE WHEN n = 0 THEN %(big)s ELSE %(small)s END AS size,
        %(began)s::timestamptz + n * interval '1 day' * %(days)s / %(campaigns)s AS began
        FROM generate_series(0, %(campaigns)s - 1) AS n) s"""
_CONTACTS = """INSERT INTO contacts (id, campaign_id, name, business_name, phone, phone_raw, position, state, variables)
    SELECT md5('contact' || c.id || n)::uuid, c.id, 'Ada Example ' || n, 'Example Company ' || n %% 5000,
        '+1' || (2000000000 + n), '', n, CASE WHEN c.status = 'RUNNING' AND n %% 100 = 7 THEN 'due' ELSE 'done' END,
        '{"city": "Springfield"}'
    FROM campaigns c CROSS JOIN generate_series(0, %(big)s - 1) AS n WHERE n < c.total_contacts"""
# Ten hours of calls a day; in a small campaign one every 24 seconds, in the big one every six.
_CALLS = """INSERT INTO calls (id, campaign_id, contact_id, attempt, provider_call_id, status, outcome, holds_line,
        is_final, claimed_at, lease_until, dial_started_at, started_at, ended_at, ended_reason, cost_usd, recording_url,
        summary, success_raw, success_evaluation, transcript_json)
    SELECT md5('call' || t.id)::uuid, t.campaign_id, t.id, 1, 'theirs-' || t.id, o.status, o.outcome, false, true,
        at, at, at,
        CASE WHEN o.outcome = 'answered' THEN at + interval '8 seconds' END, at + interval '8 seconds' + talk,
        'customer-ended-call', (0.01 + extract(epoch FROM talk) / 1000)::numeric(10, 4),
        'there', CASE WHEN o.outcome = 'answered' THEN 'They talked about the offer and agreed on a visit.' END,
        success::text, success,
        CASE WHEN o.outcome = 'answered' THEN '[{"role": "assistant", "message": "Hello, do you have a minute?"},
            {"role": "user", "message": "Yes, tell me."}]'::jsonb END
    FROM contacts t JOIN campaigns c ON c.id = t.campaign_id
    CROSS JOIN LATERAL (SELECT t.position * 7919 %% 100 AS dice, CASE WHEN t.campaign_id = md5('campaign0')::uuid
        THEN 6000 ELSE 1500 END AS a_day) d
    CROSS JOIN LATERAL (SELECT CASE WHEN dice < 42 THEN 'answered' WHEN dice < 65 THEN 'voicemail'
            WHEN dice < 88 THEN 'no_answer' WHEN dice < 95 THEN 'busy' WHEN dice < 97 THEN 'bad_number'
            WHEN dice < 99 THEN 'silence' ELSE 'provider_error' END AS outcome,
        (CASE WHEN dice < 99 THEN 'ENDED' ELSE 'FAILED' END)::call_status AS status,
        c.started_at + t.position / a_day * interval '1 day' + t.position %% a_day * interval '10 hours' / a_day AS at,
        CASE WHEN dice < 42 THEN (3 + t.position * 31 %% 200) * interval '1 second' ELSE interval '0' END AS talk,
        CASE WHEN dice < 20 THEN true WHEN dice < 42 THEN false END AS success) o
    WHERE t.state = 'done' ORDER BY c.created_at, t.position"""
_LIVE = """INSERT INTO calls (campaign_id, contact_id, attempt, provider_call_id, status, claimed_at, lease_until,
        dial_started_at)
    SELECT campaign_id, id, 1, 'live-' || id, 'IN_PROGRESS', %(now)s, %(now)s, %(now)s FROM contacts
    WHERE state = 'due' AND position = 7"""
_EVENTS = """INSERT INTO call_events (campaign_id, call_id, status, source, payload, created_at)
    SELECT campaign_id, id, status, 'webhook', '{"said": "ended"}', ended_at FROM calls
    WHERE campaign_id IN (md5('campaign0')::uuid, md5('campaign1')::uuid) AND ended_at IS NOT NULL"""
_COUNTERS = """INSERT INTO campaign_counters (campaign_id, due, calling, done, in_progress, ended, failed, answered,
        voicemail, no_answer, busy, silence, bad_number, provider_error, success_true, success_false, cost_usd,
        talk_seconds, talks)
    SELECT c.id, t.due - coalesce(k.live, 0), coalesce(k.live, 0), t.done, coalesce(k.live, 0), f.completed - f.failed,
        f.failed, f.answered, f.voicemail, f.no_answer, f.busy, f.silence, f.bad_number, f.failed, f.yes, f.no, f.cost,
        f.talk_seconds, f.talks
    FROM campaigns c
    JOIN (SELECT campaign_id, count(*) FILTER (WHERE state = 'due') AS due,
            count(*) FILTER (WHERE state = 'done') AS done FROM contacts GROUP BY campaign_id) t ON t.campaign_id = c.id
    JOIN (SELECT campaign_id, sum(completed) AS completed, sum(provider_error) AS failed, sum(answered) AS answered,
            sum(voicemail) AS voicemail, sum(no_answer) AS no_answer, sum(busy) AS busy, sum(silence) AS silence,
            sum(bad_number) AS bad_number, sum(success_true) AS yes, sum(success_false) AS no, sum(cost_usd) AS cost,
            sum(talk_seconds) AS talk_seconds, sum(talks) AS talks
        FROM call_figures GROUP BY campaign_id) f ON f.campaign_id = c.id
    LEFT JOIN (SELECT campaign_id, count(*) AS live FROM calls WHERE status = 'IN_PROGRESS' GROUP BY campaign_id) k
        ON k.campaign_id = c.id"""
_STATEMENTS = (
    "UPDATE gate SET held_at = %(now)s, hold_reason = 'Nobody is called by a benchmark.'",
    _ASSISTANTS,
    _CAMPAIGNS,
    _CONTACTS,
    _CALLS,
    _LIVE,
    "UPDATE contacts SET state = 'calling' WHERE state = 'due' AND position = 7",
    _EVENTS,
    "INSERT INTO call_figures SELECT * FROM recount_figures()",
    _COUNTERS,
)
_SPARED = """SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS definition FROM pg_index i
    WHERE i.indrelid IN ('contacts'::regclass, 'calls'::regclass)
        AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)"""


def fill_million(url: str, *, contacts: int, campaigns: int, now: datetime) -> None:
    """Fill an empty migrated database."""
    big = contacts // 4
    values: dict[str, Any] = {
        "assistants": ASSISTANTS,
        "names": list(NAMES),
        "campaigns": campaigns,
        "big": big,
        "small": (contacts - big) // (campaigns - 1),
        "days": DAYS,
        "began": now - timedelta(days=DAYS),
        "now": now,
    }
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("SET session_replication_role = replica")  # triggers rest
        conn.execute("SET synchronous_commit = off; SET maintenance_work_mem = '512MB'; SET work_mem = '256MB'")
        spared = conn.execute(_SPARED).fetchall()
        for name, _ in spared:
            conn.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
        for statement in _STATEMENTS:
            conn.execute(statement, values)
        for _, definition in spared:
            conn.execute(definition)
        conn.execute("VACUUM ANALYZE")
