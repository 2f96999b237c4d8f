"""Who is asking, and whose campaigns they see."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from autolynx.domain.permission import Permission, Role, Scope, may


@dataclass(frozen=True, kw_only=True)
class Maker:
    """Who makes something: what the audit log says, whose it will be (None: nobody's), and whose things they see."""

    name: str
    owner_id: UUID | None = None
    sees_only: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class Actor:
    """A caller whom we know.

    `id` is that of the token or session, `user_id` that of the person behind it: None for a token that the command
    line made. For an access token of an identity server `id` is that of the person, and `until` its end. `name` is
    what the audit log says: the email of a person, the name of such a token.
    """

    id: UUID
    name: str
    role: Role
    scopes: Collection[Scope]
    user_id: UUID | None = None
    is_browser: bool = False
    until: datetime | None = None

    def may(self, permission: Permission) -> bool:
        """Whether the caller may do that."""
        return may(self.role, self.scopes, permission)

    @property
    def sees_only(self) -> UUID | None:
        """Whose campaigns alone are seen; None: those of everybody."""
        return None if self.role is Role.ADMIN else self.user_id or NOBODY

    @property
    def maker(self) -> Maker:
        """What is noted of the caller on things that they make."""
        return Maker(name=self.name, owner_id=self.user_id, sees_only=self.sees_only)


NOBODY = UUID(int=0)  # owns nothing: an operator's right without a person behind it opens nothing
