"""Tokens: API tokens, one-time tickets and browser sessions. Only hashes are kept; a secret is shown once."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from autolynx.domain.permission import Role, Scope
from autolynx.errors import NotFound
from autolynx.store.database import Connection, Row
from autolynx.store.people import JOINED_COLUMNS, Person, person_from_row


class TokenKind(StrEnum):
    """What a token is for."""

    API = "api"
    TICKET = "ticket"  # opens one session and is spent by it
    SESSION = "session"
    RESET = "reset"  # lets one new password be set and is spent by it


@dataclass(frozen=True, kw_only=True)
class Token:
    """A row of `api_tokens`. `expires_at` None: until revoked. `user_id` None: made by the command line for a program.

    `identity_grant`: what an identity server gave for a session, sealed; None where it need not be asked again.
    `identity_until`: when it is to be asked.
    """

    id: UUID
    name: str
    kind: TokenKind
    created_at: datetime
    user_id: UUID | None = None
    scopes: tuple[Scope, ...] = (Scope.ALL,)
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None
    identity_until: datetime | None = None
    identity_grant: bytes | None = field(default=None, repr=False)

    def is_valid(self, now: datetime) -> bool:
        """Whether it still opens anything."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True, kw_only=True)
class Holder:
    """A token with the person behind it, None for one that the command line made."""

    token: Token
    person: Person | None


_NAMES = (
    "id, name, kind, user_id, scopes, created_at, expires_at, last_used_at, revoked_at, identity_until, identity_grant"
).split(", ")
_COLUMNS = ", ".join(f"t.{name}" for name in _NAMES)


def _from_row(row: Row) -> Token:
    values = {name: row[name] for name in _NAMES}
    scopes = tuple(Scope(scope) for scope in values["scopes"])
    return Token(**{**values, "kind": TokenKind(values["kind"]), "scopes": scopes})


async def insert(conn: Connection, token: Token, *, token_hash: bytes) -> None:
    """Insert a token under the hash of its secret."""
    await conn.execute(
        """INSERT INTO api_tokens (id, name, kind, token_hash, user_id, scopes, created_at, expires_at, identity_until)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        [
            token.id,
            token.name,
            token.kind,
            token_hash,
            token.user_id,
            [scope.value for scope in token.scopes],
            token.created_at,
            token.expires_at,
            token.identity_until,
        ],
    )


async def find(conn: Connection, token_hash: bytes) -> Holder | None:
    """Return the token of that hash, valid or not, with its person; None where there is none."""
    cursor = await conn.execute(
        f"""SELECT {_COLUMNS}, {JOINED_COLUMNS} FROM api_tokens t LEFT JOIN user_profiles p ON p.id = t.user_id
            WHERE t.token_hash = %s""",
        [token_hash],
    )
    row = await cursor.fetchone()
    if row is None:
        return None
    person = person_from_row(row, prefix="person_") if row["user_id"] is not None else None
    return Holder(token=_from_row(row), person=person)


async def list_api_tokens(conn: Connection, *, owner_id: UUID | None) -> list[Holder]:
    """Return the API tokens that were not revoked, of one person or (None) of all, oldest first."""
    cursor = await conn.execute(
        f"""SELECT {_COLUMNS}, {JOINED_COLUMNS} FROM api_tokens t LEFT JOIN user_profiles p ON p.id = t.user_id
            WHERE t.kind = 'api' AND t.revoked_at IS NULL AND (%(owner)s::uuid IS NULL OR t.user_id = %(owner)s)
            ORDER BY t.created_at, t.id""",
        {"owner": owner_id},
    )
    return [
        Holder(token=_from_row(row), person=person_from_row(row, prefix="person_") if row["user_id"] else None)
        for row in await cursor.fetchall()
    ]


async def save_use(conn: Connection, token_id: UUID, now: datetime, *, expires_at: datetime | None) -> None:
    """Note that a token was used, and until when it holds from now on."""
    await conn.execute(
        "UPDATE api_tokens SET last_used_at = %s, expires_at = %s WHERE id = %s", [now, expires_at, token_id]
    )


async def claim_ticket(conn: Connection, token_hash: bytes, kind: TokenKind, now: datetime) -> Token | None:
    """Spend a ticket or a reset: returns it to exactly one caller, and None to everybody else."""
    cursor = await conn.execute(
        f"""UPDATE api_tokens t SET revoked_at = %(now)s, last_used_at = %(now)s
            WHERE token_hash = %(hash)s AND kind = %(kind)s AND revoked_at IS NULL AND expires_at > %(now)s
            RETURNING {_COLUMNS}""",
        {"hash": token_hash, "kind": kind, "now": now},
    )
    row = await cursor.fetchone()
    return None if row is None else _from_row(row)


async def save_revoked(conn: Connection, token_id: UUID, now: datetime, *, owner_id: UUID | None = None) -> bool:
    """Revoke a token; False where it was revoked already. Raises NotFound, for one of somebody else's too."""
    values = {"now": now, "id": token_id, "owner": owner_id}
    is_theirs = "id = %(id)s AND (%(owner)s::uuid IS NULL OR user_id = %(owner)s)"
    cursor = await conn.execute(
        f"UPDATE api_tokens SET revoked_at = %(now)s WHERE {is_theirs} AND revoked_at IS NULL", values
    )
    if cursor.rowcount == 1:
        return True
    known = await (await conn.execute(f"SELECT 1 AS one FROM api_tokens WHERE {is_theirs}", values)).fetchone()
    if known is None:
        raise NotFound("There is no token of that id.")
    return False


async def revoke_all(
    conn: Connection, user_id: UUID, now: datetime, *, kinds: Collection[TokenKind], but: UUID | None = None
) -> int:
    """Revoke what a person has of those kinds, except one; returns how many that were."""
    cursor = await conn.execute(
        """UPDATE api_tokens SET revoked_at = %s
           WHERE user_id = %s AND kind = ANY(%s) AND revoked_at IS NULL AND id IS DISTINCT FROM %s""",
        [now, user_id, [kind.value for kind in kinds], but],
    )
    return cursor.rowcount


async def delete_expired(conn: Connection, *, expired_before: datetime) -> None:
    """Forget tickets and sessions that ended before that moment."""
    await conn.execute(
        "DELETE FROM api_tokens WHERE kind IN ('ticket', 'session', 'reset') AND expires_at < %s", [expired_before]
    )


@dataclass(frozen=True, kw_only=True)
class Right:
    """As what a token or session that still holds lets somebody in."""

    id: UUID
    role: Role
    identity_grant: bytes | None = field(repr=False)


async def list_standing(conn: Connection, ids: Collection[UUID], now: datetime) -> list[Right]:
    """Return as what each of those tokens, sessions and people that still hold lets somebody in, in one query."""
    cursor = await conn.execute(
        """SELECT t.id, coalesce(p.role, 'admin') AS role, t.identity_grant
           FROM api_tokens t LEFT JOIN user_profiles p ON p.id = t.user_id
           WHERE t.id = ANY(%(ids)s) AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > %(now)s)
               AND CASE WHEN t.user_id IS NULL THEN t.kind = 'api' ELSE p.allowlisted END
           UNION ALL
           SELECT p.id, p.role, NULL FROM user_profiles p WHERE p.id = ANY(%(ids)s) AND p.allowlisted""",
        {"ids": list(ids), "now": now},
    )
    return [Right(**{**row, "role": Role(row["role"])}) for row in await cursor.fetchall()]
