"""Access: tokens for programs, and who stands behind a secret."""

import hashlib
import hmac
import re
import secrets
import uuid
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from autolynx.domain.permission import OF_ROLE, OF_SCOPE, Role, Scope
from autolynx.errors import Forbidden, ValidationProblem
from autolynx.log import log
from autolynx.runtime import Runtime
from autolynx.store import audit, people, tokens
from autolynx.store.database import Connection
from autolynx.store.people import Person
from autolynx.store.tokens import Holder, Token, TokenKind

TOKEN_PREFIX = "al_"  # noqa: S105 - what secrets begin with, so that scanners recognise them
SESSION_SECONDS = 24 * 3600.0  # since its last use
LONGEST_SESSION_SECONDS = 30 * 24 * 3600.0  # since signing in, however it is used
USE_NOTED_EVERY_SECONDS = 60.0
MOST_NAME_CHARACTERS = 100
_SHAPE = re.compile(TOKEN_PREFIX + r"[A-Za-z0-9_-]{43}")  # 32 bytes


@dataclass(frozen=True, kw_only=True)
class NewToken:
    """A token just made. `secret` is shown now and never again."""

    token: Token
    secret: str = field(repr=False)


async def create_token(
    runtime: Runtime,
    name: str,
    *,
    scopes: Collection[Scope] = (Scope.ALL,),
    person: Person | None = None,
    actor: str = "console",
) -> NewToken:
    """Create an API token, of a person or (None) of the installation itself.

    Raises ValidationProblem for a name of no or more than 100 characters and for no scope, Forbidden for a scope that
    gives the person nothing.
    """
    now = runtime.clock.now()
    chosen = _checked_scopes(scopes, person.role if person else Role.ADMIN)
    token = Token(
        id=uuid.uuid4(),
        name=_checked_name(name),
        kind=TokenKind.API,
        user_id=person.id if person else None,
        scopes=chosen,
        created_at=now,
    )
    async with runtime.database.transaction() as conn:
        secret = await keep_token(conn, token)
        details = {"scopes": [scope.value for scope in chosen]}
        await audit.append(conn, now=now, actor=actor, action="api.created", subject=str(token.id), details=details)
    log.info("access.created", kind=token.kind, id=str(token.id))
    return NewToken(token=token, secret=secret)


async def revoke(runtime: Runtime, token_id: UUID, *, owner_id: UUID | None = None, actor: str = "console") -> None:
    """Revoke a token or end a session, at once. Raises NotFound; for one that `owner_id` does not own as well."""
    now = runtime.clock.now()
    async with runtime.database.transaction() as conn:
        if await tokens.save_revoked(conn, token_id, now, owner_id=owner_id):
            await audit.append(conn, now=now, actor=actor, action="token.revoked", subject=str(token_id))


async def list_tokens(runtime: Runtime, *, owner_id: UUID | None = None) -> list[Holder]:
    """Return the API tokens that were not revoked, of one person or (None) of all."""
    async with runtime.database.connection() as conn:
        return await tokens.list_api_tokens(conn, owner_id=owner_id)


async def find_holder(runtime: Runtime, secret: str, kind: TokenKind) -> Holder | None:
    """Return who holds a secret that is valid; None for anything else. Its use is noted once a minute.

    Somebody who was removed from the list holds nothing any more, and a session belongs to a person.
    """
    if not is_shaped_like_ours(secret):
        return None  # junk costs no look into the database
    now = runtime.clock.now()
    async with runtime.database.connection() as conn:
        holder = await tokens.find(conn, hash_secret(secret))
        if holder is None or holder.token.kind is not kind or not is_open(holder, now):
            return None
        if _is_use_due(holder.token, now):
            await tokens.save_use(conn, holder.token.id, now, expires_at=_expiry(holder.token, now))
            if holder.person is not None:
                await people.save_seen(conn, holder.person.id, now)
    return holder


def is_open(holder: Holder, now: datetime) -> bool:
    """Whether a token opens anything at that moment."""
    if holder.person is None:
        return holder.token.kind is TokenKind.API and holder.token.is_valid(now)
    return holder.token.is_valid(now) and holder.person.allowlisted


async def keep_token(conn: Connection, token: Token) -> str:
    """Insert a token under a new secret; returns the secret."""
    secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
    await tokens.insert(conn, token, token_hash=hash_secret(secret))
    return secret


def is_shaped_like_ours(secret: str) -> bool:
    """Whether something could be the secret of a token or session."""
    return _SHAPE.fullmatch(secret) is not None


def csrf_for(session_secret: str) -> str:
    """Return the CSRF token of a session: pages can show it again without anything being stored."""
    return hmac.new(session_secret.encode("utf-8", "replace"), b"autolynx csrf", hashlib.sha256).hexdigest()


def hash_secret(secret: str) -> bytes:
    """Return what is kept of a secret. The secrets are random and long, so one round of SHA-256 does."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def _is_use_due(token: Token, now: datetime) -> bool:
    return token.last_used_at is None or now - token.last_used_at > timedelta(seconds=USE_NOTED_EVERY_SECONDS)


def _expiry(token: Token, now: datetime) -> datetime | None:
    """Return when a token ends that is used now: a session slides, up to a bound."""
    if token.kind is not TokenKind.SESSION:
        return token.expires_at
    longest = token.created_at + timedelta(seconds=LONGEST_SESSION_SECONDS)
    return min(longest, now + timedelta(seconds=SESSION_SECONDS))


def _checked_name(name: str) -> str:
    name = name.strip()
    if not 1 <= len(name) <= MOST_NAME_CHARACTERS or not name.isprintable():
        raise ValidationProblem("name: give the token a name of 1 to 100 printable characters.", field="name")
    return name


def _checked_scopes(scopes: Collection[Scope], role: Role) -> tuple[Scope, ...]:
    chosen = tuple(sorted(set(scopes)))
    if not chosen:
        raise ValidationProblem("scopes: choose at least one.", field="scopes")
    for scope in chosen:
        if not OF_SCOPE[scope] & OF_ROLE[role]:
            raise Forbidden(f"scopes: {scope} gives nothing that your role may do.", details={"field": "scopes"})
    return chosen
