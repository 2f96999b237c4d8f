"""Browser sessions: begun by a one-time ticket or by signing in, ended by signing out, by time, or by an admin."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from autolynx.errors import Unauthorized
from autolynx.flows.access import SESSION_SECONDS, NewToken, csrf_for, hash_secret, keep_token
from autolynx.log import log
from autolynx.runtime import Runtime
from autolynx.store import audit, people, tokens
from autolynx.store.database import Connection
from autolynx.store.people import Person
from autolynx.store.tokens import Token, TokenKind

TICKET_SECONDS = 15 * 60.0
KEPT_AFTER_END_SECONDS = 7 * 24 * 3600.0
SPENT = "This sign-in link is not valid any more; ask for a new one."


@dataclass(frozen=True, kw_only=True)
class Session:
    """A browser session just opened: its secret for the cookie, and what unsafe requests must send along."""

    token: Token
    person: Person
    secret: str = field(repr=False)
    csrf: str = field(repr=False)


async def issue_ticket(runtime: Runtime, person: Person, *, actor: str = "console") -> NewToken:
    """Issue a ticket that signs that person in once, within 15 minutes."""
    return await issue_once(runtime, person, TokenKind.TICKET, actor=actor)


async def issue_once(runtime: Runtime, person: Person, kind: TokenKind, *, actor: str) -> NewToken:
    """Issue a ticket or a reset for a person: it works once, within 15 minutes."""
    now = runtime.clock.now()
    async with runtime.database.transaction() as conn:
        made = await insert_once(conn, person, kind, now=now)
        await audit.append(conn, now=now, actor=actor, action=f"{kind}.created", subject=str(made.token.id))
    log.info("access.created", kind=kind, id=str(made.token.id))
    return made


async def insert_once(conn: Connection, person: Person, kind: TokenKind, *, now: datetime) -> NewToken:
    """Insert a ticket or a reset for a person."""
    token = Token(
        id=uuid.uuid4(),
        name=person.email[:100],
        kind=kind,
        user_id=person.id,
        created_at=now,
        expires_at=now + timedelta(seconds=TICKET_SECONDS),
    )
    return NewToken(token=token, secret=await keep_token(conn, token))


async def open_session(runtime: Runtime, ticket: str) -> Session:
    """Open a browser session of 24 hours since its last use; the ticket is spent by it. Raises Unauthorized."""
    now = runtime.clock.now()
    async with runtime.database.transaction() as conn:
        session = None
        spent = await tokens.claim_ticket(conn, hash_secret(ticket), TokenKind.TICKET, now)
        if spent is not None and spent.user_id is not None:
            person = await people.lock(conn, spent.user_id)
            if person.allowlisted:
                session = await begin_session(conn, person, now=now, how="link")
        if session is None:
            await note_refusal(conn, now=now)
    if session is None:
        raise Unauthorized(SPENT)
    return session


async def begin_session(
    conn: Connection, person: Person, *, now: datetime, how: str, identity_until: datetime | None = None
) -> Session:
    """Begin a session of a person who has just proved to be one; always under a new secret. `how` is for the audit."""
    token = Token(
        id=uuid.uuid4(),
        name=person.email[:100],
        kind=TokenKind.SESSION,
        user_id=person.id,
        created_at=now,
        expires_at=now + timedelta(seconds=SESSION_SECONDS),
        identity_until=identity_until,
    )
    secret = await keep_token(conn, token)
    await people.save_seen(conn, person.id, now)
    await tokens.delete_expired(conn, expired_before=now - timedelta(seconds=KEPT_AFTER_END_SECONDS))
    details = {"how": how}
    await audit.append(
        conn, now=now, actor=person.email, action="session.opened", subject=str(token.id), details=details
    )
    return Session(token=token, person=person, secret=secret, csrf=csrf_for(secret))


async def note_refusal(
    conn: Connection, *, now: datetime, actor: str = "unknown", reason: str = "wrong_secret"
) -> None:
    """Write down that somebody was not let in, and why in a word. A flood of guesses costs one row a minute."""
    minute, details = now.replace(second=0, microsecond=0), {"reason": reason}
    await audit.append_once_since(conn, since=minute, now=now, actor=actor, action="session.refused", details=details)


async def end_others(runtime: Runtime, user_id: UUID, *, but: UUID | None, actor: str) -> int:
    """End a person's sessions everywhere, except one; returns how many ended."""
    now = runtime.clock.now()
    async with runtime.database.transaction() as conn:
        ended = await tokens.revoke_all(conn, user_id, now, kinds=[TokenKind.SESSION, TokenKind.TICKET], but=but)
        details = {"sessions": ended}
        await audit.append(conn, now=now, actor=actor, action="sessions.ended", subject=str(user_id), details=details)
    return ended
