"""API tokens: made, listed, revoked."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from autolynx.flows import access
from autolynx.store.tokens import Token
from autolynx.web.auth import CallerDep
from autolynx.web.context import RuntimeDep
from autolynx.web.shapes import Input, Shape

router = APIRouter(prefix="/api", tags=["access"])


class TokenName(Input):
    """What the token is for."""

    name: str = Field(min_length=1, max_length=access.MOST_NAME_CHARACTERS)


class TokenShape(Shape):
    """A token without its secret."""

    id: UUID
    name: str
    created_at: datetime
    last_used_at: datetime | None

    @classmethod
    def of(cls, token: Token) -> "TokenShape":
        """Show a token."""
        return cls(id=token.id, name=token.name, created_at=token.created_at, last_used_at=token.last_used_at)


class TokenList(Shape):
    """The tokens that still work."""

    tokens: list[TokenShape]


class NewTokenShape(TokenShape):
    """A token just made; its secret is shown this once."""

    secret: str


@router.get("/tokens", summary="List API tokens")
async def list_tokens(runtime: RuntimeDep, _actor: CallerDep) -> TokenList:
    """Return the tokens that were not revoked."""
    return TokenList(tokens=[TokenShape.of(token) for token in await access.list_tokens(runtime)])


@router.post("/tokens", status_code=201, summary="Create an API token")
async def create_token(body: TokenName, runtime: RuntimeDep, actor: CallerDep) -> NewTokenShape:
    """Create a token; its secret is in this answer and nowhere else."""
    made = await access.create_token(runtime, body.name, actor=actor.name)
    return NewTokenShape(**TokenShape.of(made.token).model_dump(), secret=made.secret)


@router.delete("/tokens/{token_id}", status_code=204, summary="Revoke an API token")
async def revoke_token(token_id: UUID, runtime: RuntimeDep, actor: CallerDep) -> None:
    """Revoke a token, at once."""
    await access.revoke(runtime, token_id, actor=actor.name)
