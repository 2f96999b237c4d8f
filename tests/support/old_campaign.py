"""A campaign that was called long ago, with everything that is kept of its people."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from autolynx.archive.folder import RecordingFolder
from autolynx.flows.ingest import receive_webhook
from autolynx.runtime import Runtime
from autolynx.store.database import Database
from tests.support.campaign_rows import add_call, change_campaign, change_contact, make_campaign
from tests.support.checks import query
from tests.support.vapi_bodies import call, report

NAME, BUSINESS, SAID = "Quixotina Marker", "Marker & Daughters", "my cat is called Tiberius"


async def called_campaign(
    runtime: Runtime, *, over_at: datetime, contacts: int = 2, status: str = "COMPLETED", folder: Path | None = None
) -> UUID:
    """Let people be called and speak; their recordings lie in the folder."""
    database = runtime.database
    campaign_id = await make_campaign(database, contacts=contacts)
    for position in range(contacts):
        values = {"name": NAME, "business_name": BUSINESS, "variables": {"city": "Markerville"}}
        await change_contact(database, campaign_id, position, **values)
        began_at = over_at - timedelta(minutes=5)
        call_id = await add_call(
            database, campaign_id, position, claimed_at=began_at, provider_call_id=str(uuid4()), is_final=False
        )
        await receive_webhook(runtime, await report_of(database, call_id))
        if folder is not None:
            await _record(database, folder, call_id, at=over_at)
    await change_contact_states(database, campaign_id)
    await change_campaign(database, campaign_id, status=status, completed_at=over_at)
    return campaign_id


async def report_of(database: Database, call_id: UUID, **changes: Any) -> dict[str, Any]:
    """What the provider reports at the end of a call, with all that a person said and is."""
    (known,) = await query(
        database,
        "SELECT k.provider_call_id, t.phone FROM calls k JOIN contacts t ON t.id = k.contact_id WHERE k.id = %s",
        call_id,
    )
    customer = {"number": known["phone"], "name": NAME, "externalId": str(call_id)}
    metadata = {"metadata": {"callId": str(call_id)}, "variableValues": {"name": NAME, "city": "Markerville"}}
    told = call(id=known["provider_call_id"], name=str(call_id), customer=customer, assistantOverrides=metadata)
    messages = [{"role": "user", "message": SAID, "secondsFromStart": 1.0}]
    return report(
        call=told,
        customer=customer,
        artifact={
            "transcript": f"User: {SAID}\n",
            "messages": messages,
            "recordingUrl": "https://r.example.test/1.wav",
        },
        analysis={"summary": f"She says that {SAID}.", "successEvaluation": "true"},
        **changes,
    )


async def change_contact_states(database: Database, campaign_id: UUID, state: str = "done") -> None:
    """Let all contacts of a campaign stand there."""
    await query(database, "UPDATE contacts SET state = %s WHERE campaign_id = %s RETURNING id", state, campaign_id)


async def _record(database: Database, folder: Path, call_id: UUID, *, at: datetime) -> None:
    async def chunks() -> Any:
        yield b"RIFF marker"

    await RecordingFolder(folder).keep(call_id, chunks(), most_bytes=100)
    await query(
        database,
        """UPDATE call_recordings SET state = 'kept', due_at = NULL, content_type = 'audio/wav', size_bytes = 11,
               kept_at = %s WHERE call_id = %s RETURNING call_id""",
        at,
        call_id,
    )


async def everything(database: Database) -> str:
    """Return every row of every table as text: what must not be anywhere is not in it."""
    tables = await query(
        database,
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY relname",
    )
    rows = [await query(database, f"SELECT t::text AS row FROM {table['relname']} t") for table in tables]
    return "\n".join(row["row"] for found in rows for row in found)
