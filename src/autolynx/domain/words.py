"""Sentences for a person, in place of the provider's words."""

from autolynx.domain.outcome import Blame

_WHY = {
    Blame.ACCOUNT: "The provider refuses the account (key, credit or freeze)",
    Blame.NUMBER: "The phone number has reached its daily limit or is blocked",
    Blame.CAMPAIGN: "The provider refuses the assistant or the configuration",
    Blame.CONCURRENCY: "The provider's limit of concurrent calls was reached",
    Blame.PROVIDER: "The provider failed to start the call",
    Blame.NOBODY: "The call could not be placed",
}


def why(blame: Blame, ended_reason: str | None) -> str:
    """Say why something rests or failed; the provider's own word stands in brackets."""
    return f"{_WHY[blame]} ({ended_reason})." if ended_reason else f"{_WHY[blame]}."


def as_sentence(text: str) -> str:
    """Return what a person wrote as a sentence that others can follow: it ends like one."""
    return text if text.endswith((".", "!", "?", "\N{HORIZONTAL ELLIPSIS}")) else f"{text}."


def counted(count: int, one: str, many: str) -> str:
    """Return a count with its word: `1 row has`, `2 rows have`."""
    return f"1 {one}" if count == 1 else f"{count:,} {many}"
