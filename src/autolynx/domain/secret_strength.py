"""Whether a secret can be guessed: the rule by which production refuses it, and by which `doctor` finds it."""

import re

SHORTEST = 16
FEWEST_DIFFERENT = 6
_NOT_LETTERS = re.compile(r"[^a-z0-9]")
# Words of examples. A secret that contains one of them and little besides was never chosen.
_PLACEHOLDERS = (
    "changeme", "changethis", "replaceme", "replacethis", "placeholder", "yoursecret", "yourpassword", "yourkey",
    "yourapikey", "yourtoken", "mysecret", "mypassword", "supersecret", "topsecret", "secretkey", "sharedsecret",
    "insertyour", "example", "password", "passwort", "secret", "default", "dummy", "sample", "testing", "test", "todo",
    "letmein", "qwerty", "abcdef", "abcdefghijklmnop", "0123456789", "1234567890", "12345678", "deadbeef",
)  # fmt: skip
_MOST_BESIDES = 8  # characters that stand for nothing much: digits, a name, a year


def weakness(secret: str) -> str | None:
    """Return what is weak about a secret, as the end of a sentence that begins with its name; None where it is good."""
    if len(secret) < SHORTEST:
        return f"is too weak: use at least {SHORTEST} characters"
    if _is_placeholder(secret):
        return "is too weak: it is the word of an example"
    if len(set(secret)) < FEWEST_DIFFERENT or _repeats(secret):
        return "is too weak: it repeats the same few characters"
    return None


def _is_placeholder(secret: str) -> bool:
    """Whether little is left when the words of examples are taken out."""
    bare = _NOT_LETTERS.sub("", secret.lower())
    rest = bare
    for word in sorted(_PLACEHOLDERS, key=len, reverse=True):
        rest = rest.replace(word, "")
    return rest != bare and len(rest) <= _MOST_BESIDES


def _repeats(secret: str) -> bool:
    """Whether it is one short piece again and again."""
    return any(
        secret == (secret[:size] * (len(secret) // size + 1))[: len(secret)] for size in range(1, len(secret) // 3 + 1)
    )
