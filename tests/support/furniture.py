"""Campaigns in every state, as an operator finds them on an ordinary day, put straight into the database."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import cycle
from typing import Any
from uuid import UUID

from autolynx.runtime import SystemClock
from autolynx.store.database import Database
from tests.support.campaign_rows import add_call, add_event, change_campaign, change_contact
from tests.support.engine import make_campaign

LONG_NAME = "Wolfeschlegelsteinhausenbergerdorff" * 2
# From right to left, without a space, with pictures, with markup that must stay text.
NAMES = [
    ("ليلى الحداد", "مخبز الحداد للحلويات الشرقية"),
    (LONG_NAME, "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbau" * 3),
    ("🌻🌻🌻 Ana-Sofía 👩‍🚀", "Flores & Sueños 🌷🌹💐"),
    ("<b>Siobhán</b> O'Brien", '"Quotes" & <i>Sons</i>'),
]
TALK = [
    {"role": "bot", "message": "Good day, Riley speaking. Is this Ada?", "secondsFromStart": 0.4},
    {"role": "user", "message": "Yes, speaking. What is this about?", "secondsFromStart": 3.1},
    {"role": "bot", "message": "About your books. Would Thursday suit?", "secondsFromStart": 5.9},
]
ENDS: list[dict[str, Any]] = [
    {"outcome": "answered", "ended_reason": "customer-ended-call", "success_evaluation": True, "success_raw": "true"},
    {"outcome": "voicemail", "ended_reason": "voicemail"},
    {"outcome": "no_answer", "ended_reason": "customer-did-not-answer"},
    {
        "outcome": "answered",
        "ended_reason": "assistant-ended-call",
        "success_evaluation": False,
        "success_raw": "false",
    },
    {"outcome": "busy", "ended_reason": "customer-busy"},
    {"outcome": "provider_error", "status": "FAILED", "ended_reason": "pipeline-error-openai-llm-failed"},
]


@dataclass(frozen=True, kw_only=True)
class Furniture:
    """What stands there."""

    completed: UUID
    running: UUID
    paused: UUID
    waiting: UUID
    failed: UUID
    unsure_call: UUID
    call: UUID
    assistant: UUID


async def furnish(database: Database) -> Furniture:
    """Put everything in. Nothing moves: what runs has no contact that is due."""
    now = SystemClock().now()
    completed, call = await _called(database, name="Renewals, June", began_at=now - timedelta(days=1), contacts=12)
    await change_campaign(database, completed, status="COMPLETED", completed_at=now - timedelta(hours=20))
    running, _ = await _called(database, name="🍂 Autumn hours", began_at=now - timedelta(minutes=5), contacts=8)
    await change_campaign(database, running, status="RUNNING")
    paused, unsure = await _called(database, name=f"{LONG_NAME}, paused", began_at=now - timedelta(hours=2), contacts=4)
    await change_campaign(database, paused, status="PAUSED")
    reason = "Nobody can say whether this contact was called: a person has to decide."
    await change_contact(database, paused, 0, state="unsure", reason=reason)
    await _doubt(database, paused, unsure, reason, now)
    waiting = await make_campaign(database, contacts=60, name="מבצע אביב")
    failed = await make_campaign(database, contacts=3, name="No credit")
    await change_campaign(
        database, failed, status="FAILED", started_at=now, status_reason="The account has no credit left; top it up."
    )
    async with database.connection() as conn:
        row = await (await conn.execute("SELECT assistant_id AS id FROM campaigns LIMIT 1")).fetchone()
    assert row is not None
    return Furniture(
        completed=completed,
        running=running,
        paused=paused,
        waiting=waiting,
        failed=failed,
        unsure_call=unsure,
        call=call,
        assistant=row["id"],
    )


async def _called(database: Database, *, name: str, began_at: datetime, contacts: int) -> tuple[UUID, UUID]:
    """Make a campaign whose contacts have all been called; return it and the first call."""
    campaign_id = await make_campaign(database, contacts=contacts, name=name)
    await change_campaign(database, campaign_id, created_at=began_at, queued_at=began_at, started_at=began_at)
    for position, (who, business) in enumerate(NAMES):
        await change_contact(database, campaign_id, position, name=who[:100], business_name=business[:200])
    calls = []
    for position, end in zip(range(contacts), cycle(ENDS), strict=False):
        at = began_at + timedelta(seconds=40 * position)
        talk = {"transcript_json": TALK, "summary": "They talked about books."} if end["outcome"] == "answered" else {}
        times = {"claimed_at": at, "lease_until": at, "dial_started_at": at, "started_at": at}
        ended = {"ended_at": at + timedelta(seconds=35), "cost_usd": "0.087", "last_status_at": at}
        calls.append(await add_call(database, campaign_id, position, **{**times, **ended, **talk, **end}))
        await add_event(database, campaign_id, calls[-1])
        await change_contact(database, campaign_id, position, state="done")
    return campaign_id, calls[0]


async def _doubt(database: Database, campaign_id: UUID, call_id: UUID, reason: str, now: datetime) -> None:
    """Let nobody know whether a call was placed."""
    async with database.connection() as conn:
        await conn.execute(
            """UPDATE calls SET status = 'TIMEOUT', outcome = 'unsure', is_final = false, unsure_at = %s, reason = %s,
                   started_at = NULL, ended_at = NULL, ended_reason = NULL, cost_usd = NULL, success_evaluation = NULL,
                   success_raw = NULL, transcript_json = NULL, summary = NULL WHERE id = %s""",
            [now, reason, call_id],
        )
        await conn.execute(
            """INSERT INTO incidents (kind, campaign_id, call_id, sentence, created_at)
               VALUES ('unsure', %s, %s, %s, %s)""",
            [campaign_id, call_id, reason, now],
        )
