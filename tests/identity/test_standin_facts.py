"""The comparison of the stand-in with what is published notices what is not."""

from typing import Any

import pytest

from tests.support.supabase_standin.facts import BESIDES, STATUSES, differences
from tests.support.supabase_standin.routes import ROUTES
from tests.support.supabase_standin.sessions import show_user
from tests.support.supabase_standin.world import Exchange, User
from tests.support.web import START


def exchange(path: str, status: int, body: Any, method: str = "POST") -> Exchange:
    return Exchange(method=method, path=path, query={}, headers={}, status=status, body=body)


def session(**more: Any) -> dict[str, Any]:
    user = show_user(User(email="pat@example.com", created_at=START))
    names = ("access_token", "refresh_token", "token_type", "expires_in", "expires_at")
    return {**dict.fromkeys(names, "x"), "user": user, **more}


def test_every_route_of_the_stand_in_is_published() -> None:
    routes = {
        (method, route.path.removeprefix("/auth/v1"))
        for route in ROUTES
        for method in route.methods or ()
        if method != "HEAD" and route.path.startswith("/auth/v1")
    }
    assert routes == STATUSES.keys() | BESIDES.keys()


def test_every_difference_has_its_reason() -> None:
    assert all(len(reason.split()) > 5 for statuses in BESIDES.values() for reason in statuses.values())
    doubled = [route for route, statuses in BESIDES.items() if STATUSES.get(route, set()) & set(statuses)]
    assert doubled == []


def test_an_answer_as_it_is_published_passes() -> None:
    assert differences([exchange("/token", 200, session()), exchange("/logout", 204, None)]) == []


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (exchange("/token", 200, session(admin=True)), "admin is not published"),
        (exchange("/token", 200, {"access_token": "x", "user": session()["user"]}), "refresh_token is missing"),
        (exchange("/token", 418, {"code": 418, "msg": "x"}), "no such status"),
        (exchange("/token", 400, {"code": 400, "reason": "x"}), "reason is not published"),
        (exchange("/invented", 200, {}), "no such route"),
        (exchange("/logout", 204, {}), "a body where there is none"),
        (exchange("/user", 200, {**session()["user"], "password": "x"}, "GET"), "password is not published"),
        (exchange("/settings", 200, {"secret": "x"}, "GET"), "secret is not published"),
    ],
)
def test_an_answer_that_nobody_published_is_noticed(answer: Exchange, said: str) -> None:
    assert any(said in difference for difference in differences([answer]))
