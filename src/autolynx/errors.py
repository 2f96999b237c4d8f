"""The error tree. What each kind means to a caller is one table: KINDS.

AutolynxError
 ├─ ValidationProblem      the input is wrong; names the field and the remedy
 ├─ Unauthorized           nobody is signed in, or the token is wrong
 ├─ Forbidden              signed in, but not allowed
 ├─ NotFound               no such thing
 ├─ Conflict               not possible in the present state
 ├─ PayloadTooLarge        over a limit that a setting names
 ├─ RateLimited            too many requests
 ├─ ProviderError          the voice provider refused or broke
 │   └─ ProviderUnreachable  it could not be asked at all
 ├─ IdentityError          the identity server is set up wrongly or answered nonsense
 │   └─ IdentityUnreachable  it could not be asked at all
 ├─ MailFailed             the mail server could not be asked, or refused
 ├─ DatabaseUnavailable    PostgreSQL cannot be reached
 ├─ DataRefused            PostgreSQL refused a value
 │   └─ DatabaseCollision    two transactions collided; repeat the whole one
 └─ ConfigurationError     a setting is missing or malformed
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class AutolynxError(Exception):
    """Anything that went wrong in a way we can put in one sentence for a person.

    `message` is that sentence; `details` are JSON-able facts. Neither holds secrets, names or phone numbers.
    """

    def __init__(self, message: str, *, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details: dict[str, Any] = dict(details or {})


class ValidationProblem(AutolynxError):
    """The input is wrong. `field` names the offending field in the words of the API."""

    def __init__(self, message: str, *, field: str | None = None, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message, details={**({"field": field} if field else {}), **(details or {})})
        self.field = field


class Unauthorized(AutolynxError):
    """Nobody is signed in, or the token or secret is wrong."""


class Forbidden(AutolynxError):
    """Known, but not allowed to do this."""


class NotFound(AutolynxError):
    """No such campaign, contact, call, assistant, upload or phone number."""


class Conflict(AutolynxError):
    """Not possible in the present state; the message says from what to what."""


class PayloadTooLarge(AutolynxError):
    """A body or list over its limit; the message names the limit."""


class RateLimited(AutolynxError):
    """Too many requests. `retry_after_seconds` says when to come back."""

    def __init__(self, message: str, *, retry_after_seconds: int) -> None:
        super().__init__(message, details={"retryAfterSeconds": retry_after_seconds})
        self.retry_after_seconds = retry_after_seconds


class ProviderError(AutolynxError):
    """The voice provider refused a request that is not a call, or answered nonsense.

    `status` is its HTTP status, None where there was none.
    """

    def __init__(self, message: str, *, status: int | None = None, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message, details=details)
        self.status = status


class ProviderUnreachable(ProviderError):
    """The provider could not be asked: no connection, a timeout, an overload or a server error."""


class IdentityError(AutolynxError):
    """The identity server is set up in a way that nobody can sign in by, or answered nonsense; says what to mend."""


class IdentityUnreachable(IdentityError):
    """The identity server could not be asked: no connection, a timeout, an overload or a server error."""


class MailFailed(AutolynxError):
    """A mail could not be sent; the message names the settings, never the address."""


class DatabaseUnavailable(AutolynxError):
    """PostgreSQL cannot be reached or is shutting down; try again."""


class DatabaseCollision(DatabaseUnavailable):
    """A deadlock or serialization failure undid the transaction: nothing changed, the whole of it may be repeated."""


class DataRefused(AutolynxError):
    """PostgreSQL refused what was to be written: a value, a constraint or a statement is at fault, not the moment."""


class ConfigurationError(AutolynxError):
    """A setting is missing, malformed or too weak; the message names the variable."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What an error kind means at the edges: its stable word, HTTP status and process exit code."""

    code: str
    http_status: int
    exit_code: int


KINDS: dict[type[AutolynxError], Kind] = {
    ValidationProblem: Kind(code="VALIDATION_ERROR", http_status=400, exit_code=2),
    Unauthorized: Kind(code="UNAUTHORIZED", http_status=401, exit_code=2),
    Forbidden: Kind(code="FORBIDDEN", http_status=403, exit_code=2),
    NotFound: Kind(code="NOT_FOUND", http_status=404, exit_code=2),
    Conflict: Kind(code="CONFLICT", http_status=409, exit_code=2),
    PayloadTooLarge: Kind(code="PAYLOAD_TOO_LARGE", http_status=413, exit_code=2),
    RateLimited: Kind(code="RATE_LIMITED", http_status=429, exit_code=1),
    ProviderError: Kind(code="PROVIDER_ERROR", http_status=502, exit_code=1),
    IdentityUnreachable: Kind(code="IDENTITY_UNAVAILABLE", http_status=503, exit_code=1),
    IdentityError: Kind(code="IDENTITY_ERROR", http_status=502, exit_code=1),
    MailFailed: Kind(code="MAIL_FAILED", http_status=502, exit_code=1),
    DatabaseUnavailable: Kind(code="DATABASE_UNAVAILABLE", http_status=503, exit_code=1),
    ConfigurationError: Kind(code="CONFIGURATION_ERROR", http_status=500, exit_code=2),
    AutolynxError: Kind(code="INTERNAL_ERROR", http_status=500, exit_code=1),
}


def kind_of(error: AutolynxError) -> Kind:
    """Return the kind of the nearest class in the tree."""
    return next(KINDS[base] for base in type(error).__mro__ if base in KINDS)
