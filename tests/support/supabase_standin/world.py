"""What the stand-in for Supabase Auth knows: people, sessions, attempts, mails. And how it is to misbehave."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

from autolynx.runtime import Clock
from tests.support.supabase_standin.keys import Keys

ANON_KEY = "anon-key-of-the-test"


class Refusal(Exception):
    """An error as the server tells it: a status, a word, a sentence."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


@dataclass(kw_only=True)
class User:
    """A row of the server's users."""

    email: str
    created_at: datetime
    id: str = field(default_factory=lambda: str(uuid4()))
    password: str | None = None
    email_confirmed_at: datetime | None = None
    confirmation_token: str = ""
    confirmation_sent_at: datetime | None = None
    recovery_token: str = ""
    recovery_sent_at: datetime | None = None
    last_sign_in_at: datetime | None = None
    user_metadata: dict[str, Any] = field(default_factory=dict)
    identities: list[dict[str, Any]] = field(default_factory=list)
    is_banned: bool = False
    is_anonymous: bool = False

    def confirm(self, now: datetime) -> None:
        """Take the address as confirmed."""
        self.email_confirmed_at = now
        self.confirmation_token = ""
        self.user_metadata["email_verified"] = True


@dataclass(kw_only=True)
class RefreshToken:
    """One link of a chain: each use makes the next one."""

    token: str
    parent: str
    updated_at: datetime
    is_revoked: bool = False


@dataclass(kw_only=True)
class Session:
    """A sign-in, with how it was made and its chain of refresh tokens."""

    user: User
    methods: list[tuple[str, int]]
    id: str = field(default_factory=lambda: str(uuid4()))
    tokens: list[RefreshToken] = field(default_factory=list)


@dataclass(kw_only=True)
class Flow:
    """An attempt to sign in that comes back by the browser."""

    provider: str
    method: str
    challenge: str
    challenge_method: str
    created_at: datetime
    redirect_to: str = ""
    id: str = field(default_factory=lambda: str(uuid4()))
    auth_code: str = field(default_factory=lambda: str(uuid4()))
    issued_at: datetime | None = None
    user: User | None = None


@dataclass(frozen=True, kw_only=True)
class Mail:
    """A mail as its template gets it: the usual link through the server, and the parts of one of our own."""

    to: str
    kind: str
    link: str
    token_hash: str
    code: str


@dataclass(frozen=True, kw_only=True)
class Outsider:
    """Who sits before the browser at Google or GitHub."""

    subject: str
    email: str
    is_verified: bool = True
    name: str = "Pat Example"


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One request and what it got, for the comparison with what is published."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    status: int
    body: Any


@dataclass(frozen=True, kw_only=True)
class Fault:
    """An answer that a test wants instead of the right one."""

    status: int
    content: bytes = b"<html>upstream</html>"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(kw_only=True)
class World:
    """The whole state of a project."""

    clock: Clock
    site_url: str
    url: str = ""
    keys: Keys = field(default_factory=Keys)
    users: list[User] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    flows: list[Flow] = field(default_factory=list)
    mails: list[Mail] = field(default_factory=list)
    outside: dict[str, Outsider | None] = field(default_factory=dict)
    faults: dict[str, list[Fault]] = field(default_factory=lambda: defaultdict(list))
    asks: Counter[str] = field(default_factory=Counter)  # how often each route was asked, wrong answers included
    exchanges: list[Exchange] = field(default_factory=list)
    allowed_redirects: set[str] = field(default_factory=set)
    providers: set[str] = field(default_factory=lambda: {"email", "google", "github"})
    is_signup_disabled: bool = False
    is_autoconfirm: bool = False
    may_unverified_sign_in: bool = False
    is_mail_exhausted: bool = False
    access_seconds: int = 3600

    @property
    def now(self) -> datetime:
        """The moment on the stand-in's clock."""
        return self.clock.now()

    def add_user(self, email: str, *, password: str | None = None, is_confirmed: bool = True, **more: Any) -> User:
        """Put in a person who signed up long ago."""
        user = User(email=email, created_at=self.now, password=password, **more)
        user.identities.append(identity_row(user, "email", user.id, {"email": email, "sub": user.id}, self.now))
        if is_confirmed:
            user.confirm(self.now)
        self.users.append(user)
        return user

    def find_user(self, email: str) -> User | None:
        """Return who has that address."""
        return next((user for user in self.users if user.email == email.lower()), None)

    def fail(self, path: str, *faults: Fault) -> None:
        """Answer the next requests of a route wrongly."""
        self.faults[path].extend(faults)


def identity_row(user: User, provider: str, subject: str, data: dict[str, Any], now: datetime) -> dict[str, Any]:
    """Return a row of a person's identities, as it is shown."""
    return {
        "identity_id": str(uuid4()),
        "id": subject,
        "user_id": user.id,
        "identity_data": data,
        "provider": provider,
        "last_sign_in_at": stamp(now),
        "created_at": stamp(now),
        "updated_at": stamp(now),
        "email": data.get("email", ""),
    }


def stamp(moment: datetime) -> str:
    """Return a moment in the server's form."""
    return moment.isoformat().replace("+00:00", "Z")
