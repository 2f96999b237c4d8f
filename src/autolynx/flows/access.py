"""Access: tokens for programs, one-time tickets that open a browser session, and who stands behind a secret."""

import hashlib
import hmac
import secrets
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from autolynx.errors import Unauthorized, ValidationProblem
from autolynx.log import log
from autolynx.runtime import Runtime
from autolynx.store import audit, tokens
from autolynx.store.tokens import Token, TokenKind

TOKEN_PREFIX = "al_"  # noqa: S105 - what secrets begin with, so that scanners recognise them
TICKET_SECONDS = 15 * 60.0
SESSION_SECONDS = 24 * 3600.0
USE_NOTED_EVERY_SECONDS = 60.0
KEPT_AFTER_END_SECONDS = 7 * 24 * 3600.0
MOST_NAME_CHARACTERS = 100


@dataclass(frozen=True, kw_only=True)
class NewToken:
    """A token just made. `secret` is shown now and never again."""

    token: Token
    secret: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Session:
    """A browser session just opened: its secret for the cookie, and what unsafe requests must send along."""

    token: Token
    secret: str = field(repr=False)
    csrf: str = field(repr=False)


async def create_token(runtime: Runtime, name: str, *, actor: str = "console") -> NewToken:
    """Create an API token. Raises ValidationProblem for a name of no or more than 100 characters."""
    return await _create(runtime, name, TokenKind.API, expires_at=None, actor=actor)


async def issue_ticket(runtime: Runtime, name: str = "browser", *, actor: str = "console") -> NewToken:
    """Issue a ticket that opens one browser session within 15 minutes."""
    expires_at = runtime.clock.now() + timedelta(seconds=TICKET_SECONDS)
    return await _create(runtime, name, TokenKind.TICKET, expires_at=expires_at, actor=actor)


async def open_session(runtime: Runtime, ticket: str) -> Session:
    """Open a browser session of 24 hours; the ticket is spent by it. Raises Unauthorized."""
    now = runtime.clock.now()
    secret = _new_secret()
    async with runtime.database.transaction() as conn:
        spent = await tokens.claim_ticket(conn, hash_secret(ticket), now)
        if spent is not None:
            token = Token(
                id=uuid.uuid4(),
                name=spent.name,
                kind=TokenKind.SESSION,
                created_at=now,
                expires_at=now + timedelta(seconds=SESSION_SECONDS),
            )
            await tokens.insert(conn, token, token_hash=hash_secret(secret))
            await tokens.delete_expired(conn, expired_before=now - timedelta(seconds=KEPT_AFTER_END_SECONDS))
            await audit.append(conn, now=now, actor=spent.name, action="session.opened", subject=str(token.id))
        else:
            minute = now.replace(second=0, microsecond=0)  # a flood of guesses costs one row a minute
            await audit.append_once_since(
                conn, since=minute, now=now, actor="unknown", action="session.refused", details={}
            )
    if spent is None:
        raise Unauthorized("This sign-in ticket is not valid any more; ask for a new one.")
    return Session(token=token, secret=secret, csrf=csrf_for(secret))


async def revoke(runtime: Runtime, token_id: UUID, *, actor: str = "console") -> None:
    """Revoke a token or end a session, at once. Raises NotFound."""
    now = runtime.clock.now()
    async with runtime.database.transaction() as conn:
        if await tokens.save_revoked(conn, token_id, now):
            await audit.append(conn, now=now, actor=actor, action="token.revoked", subject=str(token_id))


async def list_tokens(runtime: Runtime) -> list[Token]:
    """Return the API tokens that were not revoked."""
    async with runtime.database.connection() as conn:
        return await tokens.list_all(conn, TokenKind.API)


async def find_holder(runtime: Runtime, secret: str, kind: TokenKind) -> Token | None:
    """Return the valid token behind a secret; None for anything else. Its use is noted once a minute."""
    now = runtime.clock.now()
    async with runtime.database.connection() as conn:
        token = await tokens.find(conn, hash_secret(secret))
        if token is None or token.kind is not kind or not token.is_valid(now):
            return None
        if _is_use_due(token, now):
            await tokens.save_use(conn, token.id, now)
    return token


def csrf_for(session_secret: str) -> str:
    """Return the CSRF token of a session: pages can show it again without anything being stored."""
    return hmac.new(session_secret.encode("utf-8", "replace"), b"autolynx csrf", hashlib.sha256).hexdigest()


def hash_secret(secret: str) -> bytes:
    """Return what is kept of a secret. The secrets are random and long, so one round of SHA-256 does."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def _is_use_due(token: Token, now: datetime) -> bool:
    return token.last_used_at is None or now - token.last_used_at > timedelta(seconds=USE_NOTED_EVERY_SECONDS)


def _new_secret() -> str:
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


async def _create(runtime: Runtime, name: str, kind: TokenKind, *, expires_at: datetime | None, actor: str) -> NewToken:
    name = name.strip()
    if not 1 <= len(name) <= MOST_NAME_CHARACTERS or not name.isprintable():
        raise ValidationProblem("name: give the token a name of 1 to 100 printable characters.", field="name")
    now = runtime.clock.now()
    secret = _new_secret()
    token = Token(id=uuid.uuid4(), name=name, kind=kind, created_at=now, expires_at=expires_at)
    async with runtime.database.transaction() as conn:
        await tokens.insert(conn, token, token_hash=hash_secret(secret))
        await audit.append(conn, now=now, actor=actor, action=f"{kind}.created", subject=str(token.id))
    log.info("access.created", kind=kind, id=str(token.id))
    return NewToken(token=token, secret=secret)
