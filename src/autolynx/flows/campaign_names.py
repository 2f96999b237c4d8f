"""The names of campaigns: tidied, and where one is taken, another that is free."""

from uuid import UUID

from autolynx.domain.campaign_name import MAX_CAMPAIGN_NAME_CHARACTERS
from autolynx.domain.naming import free_name, name_candidates, tidy_name
from autolynx.errors import Conflict
from autolynx.runtime import Runtime
from autolynx.store import reports


def check_name(name: str) -> str:
    """Return the name tidied. Raises ValidationProblem."""
    return tidy_name(name, longest=MAX_CAMPAIGN_NAME_CHARACTERS)


def is_about_name(error: Conflict) -> bool:
    """Whether a name was taken."""
    return error.details.get("field") == "name"


async def with_suggestion(runtime: Runtime, error: Conflict, name: str, *, owner_id: UUID | None) -> Conflict:
    """Return the error; where it is about a taken name, with one that is free for that owner."""
    free = await suggest_name(runtime, name, owner_id=owner_id) if is_about_name(error) else None
    if free is None:
        return error
    message = f'name: a campaign of that name exists already; "{free}" is free.'
    return Conflict(message, details={"field": "name", "suggestion": free})


async def suggest_name(runtime: Runtime, name: str, *, owner_id: UUID | None) -> str | None:
    """Return the name with the first number behind it that makes it free, or as it is where that is free.

    Names are told apart among the campaigns of one owner: nobody learns from a name what others do.
    """
    candidates = list(name_candidates(name, longest=MAX_CAMPAIGN_NAME_CHARACTERS))
    async with runtime.database.connection() as conn:
        taken = await reports.list_taken_names(conn, [name, *candidates], owner_id=owner_id)
    if name.lower() not in taken:
        return name
    return free_name(name, taken, longest=MAX_CAMPAIGN_NAME_CHARACTERS)
