"""Which assistant and which phone number a run uses: those named, else the only ones there are."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from autolynx.domain.assistant import Assistant
from autolynx.errors import ValidationProblem
from autolynx.flows.assistant_import import import_assistant, list_importable
from autolynx.flows.phone_numbers import list_phone_numbers
from autolynx.provider.port import RemoteNumber
from autolynx.runtime import Runtime
from autolynx.store import assistants

ACTOR = "console"
BLOCKED = "blocked"


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """An assistant of the account; `ours` where the directory has it."""

    provider_id: str
    name: str
    ours: Assistant | None

    def answers_to(self, wanted: str) -> bool:
        """Whether it bears that name (in any case) or id, ours or the provider's."""
        names = {self.name.casefold(), self.provider_id}
        return wanted.strip().casefold() in names | ({str(self.ours.id)} if self.ours else set())


async def choose_assistant(runtime: Runtime, wanted: str | None, *, takes_any: bool) -> UUID:
    """Return the assistant to use, taken into the directory if it is only in the account.

    `takes_any`: the first will do where none is named. Raises ValidationProblem listing the choices where it is not
    clear which is meant, and what the provider raises.
    """
    found = await _candidates(runtime)
    if wanted is not None:
        matching = [one for one in found if one.answers_to(wanted)]
        problem = "--assistant: there is no usable assistant of that name or id."
    else:
        directory = [one for one in found if one.ours]
        matching = directory or found
        matching = matching[:1] if takes_any else matching
        problem = "--assistant: say which assistant shall speak."
    if len(matching) != 1:
        raise ValidationProblem(_listing(problem, [f"{one.name}  ({one.provider_id})" for one in matching or found]))
    chosen = matching[0]
    if chosen.ours is not None:
        return chosen.ours.id
    return (await import_assistant(runtime, chosen.provider_id, actor=ACTOR)).assistant.id


async def _candidates(runtime: Runtime) -> list[Candidate]:
    """Return the account's assistants, those that are switched off here left out."""
    importable = await list_importable(runtime)
    found: list[Candidate] = []
    async with runtime.database.connection() as conn:
        for one in importable:
            ours = await assistants.get(conn, one.assistant_id) if one.assistant_id else None
            if ours is None or ours.active:
                name = ours.name if ours else one.remote.name
                found.append(Candidate(provider_id=one.remote.provider_assistant_id, name=name, ours=ours))
    return found


async def choose_number(runtime: Runtime, wanted: str | None, *, takes_any: bool) -> str:
    """Return the id of the phone number to call from. Raises ValidationProblem listing the choices, and as above."""
    numbers = [number for number, _ in await list_phone_numbers(runtime) if number.status != BLOCKED]
    numbers.sort(key=lambda number: number.is_free)  # the provider's free numbers may call ten times a day
    wanted = wanted or runtime.settings.vapi_phone_number_id
    if wanted is not None:
        matching = [one for one in numbers if wanted in {one.phone_number_id, one.number, one.name}]
        problem = "--phone-number: the account has no usable phone number of that id."
    else:
        matching = numbers[:1] if takes_any else numbers
        problem = "--phone-number: say which number to call from, or set VAPI_PHONE_NUMBER_ID."
    if len(matching) != 1:
        raise ValidationProblem(_listing(problem, [_described(one) for one in numbers]))
    return matching[0].phone_number_id


def _described(number: RemoteNumber) -> str:
    return f"{number.phone_number_id}  ({', '.join(filter(None, (number.name, number.number)))})"


def _listing(problem: str, choices: Sequence[str]) -> str:
    if not choices:
        return f"{problem} The account has none."
    return "\n".join([problem, "These are to choose from:", *(f"  {choice}" for choice in choices)])
