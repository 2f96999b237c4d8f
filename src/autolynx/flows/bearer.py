"""Programs that bear a person's access token of the identity server: verified here, and worth what the list says."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from autolynx.errors import Unauthorized
from autolynx.flows.access import USE_NOTED_EVERY_SECONDS
from autolynx.flows.binding import SUPABASE, NotLetIn, bound_person, may_bind
from autolynx.identity.port import BearerToken, Identity, IdentityServer
from autolynx.runtime import Runtime
from autolynx.store import people
from autolynx.store.people import Person

_SHAPE = re.compile(r"ey[\w-]{10,1022}\.ey[\w-]{10,12000}\.[\w-]{20,1024}", re.ASCII)  # JSON objects begin so


@dataclass(frozen=True, kw_only=True)
class Bearer:
    """A person on the list, for as long as their access token holds."""

    person: Person
    until: datetime


def is_shaped_like_a_jwt(secret: str) -> bool:
    """Whether something could be an access token: junk is refused before anything is asked or computed."""
    return _SHAPE.fullmatch(secret) is not None


async def find_bearer(runtime: Runtime, access_token: str) -> Bearer | None:
    """Return who bears an access token; None for anybody who may not come in, whatever the reason.

    The server is asked about a person once in their life here, and only for an email on the list. Raises
    IdentityError where it must be asked and cannot be.
    """
    if runtime.identity is None:
        return None
    try:
        token = await runtime.identity.verify(access_token)
        person = await _known(runtime, token) or await _new(runtime, runtime.identity, token, access_token)
    except (Unauthorized, NotLetIn):
        return None
    return None if person is None else Bearer(person=person, until=token.expires_at)


async def _known(runtime: Runtime, token: BearerToken) -> Person | None:
    now = runtime.clock.now()
    async with runtime.database.connection() as conn:
        person = await people.find_by_sub(conn, SUPABASE, token.identity.subject)
        if person is None or not person.allowlisted:
            return None
        seen = person.last_seen_at
        if seen is None or now - seen > timedelta(seconds=USE_NOTED_EVERY_SECONDS):
            await people.save_seen(conn, person.id, now)
    return person


async def _new(runtime: Runtime, identity: IdentityServer, token: BearerToken, access_token: str) -> Person | None:
    """Bind somebody who comes for the first time: the token does not say whether the email is verified."""
    async with runtime.database.connection() as conn:
        if not await may_bind(conn, token.identity.email):
            return None
    who: Identity = await identity.look_up(access_token)
    async with runtime.database.transaction() as conn:
        return await bound_person(conn, who, now=runtime.clock.now(), how="bearer")
