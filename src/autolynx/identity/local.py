"""Accounts of our own: passwords kept as argon2id. Hashing takes a moment on purpose, and so runs in a thread."""

import anyio.to_thread
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from autolynx.errors import ValidationProblem

LEAST_CHARACTERS, MOST_CHARACTERS = 12, 200
AT_ONCE = 2  # each takes 19 MiB and a processor: a flood of attempts waits in line instead of filling the memory
# The second choice of OWASP: 19 MiB, two passes, one lane.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_COMMON = frozenset({"password", "passwort", "letmein", "qwertyuiop", "autolynx", "changeme", "123456789"})


class LocalPasswords:
    """Makes and checks password hashes, a few at a time."""

    def __init__(self, hasher: PasswordHasher = _HASHER) -> None:
        self._hasher = hasher
        self._limit = anyio.CapacityLimiter(AT_ONCE)
        self._nobody: str | None = None

    async def hash(self, password: str) -> str:
        """Return what is kept of a password."""
        return await anyio.to_thread.run_sync(self._hasher.hash, password, limiter=self._limit)

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether it is the right password. Without a hash the answer is no, and takes as long as any other."""
        if self._nobody is None:
            self._nobody = await self.hash("nobody has this password")
        is_right = await anyio.to_thread.run_sync(
            self._is_right, password_hash or self._nobody, password[:MOST_CHARACTERS], limiter=self._limit
        )
        return is_right and password_hash is not None

    def is_outdated(self, password_hash: str) -> bool:
        """Whether a hash was made with weaker parameters than those of today."""
        return self._hasher.check_needs_rehash(password_hash)

    def _is_right(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (Argon2Error, InvalidHashError):
            return False


def check_password(password: str, *, email: str) -> None:
    """Raise ValidationProblem for a password that is too short, too long, or easily guessed."""
    if len(password) < LEAST_CHARACTERS:
        raise ValidationProblem(f"password: use at least {LEAST_CHARACTERS} characters.", field="password")
    if len(password) > MOST_CHARACTERS:
        raise ValidationProblem(f"password: use at most {MOST_CHARACTERS} characters.", field="password")
    bare = "".join(character for character in password.lower() if character.isalnum())
    is_repeated = len(set(password)) < LEAST_CHARACTERS // 3
    if (
        is_repeated
        or any(bare.strip("0123456789") == word for word in ("", *_COMMON))
        or email.lower() in password.lower()
    ):
        raise ValidationProblem("password: this one is easily guessed; choose another one.", field="password")
