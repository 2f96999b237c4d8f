"""What really happened, by the provider's own ledger, held against what the database believes."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any
from uuid import UUID

from autolynx.store.database import Database
from tests.support.checks import RECOUNT, query

ACTIVE = ("QUEUED", "RINGING", "IN_PROGRESS")
# What an operator shall see of each way that a call goes in the simulated town.
SHOWN = {
    "human-good": ("ENDED", "answered"),
    "human-declined": ("ENDED", "answered"),
    "max-duration": ("ENDED", "answered"),
    "transfer": ("ENDED", "answered"),
    "voicemail": ("ENDED", "voicemail"),
    "no-answer": ("ENDED", "no_answer"),
    "busy": ("ENDED", "busy"),
    "silence": ("ENDED", "silence"),
    "bad-number": ("FAILED", "bad_number"),
    "twilio-failed-to-connect-call": ("FAILED", "refused"),  # a reason that outranks the way it came about
    "provider-failure": ("FAILED", "provider_error"),
    "platform-failure": ("FAILED", "provider_error"),
    "canceled": ("CANCELED", "canceled"),
    "stuck-queued": ("TIMEOUT", "unknown"),
    "stuck-in-progress": ("TIMEOUT", "unknown"),
}


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Everything that both sides remember of one campaign."""

    dials: Sequence[Mapping[str, Any]]  # the provider's ledger
    contacts: Sequence[Mapping[str, Any]]
    calls: Sequence[Mapping[str, Any]]
    events: Sequence[Mapping[str, Any]]
    inbox: Sequence[Mapping[str, Any]]
    incidents: Sequence[Mapping[str, Any]]
    drifted: Sequence[Mapping[str, Any]]
    campaign: Mapping[str, Any]


async def collect(database: Database, campaign_id: UUID, ledger: Mapping[str, Any]) -> Evidence:
    """Ask both sides."""
    campaigns = await query(database, "SELECT * FROM campaigns WHERE id = %s", campaign_id)
    return Evidence(
        dials=ledger["dials"],
        contacts=await query(database, "SELECT * FROM contacts WHERE campaign_id = %s", campaign_id),
        calls=await query(database, "SELECT * FROM calls WHERE campaign_id = %s", campaign_id),
        events=await query(database, "SELECT * FROM call_events WHERE campaign_id = %s ORDER BY id", campaign_id),
        inbox=await query(database, "SELECT provider_call_id, type, status, state FROM webhook_inbox"),
        incidents=await query(database, "SELECT * FROM incidents WHERE kind <> 'unsure' ORDER BY id"),
        drifted=await query(database, RECOUNT),
        campaign=campaigns[0],
    )


def find_double_dials(seen: Evidence) -> list[str]:
    """Return the persons who were dialled more than once."""
    per_number = Counter(dial["number"] for dial in seen.dials)
    return [f"dialled {count} times" for count in per_number.values() if count > 1]


def find_unknown_dials(seen: Evidence) -> list[str]:
    """Return the dials that the database knows nothing of."""
    known = {str(call["id"]) for call in seen.calls}
    return [str(dial["providerCallId"]) for dial in seen.dials if dial["externalId"] not in known]


def find_lost_contacts(seen: Evidence) -> list[str]:
    """Return the contacts that were neither dialled nor set aside for a person, or that still wait at the end."""
    dialled = {dial["number"] for dial in seen.dials}
    return [
        f"{contact['id']}: {contact['state']}"
        for contact in seen.contacts
        if contact["state"] != "unsure" and not (contact["state"] == "done" and contact["phone"] in dialled)
    ]


def find_cap_overruns(seen: Evidence) -> list[str]:
    """Return the moments at which more lines were up at the provider than the cap allows."""
    cap, up = int(seen.campaign["cap"]), 0
    over = []
    for moment, change in sorted(_changes(seen)):
        up += change
        if change > 0 and up > cap:
            over.append(f"{up} lines at {moment:.3f}")
    return over


