"""Tokens: API tokens, one-time tickets and browser sessions. Only hashes are kept; a secret is shown once."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from autolynx.errors import NotFound
from autolynx.store.database import Connection, Row


class TokenKind(StrEnum):
    """What a token is for."""

    API = "api"
    TICKET = "ticket"  # opens one session and is spent by it
    SESSION = "session"


@dataclass(frozen=True, kw_only=True)
class Token:
    """A row of `api_tokens`. `expires_at` None: until revoked."""

    id: UUID
    name: str
    kind: TokenKind
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None

    def is_valid(self, now: datetime) -> bool:
        """Whether it still opens anything."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


_COLUMNS = "id, name, kind, created_at, expires_at, last_used_at, revoked_at"


def _from_row(row: Row) -> Token:
    return Token(**{**row, "kind": TokenKind(row["kind"])})


async def insert(conn: Connection, token: Token, *, token_hash: bytes) -> None:
    """Insert a token under the hash of its secret."""
    await conn.execute(
        """INSERT INTO api_tokens (id, name, kind, token_hash, created_at, expires_at)
           VALUES (%s, %s, %s, %s, %s, %s)""",
        [token.id, token.name, token.kind, token_hash, token.created_at, token.expires_at],
    )


async def find(conn: Connection, token_hash: bytes) -> Token | None:
    """Return the token of that hash, valid or not; None where there is none."""
    cursor = await conn.execute(f"SELECT {_COLUMNS} FROM api_tokens WHERE token_hash = %s", [token_hash])
    row = await cursor.fetchone()
    return None if row is None else _from_row(row)


async def list_all(conn: Connection, kind: TokenKind) -> list[Token]:
    """Return the tokens of that kind that were not revoked, oldest first."""
    cursor = await conn.execute(
        f"SELECT {_COLUMNS} FROM api_tokens WHERE kind = %s AND revoked_at IS NULL ORDER BY created_at, id", [kind]
    )
    return [_from_row(row) for row in await cursor.fetchall()]


async def save_use(conn: Connection, token_id: UUID, now: datetime) -> None:
    """Note that a token was used."""
    await conn.execute("UPDATE api_tokens SET last_used_at = %s WHERE id = %s", [now, token_id])


async def claim_ticket(conn: Connection, token_hash: bytes, now: datetime) -> Token | None:
    """Spend a ticket: returns it to exactly one caller, and None to everybody else."""
    cursor = await conn.execute(
        f"""UPDATE api_tokens SET revoked_at = %(now)s, last_used_at = %(now)s
            WHERE token_hash = %(hash)s AND kind = 'ticket' AND revoked_at IS NULL AND expires_at > %(now)s
            RETURNING {_COLUMNS}""",
        {"hash": token_hash, "now": now},
    )
    row = await cursor.fetchone()
    return None if row is None else _from_row(row)


async def save_revoked(conn: Connection, token_id: UUID, now: datetime) -> bool:
    """Revoke a token; False where it was revoked already. Raises NotFound."""
    cursor = await conn.execute(
        "UPDATE api_tokens SET revoked_at = %s WHERE id = %s AND revoked_at IS NULL", [now, token_id]
    )
    if cursor.rowcount == 1:
        return True
    known = await (await conn.execute("SELECT 1 AS one FROM api_tokens WHERE id = %s", [token_id])).fetchone()
    if known is None:
        raise NotFound("There is no token of that id.")
    return False


async def delete_expired(conn: Connection, *, expired_before: datetime) -> None:
    """Forget tickets and sessions that ended before that moment."""
    await conn.execute(
        "DELETE FROM api_tokens WHERE kind IN ('ticket', 'session') AND expires_at < %s", [expired_before]
    )
