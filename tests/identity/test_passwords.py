"""Passwords: what is kept of them, what they may be, and that a wrong one is the same work for nobody."""

from typing import Literal

import pytest
from argon2 import PasswordHasher, extract_parameters

from autolynx.errors import ValidationProblem
from autolynx.identity.local import LEAST_CHARACTERS, MOST_CHARACTERS, LocalPasswords, check_password

EMAIL = "zoe@example.com"
GOOD = "four words of nobody else"


@pytest.mark.anyio
async def test_a_hash_is_argon2id_salted_and_tells_nothing() -> None:
    passwords = LocalPasswords()
    first, second = await passwords.hash(GOOD), await passwords.hash(GOOD)
    assert first.startswith("$argon2id$")
    assert first != second
    assert GOOD not in first


@pytest.mark.anyio
async def test_only_the_right_password_is_right() -> None:
    passwords = LocalPasswords()
    kept = await passwords.hash(GOOD)
    assert await passwords.verify(kept, GOOD)
    for wrong in ("", GOOD.upper(), GOOD + " ", GOOD[:-1], "nobody has this password"):
        assert not await passwords.verify(kept, wrong), wrong


@pytest.mark.anyio
async def test_nobody_has_a_password_not_even_the_one_of_nobody() -> None:
    passwords = LocalPasswords()
    for tried in ("", "nobody has this password", GOOD):
        assert not await passwords.verify(None, tried)


@pytest.mark.anyio
async def test_what_is_no_hash_opens_nothing() -> None:
    passwords = LocalPasswords()
    for broken in ("x", "$argon2id$", "$2b$12$" + "a" * 53):
        assert not await passwords.verify(broken, GOOD)


class CountingHasher(PasswordHasher):
    """Notes against which hashes something was verified: what makes the time of an answer."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8 * 1024, parallelism=1)
        self.verified: list[str | bytes] = []

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002 - named by the library
        self.verified.append(hash)
        return super().verify(hash, password)


@pytest.mark.anyio
async def test_a_wrong_password_takes_the_same_work_for_nobody_as_for_somebody() -> None:
    hasher = CountingHasher()
    passwords = LocalPasswords(hasher)
    assert not await passwords.verify(await passwords.hash(GOOD), "wrong")
    assert not await passwords.verify(None, "wrong")
    of_somebody, of_nobody = map(str, hasher.verified)
    assert extract_parameters(of_nobody) == extract_parameters(of_somebody)
    assert of_nobody != of_somebody


@pytest.mark.anyio
async def test_weaker_hashes_of_before_are_recognised() -> None:
    passwords = LocalPasswords()
    weak = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash(GOOD)
    assert passwords.is_outdated(weak)
    assert await passwords.verify(weak, GOOD)
    assert not passwords.is_outdated(await passwords.hash(GOOD))


@pytest.mark.parametrize("password", [GOOD, "ünïcödé wörds hére", "x9$kQ-vv72!p", "a" * 5 + "bcdefgh" + "9" * 8])
def test_long_ones_of_nobody_else_are_taken(password: str) -> None:
    check_password(password, email=EMAIL)


@pytest.mark.parametrize(
    "password",
    [
        "",
        "short",
        "x" * (LEAST_CHARACTERS - 1),
        "x" * MOST_CHARACTERS + "yz123456789",
        "aaaaaaaaaaaa",
        "abababababab",
        "123456789012",
        "password1234",
        "Passwort!!!!2026",
        "------------",
        f"my {EMAIL} is me",
        EMAIL.upper(),
    ],
)
def test_what_is_easily_guessed_is_refused_with_a_remedy(password: str) -> None:
    with pytest.raises(ValidationProblem) as refused:
        check_password(password, email=EMAIL)
    assert refused.value.message.startswith("password: ")
    assert refused.value.details["field"] == "password"
    assert not password or password not in refused.value.message
