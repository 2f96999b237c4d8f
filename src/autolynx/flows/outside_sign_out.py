"""Signing out at the identity server as well. Our own session has ended before: whatever fails here opens nothing."""

from autolynx.errors import IdentityError, RateLimited, Unauthorized
from autolynx.flows.access import hash_secret
from autolynx.identity.port import Grant, IdentityServer, SignOut
from autolynx.identity.sealed_grant import unseal
from autolynx.log import log
from autolynx.runtime import Runtime
from autolynx.store import tokens


async def end_outside(runtime: Runtime, secret: str) -> None:
    """End what stands at the identity server behind a session of ours that was ended."""
    async with runtime.database.connection() as conn:
        holder = await tokens.find(conn, hash_secret(secret))
    if runtime.identity is None or holder is None or holder.token.identity_grant is None:
        return
    try:
        refresh_token = unseal(holder.token.identity_grant, session_secret=secret, session_id=holder.token.id)
        grant = await runtime.identity.refresh(refresh_token)
    except Unauthorized:
        return  # it is over there as well
    except (IdentityError, RateLimited) as error:
        log.warning("session.not_ended_outside", id=str(holder.token.id), reason=error.message)
        return
    await give_back(runtime.identity, grant)


async def give_back(identity: IdentityServer, grant: Grant, *, scope: SignOut = SignOut.HERE) -> bool:
    """End a session at the identity server, or others of the person; where that fails the log says so."""
    try:
        await identity.sign_out(grant.access_token, scope=scope)
    except (Unauthorized, IdentityError, RateLimited) as error:
        log.warning("session.not_ended_outside", reason=error.message)
        return False
    return True