def _changes(seen: Evidence) -> Iterable[tuple[float, int]]:
    """Yield when a line was taken (1) and given back (-1). A call that never ends counts until we gave it up."""
    given_up = {str(e["call_id"]): _wall(e["created_at"]) for e in seen.events if e["status"] == "TIMEOUT"}
    for dial in seen.dials:
        yield dial["admittedReal"], 1
        over = dial["endedReal"] or given_up.get(dial["externalId"])
        if over is not None:
            yield over, -1


def _wall(at: datetime) -> float:
    return at.timestamp()


def find_wrong_results(seen: Evidence) -> list[str]:
    """Return the calls whose final status, outcome or cost is not what became of them."""
    calls = {str(call["id"]): call for call in seen.calls}
    wrong = []
    for dial in seen.dials:
        call = calls.get(dial["externalId"])
        if call is not None:
            shown = (call["status"], call["outcome"], _cost(call["cost_usd"]))
            real = (*(SHOWN.get(dial["endedReason"]) or SHOWN[dial["outcome"]]), _cost(dial["costUsd"]))
            if shown != real:
                told = f"looks {call['checks']}, next {call['next_check_at']}; {_told(seen, call['id'])}"
                wrong.append(f"{dial['endedReason']} is shown as {shown}, not {real}; {_kept(seen, dial)}; {told}")
    return wrong


def _kept(seen: Evidence, dial: Mapping[str, Any]) -> str:
    rows = [row for row in seen.inbox if row["provider_call_id"] == dial["providerCallId"]]
    return ", ".join(f"{row['type']} {row.get('status', '')} {row['state']}" for row in rows) or "no webhook"


def _cost(value: Any) -> Decimal:
    return Decimal(str(value or 0)).quantize(Decimal("0.0001"))


def find_unresolved_bodies(seen: Evidence) -> list[str]:
    """Return the webhooks that were kept and not settled."""
    return [f"{row['type']} {row['state']}" for row in seen.inbox if row["state"] in {"received", "parked", "dead"}]


def find_illegal_chains(seen: Evidence) -> list[str]:
    """Return the calls whose history goes backwards or reopens what was over."""
    return [_told(seen, key) for key, chain in _chains(seen).items() if not _is_legal([e["status"] for e in chain])]


def _chains(seen: Evidence) -> dict[UUID, list[Mapping[str, Any]]]:
    chains: dict[UUID, list[Mapping[str, Any]]] = {}
    for event in seen.events:
        chains.setdefault(event["call_id"], []).append(event)
    return chains


def _told(seen: Evidence, call_id: UUID) -> str:
    """Return the history of a call in one line, and what really became of it."""
    fates = [dial["outcome"] for dial in seen.dials if dial["externalId"] == str(call_id)]
    chain = _chains(seen).get(call_id, [])
    told = " > ".join(f"{e['created_at']:%S.%f} {e['source']}: {e['payload'].get('said')} {e['status']}" for e in chain)
    return f"{call_id} ({', '.join(fates) or 'never dialled'}): {told}"


def _is_legal(chain: Sequence[str]) -> bool:
    """Whether each step goes forward; over is over, but the provider may replace a guess of ours by its own word."""
    for before, after in pairwise(chain):
        if before in ACTIVE:
            if after in ACTIVE and ACTIVE.index(after) < ACTIVE.index(before):
                return False
        elif after in ACTIVE or (before != after and before not in {"TIMEOUT", "FAILED"}):
            return False
    return True


def find_incidents(seen: Evidence) -> list[str]:
    """Return what the system itself noticed; contacts set aside are told apart."""
    return [f"{one['kind']}: {_told(seen, one['call_id'])}" for one in seen.incidents]


def find_unsure(seen: Evidence) -> list[str]:
    """Return the contacts that a person has to decide about, and why."""
    calls = {call["contact_id"]: call["id"] for call in seen.calls if call["counts_as_attempt"]}
    return [
        f"{contact['reason']} {_told(seen, calls[contact['id']])}"
        for contact in seen.contacts
        if contact["state"] == "unsure"
    ]
