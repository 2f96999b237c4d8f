"""Names in the directory: free, or answered with one that is."""

from uuid import UUID

from autolynx.domain.assistant import MOST_NAME_CHARACTERS
from autolynx.domain.naming import free_name, name_candidates
from autolynx.runtime import Runtime
from autolynx.store import assistants
from autolynx.store.assistants import NameTaken


async def require_free(runtime: Runtime, name: str, *, except_id: UUID | None = None) -> None:
    """Raise Conflict with a suggestion where the name is taken: before the provider is asked for anything."""
    async with runtime.database.connection() as conn:
        taken = await assistants.list_taken_names(conn, [name], except_id=except_id)
    if taken:
        error = NameTaken("name: an assistant of that name exists already; choose another name.")
        await suggest_into(runtime, error, name)
        raise error


async def suggest_into(runtime: Runtime, error: NameTaken, name: str) -> None:
    """Add a free name to the error."""
    error.details |= {"field": "name", "suggestion": await suggest(runtime, name)}


async def suggest(runtime: Runtime, name: str) -> str | None:
    """Return a free name like the one that is taken."""
    candidates = list(name_candidates(name, longest=MOST_NAME_CHARACTERS))
    async with runtime.database.connection() as conn:
        taken = await assistants.list_taken_names(conn, candidates)
    return free_name(name, taken, longest=MOST_NAME_CHARACTERS)
