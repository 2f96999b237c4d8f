"""The matrix: what a role may do, and what a token's scopes leave of it."""

from hypothesis import given
from hypothesis import strategies as st

from autolynx.domain.permission import OF_ROLE, OF_SCOPE, Permission, Role, Scope, may

ADMIN_ALONE = {
    Permission.PAYLOADS_READ,
    Permission.ASSISTANTS_WRITE,
    Permission.DIALING_HOLD,
    Permission.SETTINGS_WRITE,
    Permission.METRICS_READ,
    Permission.TICKS_RUN,
    Permission.PEOPLE_MANAGE,
    Permission.AUDIT_READ,
    Permission.PRIVACY_MANAGE,
}
_scopes = st.sets(st.sampled_from(Scope))


def test_an_admin_may_do_everything() -> None:
    assert OF_ROLE[Role.ADMIN] == set(Permission)


def test_what_is_for_admins_alone_is_for_no_operator() -> None:
    assert set(Permission) - OF_ROLE[Role.OPERATOR] == ADMIN_ALONE


def test_every_role_and_every_scope_has_its_line() -> None:
    assert set(OF_ROLE) == set(Role)
    assert set(OF_SCOPE) == set(Scope)


def test_only_the_scope_for_everything_reaches_people_tokens_and_what_is_secret() -> None:
    secret = {
        Permission.PEOPLE_MANAGE,
        Permission.TOKENS_OWN,
        Permission.AUDIT_READ,
        Permission.PRIVACY_MANAGE,
        Permission.PAYLOADS_READ,
        Permission.SETTINGS_WRITE,
        Permission.DIALING_HOLD,
        Permission.TICKS_RUN,
    }
    for scope in set(Scope) - {Scope.ALL}:
        assert not OF_SCOPE[scope] & secret, scope


def test_a_scope_that_reads_writes_nothing() -> None:
    assert all(permission.value.endswith(":read") for permission in OF_SCOPE[Scope.READ])
    assert all(permission.value.endswith(":read") for permission in OF_SCOPE[Scope.METRICS])


@given(role=st.sampled_from(Role), scopes=_scopes, permission=st.sampled_from(Permission))
def test_scopes_only_narrow(role: Role, scopes: set[Scope], permission: Permission) -> None:
    if may(role, scopes, permission):
        assert may(role, {Scope.ALL}, permission)
        assert permission in OF_ROLE[role]
    assert not may(role, set(), permission)


@given(scopes=_scopes, permission=st.sampled_from(Permission))
def test_an_operator_never_does_what_is_for_admins_alone(scopes: set[Scope], permission: Permission) -> None:
    if may(Role.OPERATOR, scopes, permission):
        assert permission not in ADMIN_ALONE
        assert may(Role.ADMIN, scopes, permission)


@given(role=st.sampled_from(Role), scopes=_scopes, more=_scopes, permission=st.sampled_from(Permission))
def test_one_more_scope_takes_nothing_away(
    role: Role, scopes: set[Scope], more: set[Scope], permission: Permission
) -> None:
    assert may(role, scopes | more, permission) == (may(role, scopes, permission) or may(role, more, permission))
