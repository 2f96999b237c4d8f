"""Sessions that an identity server vouches for: it is asked again when its word runs out.

Exactly one request asks, by a compare-and-swap on `identity_until`, and no transaction is open meanwhile: a refresh
token is good for once. The others go on as long as the grace lasts, and wait a moment after that.
"""

from datetime import datetime, timedelta

from autolynx.errors import IdentityError, IdentityUnreachable, RateLimited, Unauthorized
from autolynx.flows.access import hash_secret
from autolynx.flows.outside_sign_out import give_back
from autolynx.identity.port import Grant, IdentityServer, SignOut
from autolynx.identity.sealed_grant import seal, unseal, vouched_until
from autolynx.log import log
from autolynx.runtime import Runtime
from autolynx.store import audit, identity_grants, tokens
from autolynx.store.tokens import Holder

GRACE_SECONDS = 600.0  # how long a session goes on while the server cannot be asked
ASK_AGAIN_SECONDS = 30.0  # longer than the server may take to answer
LOOK_SECONDS, LOOKS = 0.25, 10
AWAY = "Supabase cannot be asked whether your session goes on. Try again shortly."


async def is_vouched_for(runtime: Runtime, holder: Holder, secret: str) -> bool:
    """Whether a session goes on, seen from its identity server; one that was opened here by a link always does.

    Raises IdentityUnreachable where the server could not be asked for longer than the grace.
    """
    if holder.token.identity_grant is None:
        return True
    if runtime.identity is None:  # people do not sign in there any more
        return False
    if runtime.clock.now() < vouched_until(holder.token.identity_grant):
        return True
    if await _claim(runtime, holder):
        return await _ask(runtime, runtime.identity, holder, secret)
    return is_within_grace(holder.token.identity_grant, runtime.clock.now()) or await _wait(runtime, secret)


def is_within_grace(sealed: bytes | None, now: datetime) -> bool:
    """Whether a session may go on without a word from its identity server."""
    return sealed is None or now < vouched_until(sealed) + timedelta(seconds=GRACE_SECONDS)


async def end_elsewhere(runtime: Runtime, secret: str) -> bool:
    """End the person's other sessions at the identity server, by this one; False where it could not be told."""
    async with runtime.database.connection() as conn:
        holder = await tokens.find(conn, hash_secret(secret))
    if runtime.identity is None or holder is None or holder.token.identity_grant is None:
        return True
    if not await _claim(runtime, holder):  # another request is asking: its answer cannot be used here
        return False
    try:
        grant = await _refresh(runtime, runtime.identity, holder, secret)
    except (Unauthorized, IdentityError, RateLimited) as error:
        log.warning("session.not_ended_outside", id=str(holder.token.id), reason=error.message)
        return False
    return await give_back(runtime.identity, grant, scope=SignOut.ELSEWHERE)


async def _claim(runtime: Runtime, holder: Holder) -> bool:
    """Take on asking, unless somebody does or tried a moment ago."""
    now, seen, sealed = runtime.clock.now(), holder.token.identity_until, holder.token.identity_grant
    is_asked = sealed is not None and seen is not None and seen > now and seen != vouched_until(sealed)
    if seen is None or is_asked:
        return False
    async with runtime.database.connection() as conn:
        until = now + timedelta(seconds=ASK_AGAIN_SECONDS)
        return await identity_grants.claim(conn, holder.token.id, seen=seen, until=until)


async def _ask(runtime: Runtime, identity: IdentityServer, holder: Holder, secret: str) -> bool:
    sealed = holder.token.identity_grant
    try:
        await _refresh(runtime, identity, holder, secret)
    except Unauthorized:
        return False
    except (IdentityError, RateLimited) as error:
        log.warning("session.not_vouched", id=str(holder.token.id), reason=error.message)
        if not is_within_grace(sealed, runtime.clock.now()):
            raise IdentityUnreachable(AWAY) from None
    return True


async def _refresh(runtime: Runtime, identity: IdentityServer, holder: Holder, secret: str) -> Grant:
    """Use up the refresh token and keep the next one. Raises Unauthorized where the session is over, or was ended."""
    token, was = holder.token, holder.token.identity_grant or b""
    try:
        grant = await _next_grant(identity, holder, secret)
    except Unauthorized:
        await _end(runtime, holder, was)
        raise
    sealed = seal(grant.refresh_token, session_secret=secret, session_id=token.id, until=grant.expires_at)
    async with runtime.database.connection() as conn:
        is_kept = await identity_grants.save_next(conn, token.id, grant=sealed, until=vouched_until(sealed), was=was)
    if not is_kept:
        await give_back(identity, grant)
        raise Unauthorized("The session was ended.")
    return grant


async def _next_grant(identity: IdentityServer, holder: Holder, secret: str) -> Grant:
    sealed = holder.token.identity_grant or b""
    grant = await identity.refresh(unseal(sealed, session_secret=secret, session_id=holder.token.id))
    if holder.person is None or grant.identity.subject != holder.person.sub:
        await give_back(identity, grant)
        raise Unauthorized("This session belongs to somebody else.")
    return grant


async def _end(runtime: Runtime, holder: Holder, was: bytes) -> None:
    now, actor = runtime.clock.now(), holder.person.email if holder.person else holder.token.name
    async with runtime.database.transaction() as conn:
        if await identity_grants.end(conn, holder.token.id, now, was=was):
            details = {"reason": "identity"}
            await audit.append(
                conn, now=now, actor=actor, action="session.ended", subject=str(holder.token.id), details=details
            )


async def _wait(runtime: Runtime, secret: str) -> bool:
    """Wait until whoever asks has an answer."""
    for _ in range(LOOKS):
        await runtime.clock.sleep(LOOK_SECONDS)
        async with runtime.database.connection() as conn:
            holder = await tokens.find(conn, hash_secret(secret))
        if holder is None or holder.token.revoked_at is not None or holder.token.identity_grant is None:
            return False
        if is_within_grace(holder.token.identity_grant, runtime.clock.now()):
            return True
    raise IdentityUnreachable(AWAY)
