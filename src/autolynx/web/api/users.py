"""Users: the people on the list, over JSON. Only for admins."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from autolynx.domain.permission import Role
from autolynx.flows import people
from autolynx.store.people import Person
from autolynx.web.auth import CallerDep
from autolynx.web.context import RuntimeDep
from autolynx.web.shapes import Input, Shape

router = APIRouter(prefix="/api", tags=["users"])


class UserInput(Input):
    """Who may come in, and as what."""

    email: str = Field(min_length=3, max_length=254)
    role: Role = Role.OPERATOR
    name: str = Field(default="", max_length=people.MOST_NAME_CHARACTERS)


class UserChanges(Input):
    """What is changed; what is left out stays."""

    role: Role | None = None
    name: str | None = Field(default=None, max_length=people.MOST_NAME_CHARACTERS)


class UserShape(Shape):
    """A person on the list. `identity` says which provider an entry was bound to; null for local accounts."""

    id: UUID
    email: str
    name: str
    role: Role
    identity: str | None
    added_by: str
    created_at: datetime
    last_seen_at: datetime | None

    @classmethod
    def of(cls, person: Person) -> "UserShape":
        """Show a person."""
        return cls(**{name: getattr(person, name) for name in cls.model_fields})


class UserList(Shape):
    """The people on the list, by email."""

    users: list[UserShape]


@router.get("/users", summary="List users")
async def list_users(runtime: RuntimeDep, _actor: CallerDep) -> UserList:
    """Return who may come in."""
    return UserList(users=[UserShape.of(person) for person in await people.list_people(runtime)])


@router.post("/users", status_code=201, summary="Add a user")
async def add_user(body: UserInput, runtime: RuntimeDep, actor: CallerDep) -> UserShape:
    """Put somebody on the list."""
    added = await people.add_person(runtime, body.email, role=body.role, name=body.name, actor=actor.name)
    return UserShape.of(added)


@router.patch("/users/{user_id}", summary="Change a user")
async def change_user(user_id: UUID, body: UserChanges, runtime: RuntimeDep, actor: CallerDep) -> UserShape:
    """Give somebody another role or name, at once."""
    changed = await people.change_person(runtime, user_id, role=body.role, name=body.name, actor=actor.name)
    return UserShape.of(changed)


@router.delete("/users/{user_id}", status_code=204, summary="Remove a user")
async def remove_user(user_id: UUID, runtime: RuntimeDep, actor: CallerDep) -> None:
    """Take somebody off the list: sessions and tokens end at once, campaigns stay."""
    await people.remove_person(runtime, user_id, actor=actor.name)
