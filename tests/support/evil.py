"""Markup in everything that somebody outside can write: lists, names, what is said on calls and by a provider."""

import json
from typing import Any
from uuid import UUID

from autolynx.domain.actor import Maker
from autolynx.domain.permission import Role, Scope
from autolynx.flows.access import create_token
from autolynx.flows.campaign_edit import NewCampaign, create_campaign
from autolynx.flows.importing import receive_upload
from autolynx.flows.people import add_person, change_person
from autolynx.runtime import Runtime
from tests.support.campaign_rows import (
    START,
    add_assistant,
    add_call,
    add_event,
    add_incident,
    change_campaign,
    change_contact,
    make_unsure,
)
from tests.support.sim import TWILIO_MAIN
from tests.support.web import rows

SHORT = '<evil x="y\'z">'
MARKUP = f'{SHORT}<script>window.evil=1</script><img src=x onerror="window.evil=1">'
SCRIPT_ADDRESS = "javascript:window.evil=1"
HEADER = f"{SHORT} city"
SPOKEN = {"secondsFromStart": 1.0, "message": MARKUP}


def quoted(text: str) -> str:
    """Return a text as a cell of a CSV."""
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


async def infest(runtime: Runtime, email: str) -> dict[str, str]:
    """Put markup everywhere; return the ids of it all by the names that addresses give them."""
    database = runtime.database
    assistant_id = await _assistant(runtime)
    upload_id = await _upload(runtime)
    campaign_id = await _campaign(runtime, upload_id, assistant_id)
    call_id = await _call(runtime, campaign_id)
    await make_unsure(database, campaign_id, position=1)
    await rows(database, "UPDATE calls SET reason = %s WHERE unsure_at IS NOT NULL RETURNING id", MARKUP)
    await add_incident(database, "double_dial", MARKUP, campaign_id=campaign_id)
    person = await add_person(runtime, "o'neill@example.com", name="Zoë", actor=MARKUP)
    await change_person(runtime, person.id, name=MARKUP, role=Role.ADMIN, actor=email)
    token = await create_token(runtime, MARKUP, scopes=[Scope.READ], person=person)
    await rows(database, "UPDATE gate SET held_at = %s, hold_reason = %s RETURNING id", START, MARKUP)
    await rows(
        database,
        "INSERT INTO phone_numbers (id, label, provider, seen_at) VALUES ('evil', %s, 'vapi', %s) RETURNING id",
        MARKUP,
        START,
    )
    known: dict[str, Any] = {
        "assistant_id": assistant_id,
        "upload_id": await _upload(runtime),
        "campaign_id": campaign_id,
        "call_id": call_id,
        "user_id": person.id,
        "token_id": token.token.id,
    }
    return {name: str(value) for name, value in known.items()}


async def _assistant(runtime: Runtime) -> UUID:
    assistant_id = await add_assistant(runtime.database, name=SHORT)
    system = {"role": "system", "content": MARKUP}
    config = {
        "firstMessage": MARKUP,
        "voicemailMessage": MARKUP,
        "endCallMessage": MARKUP,
        "endCallPhrases": [MARKUP],
        "model": {"provider": SHORT, "model": SHORT, "messages": [system]},
        "voice": {"provider": SHORT, "voiceId": SHORT},
        "analysisPlan": {"successEvaluationPlan": {"rubric": SHORT, "messages": [system]}},
        "metadata": {SHORT: MARKUP},
    }
    database = runtime.database
    values = [json.dumps(config), assistant_id]
    await rows(database, "UPDATE assistants SET config_json = %s WHERE id = %s RETURNING id", *values)
    for number, shown in enumerate(({}, config), start=1):
        await rows(
            database,
            """INSERT INTO assistant_versions (assistant_id, number, name, config_json, action, actor, at)
               VALUES (%s, %s, %s, %s, 'edited', %s, %s) RETURNING number""",
            *(assistant_id, number, SHORT, json.dumps(shown), MARKUP, START),
        )
    return assistant_id


async def _upload(runtime: Runtime) -> UUID:
    cells = [quoted(cell) for cell in (f"Ada {MARKUP}", f"Acme {MARKUP}", "+12025550151", MARKUP)]
    second = [quoted(cell) for cell in (f"Bob {MARKUP}", f"Bolt {MARKUP}", "+12025550152", MARKUP)]
    bad = [quoted(cell) for cell in (MARKUP, MARKUP, MARKUP, MARKUP)]
    header = ["name", "business_name", "phone", quoted(HEADER)]
    text = "".join(",".join(line) + "\n" for line in (header, cells, second, bad))

    async def chunks() -> Any:
        yield text.encode()

    view = await receive_upload(runtime, file_name=f"{SHORT}.csv", chunks=chunks())
    assert view.report.accepted == 2, view.report
    return view.id


async def _campaign(runtime: Runtime, upload_id: UUID, assistant_id: UUID) -> UUID:
    wanted = NewCampaign(
        upload_id=upload_id, assistant_id=assistant_id, name=f"{SHORT}<img src=x>", phone_number_id=TWILIO_MAIN
    )
    made = await create_campaign(runtime, wanted, by=Maker(name=MARKUP))
    changed = {"status": "PAUSED", "status_reason": MARKUP, "started_at": START, "queued_at": START}
    await change_campaign(runtime.database, made.campaign.id, **changed)
    return made.campaign.id


async def _call(runtime: Runtime, campaign_id: UUID) -> UUID:
    call_id = await add_call(
        runtime.database,
        campaign_id,
        0,
        provider_call_id=SHORT,
        started_at=START,
        ended_at=START,
        summary=MARKUP,
        reason=MARKUP,
        ended_reason=SHORT,
        transcript_json=[{"role": "bot", **SPOKEN}, {"role": "user", **SPOKEN}, {"role": SHORT, **SPOKEN}],
        recording_url=SCRIPT_ADDRESS,
        success_raw=SHORT,
    )
    await change_contact(runtime.database, campaign_id, 0, state="done", reason=MARKUP)
    await add_event(runtime.database, campaign_id, call_id)
    return call_id
