"""API tokens: made, listed, revoked. An admin sees those of everybody, anybody else the own ones."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from autolynx.domain.actor import Actor
from autolynx.domain.permission import Permission, Scope
from autolynx.errors import Forbidden
from autolynx.flows import access, people
from autolynx.store.tokens import Holder
from autolynx.web.auth import CallerDep
from autolynx.web.context import RuntimeDep
from autolynx.web.shapes import Input, Shape

router = APIRouter(prefix="/api", tags=["access"])


class TokenInput(Input):
    """What the token is for, and what it may do: never more than the person whose it is."""

    name: str = Field(min_length=1, max_length=access.MOST_NAME_CHARACTERS)
    scopes: list[Scope] = Field(default=[Scope.ALL], min_length=1, max_length=len(Scope))


class TokenShape(Shape):
    """A token without its secret. `owner` is a person's email, null for one that the command line made."""

    id: UUID
    name: str
    scopes: list[Scope]
    owner: str | None
    created_at: datetime
    last_used_at: datetime | None

    @classmethod
    def of(cls, holder: Holder) -> "TokenShape":
        """Show a token."""
        token = holder.token
        return cls(
            id=token.id,
            name=token.name,
            scopes=list(token.scopes),
            owner=holder.person.email if holder.person else None,
            created_at=token.created_at,
            last_used_at=token.last_used_at,
        )


class TokenList(Shape):
    """The tokens that still work."""

    tokens: list[TokenShape]


class NewTokenShape(TokenShape):
    """A token just made; its secret is shown this once."""

    secret: str


@router.get("/tokens", summary="List API tokens")
async def list_tokens(runtime: RuntimeDep, actor: CallerDep) -> TokenList:
    """Return the tokens that were not revoked."""
    found = await access.list_tokens(runtime, owner_id=owner_of_tokens(actor))
    return TokenList(tokens=[TokenShape.of(holder) for holder in found])


@router.post("/tokens", status_code=201, summary="Create an API token")
async def create_token(body: TokenInput, runtime: RuntimeDep, actor: CallerDep) -> NewTokenShape:
    """Create a token; its secret is in this answer and nowhere else."""
    check_is_whole(actor)
    person = await people.get_person(runtime, actor.user_id) if actor.user_id else None
    made = await access.create_token(runtime, body.name, scopes=body.scopes, person=person, actor=actor.name)
    shape = TokenShape.of(Holder(token=made.token, person=person))
    return NewTokenShape(**shape.model_dump(), secret=made.secret)


@router.delete("/tokens/{token_id}", status_code=204, summary="Revoke an API token")
async def revoke_token(token_id: UUID, runtime: RuntimeDep, actor: CallerDep) -> None:
    """Revoke a token, at once."""
    await access.revoke(runtime, token_id, owner_id=owner_of_tokens(actor), actor=actor.name)


def owner_of_tokens(actor: Actor) -> UUID | None:
    """Return whose tokens a caller sees and revokes; None: everybody's."""
    return None if actor.may(Permission.PEOPLE_MANAGE) else actor.sees_only


def check_is_whole(actor: Actor) -> None:
    """Raise Forbidden for a token with narrow scopes: it must not make one with wider ones."""
    if Scope.ALL not in actor.scopes:
        raise Forbidden("A token for a part of the API cannot make tokens.")
