import re

import pytest

from tests.support.command import Console

pytestmark = pytest.mark.e2e
BOSS, ZOE = "boss@example.com", "zoe@example.com"
PASSWORD = "four words of nobody else"


def test_people_are_added_listed_changed_and_removed(console: Console) -> None:
    added = console.run("users", "add", BOSS, "--role", "admin", "--name", "The boss")
    assert added.returncode == 0, added.stderr
    assert re.fullmatch(r"http://\S+/enter\?ticket=al_[\w-]+\n", added.stdout), "the link alone, to be piped"
    assert f"{BOSS} may come in as admin" in added.stderr
    assert console.run("users", "add", ZOE.upper()).returncode == 0
    listed = console.run("users", "list").stdout.splitlines()
    assert [line.split()[:2] for line in listed] == [[BOSS, "admin"], [ZOE, "operator"]]

    again = console.run("users", "add", ZOE)
    assert (again.returncode, "on the list already" in again.stderr) == (2, True)
    wrong = console.run("users", "add", "no email")
    assert (wrong.returncode, "email: " in wrong.stderr) == (2, True)

    last = console.run("users", "remove", BOSS)
    assert (last.returncode, "one admin left" in last.stderr) == (2, True)
    assert console.run("users", "role", ZOE, "admin").returncode == 0
    assert console.run("users", "role", BOSS, "operator").returncode == 0
    assert console.run("users", "role", BOSS, "emperor").returncode == 2
    assert console.run("users", "remove", BOSS).returncode == 0
    assert [line.split()[:2] for line in console.run("users", "list").stdout.splitlines()] == [[ZOE, "admin"]]
    unknown = console.run("users", "remove", BOSS)
    assert (unknown.returncode, "not on the list" in unknown.stderr) == (2, True)


def test_a_password_is_asked_for_twice_and_never_shown(console: Console) -> None:
    console.run("users", "add", ZOE)
    done = console.run("users", "password", ZOE, typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert done.returncode == 0, done.stderr
    assert f"The password of {ZOE} is set." in done.stdout
    weak = console.run("users", "password", ZOE, typed="short\nshort\n")
    assert (weak.returncode, "at least 12 characters" in weak.stderr) == (2, True)
    assert console.run("users", "password", ZOE, typed="").returncode != 0
    assert PASSWORD not in done.stdout + done.stderr
    assert "short" not in weak.stdout
