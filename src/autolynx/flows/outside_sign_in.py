"""Signing in with an account at an identity server: what it says is exchanged for a session of ours.

The server says who somebody is; the allow-list says whether they come in. No transaction is open while it is asked.
"""

from collections.abc import Awaitable, Callable

from autolynx.errors import AutolynxError, Unauthorized
from autolynx.flows import throttle
from autolynx.flows.binding import NotLetIn, bound_person, check_verified
from autolynx.flows.outside_sign_out import give_back
from autolynx.flows.sessions import Session, begin_session, note_refusal
from autolynx.flows.sign_in import folded_email
from autolynx.identity.port import Grant, IdentityServer
from autolynx.identity.sealed_grant import seal, vouched_until
from autolynx.log import log
from autolynx.runtime import Runtime
from autolynx.store import identity_grants, people


async def sign_in_by_password(
    runtime: Runtime, identity: IdentityServer, email: str, password: str, *, address: str
) -> Session:
    """Begin a session by email and password of the account there.

    Raises Unauthorized, NotLetIn, IdentityError, and RateLimited after too many failures for that email or address.
    """
    email = folded_email(email)
    counted = [throttle.by_email(email), throttle.by_address(address)]
    grant = await _granted(runtime, lambda: identity.sign_in(email, password), counted)
    session = await _let_in(runtime, identity, grant, how="password")
    async with runtime.database.connection() as conn:
        await throttle.forget(conn, counted[0])
    return session


async def sign_in_by_code(
    runtime: Runtime, identity: IdentityServer, code: str, *, verifier: str, address: str
) -> Session:
    """Begin a session by the code that a browser brought back. Raises as `sign_in_by_password` does."""
    counted = [throttle.by_address(address)]
    grant = await _granted(runtime, lambda: identity.exchange(code, verifier=verifier), counted)
    return await _let_in(runtime, identity, grant, how="code")


async def sign_in_by_link(runtime: Runtime, identity: IdentityServer, token_hash: str, *, address: str) -> Session:
    """Begin a session by what a mailed link holds. Raises as `sign_in_by_password` does."""
    grant = await _granted(runtime, lambda: identity.redeem_link(token_hash), [throttle.by_address(address)])
    return await _let_in(runtime, identity, grant, how="link")


async def send_outside_link(
    runtime: Runtime, identity: IdentityServer, email: str, *, redirect_to: str, challenge: str
) -> None:
    """Have a link sent to somebody on the list; to others nothing, so that strangers make no accounts there.

    Meant to run after the answer was given, so that its time tells nothing. Raises RateLimited and IdentityError.
    """
    now, email = runtime.clock.now(), folded_email(email)
    mails = throttle.by_mail(email)
    async with runtime.database.transaction() as conn:
        await throttle.claim(conn, [mails], now)
        person = await people.find_by_email(conn, email)
    if person is None or not person.allowlisted:
        log.info("link.not_sent", reason="not on the list")
        return
    became = await identity.send_link(person.email, redirect_to=redirect_to, challenge=challenge)
    log.info("link.asked_for", became=became.value)


async def _granted(runtime: Runtime, ask: Callable[[], Awaitable[Grant]], counted: list[throttle.Subject]) -> Grant:
    """Ask, unless too many tries failed; what the server refuses stays counted and is noted."""
    now = runtime.clock.now()
    async with runtime.database.transaction() as conn:
        await throttle.claim(conn, counted, now)
    try:
        grant = await ask()
    except Unauthorized:
        async with runtime.database.connection() as conn:
            await note_refusal(conn, now=now, reason="refused_by_identity")
        raise
    except AutolynxError:
        await _take_back(runtime, counted)
        raise
    await _take_back(runtime, counted)
    return grant


async def _take_back(runtime: Runtime, counted: list[throttle.Subject]) -> None:
    """Count nothing for a try that was not refused."""
    async with runtime.database.transaction() as conn:
        for subject in sorted(counted, key=lambda one: one.key):
            await throttle.take_back(conn, subject)


async def _let_in(runtime: Runtime, identity: IdentityServer, grant: Grant, *, how: str) -> Session:
    """Begin the session of a person on the list. Raises NotLetIn; what was begun at the server is ended then."""
    now, who = runtime.clock.now(), grant.identity
    try:
        check_verified(who)
        async with runtime.database.transaction() as conn:
            person = await bound_person(conn, who, now=now, how=how)
            session = await begin_session(conn, person, now=now, how=how, identity_until=grant.expires_at)
            token_id = session.token.id
            sealed = seal(
                grant.refresh_token, session_secret=session.secret, session_id=token_id, until=grant.expires_at
            )
            await identity_grants.save_first(conn, token_id, grant=sealed, until=vouched_until(sealed))
    except NotLetIn as refusal:
        async with runtime.database.transaction() as conn:
            actor = who.email if who.is_email_verified else "unknown"
            await note_refusal(conn, now=now, actor=actor, reason=refusal.reason)
        await give_back(identity, grant)
        raise
    return session
