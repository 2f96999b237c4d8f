"""Who may do what: one table of roles, and one of what a token's scopes leave of them."""

from collections.abc import Collection
from enum import StrEnum


class Role(StrEnum):
    """What a person is to this installation."""

    ADMIN = "admin"
    OPERATOR = "operator"


class Permission(StrEnum):
    """One thing that may be done. Of campaigns and all that hangs on them an operator has only the own ones."""

    CAMPAIGNS_READ = "campaigns:read"
    CAMPAIGNS_WRITE = "campaigns:write"
    CAMPAIGNS_EXPORT = "campaigns:export"
    PAYLOADS_READ = "payloads:read"
    ASSISTANTS_READ = "assistants:read"
    ASSISTANTS_USE = "assistants:use"
    ASSISTANTS_WRITE = "assistants:write"
    NUMBERS_READ = "numbers:read"
    ANALYTICS_READ = "analytics:read"
    DIALING_READ = "dialing:read"
    DIALING_HOLD = "dialing:hold"
    SETTINGS_READ = "settings:read"
    SETTINGS_WRITE = "settings:write"
    METRICS_READ = "metrics:read"
    TICKS_RUN = "ticks:run"
    TOKENS_OWN = "tokens:own"
    PEOPLE_MANAGE = "people:manage"
    AUDIT_READ = "audit:read"
    PRIVACY_MANAGE = "privacy:manage"


class Scope(StrEnum):
    """What an API token was made for. It never gives more than the person has who made it."""

    ALL = "all"
    READ = "read"
    CALL = "call"
    EXPORT = "export"
    ASSISTANTS = "assistants"
    METRICS = "metrics"


_P = Permission
_OPERATOR = frozenset(
    {
        _P.CAMPAIGNS_READ,
        _P.CAMPAIGNS_WRITE,
        _P.CAMPAIGNS_EXPORT,
        _P.ASSISTANTS_READ,
        _P.ASSISTANTS_USE,
        _P.NUMBERS_READ,
        _P.ANALYTICS_READ,
        _P.DIALING_READ,
        _P.SETTINGS_READ,
        _P.TOKENS_OWN,
    }
)
OF_ROLE: dict[Role, frozenset[Permission]] = {Role.ADMIN: frozenset(Permission), Role.OPERATOR: _OPERATOR}
_READ = frozenset(
    {_P.CAMPAIGNS_READ, _P.ASSISTANTS_READ, _P.NUMBERS_READ, _P.ANALYTICS_READ, _P.DIALING_READ, _P.SETTINGS_READ}
)
OF_SCOPE: dict[Scope, frozenset[Permission]] = {
    Scope.ALL: frozenset(Permission),
    Scope.READ: _READ,
    Scope.CALL: _READ | {_P.CAMPAIGNS_WRITE, _P.ASSISTANTS_USE},
    Scope.EXPORT: frozenset({_P.CAMPAIGNS_READ, _P.CAMPAIGNS_EXPORT}),
    Scope.ASSISTANTS: frozenset({_P.ASSISTANTS_READ, _P.ASSISTANTS_WRITE}),
    Scope.METRICS: frozenset({_P.METRICS_READ}),
}


def may(role: Role, scopes: Collection[Scope], permission: Permission) -> bool:
    """Whether that role, through something with those scopes, may do it."""
    return permission in OF_ROLE[role] and any(permission in OF_SCOPE[scope] for scope in scopes)
