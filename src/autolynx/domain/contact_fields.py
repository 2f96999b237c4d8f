"""The text fields of a contact: what is accepted, and the sentence when it is not."""

import re
from dataclasses import dataclass

MAX_NAME_CHARACTERS = 100
MAX_BUSINESS_NAME_CHARACTERS = 200
MAX_VARIABLES_CHARACTERS = 20_000
UNREADABLE = "\ufffd"

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_CONTROL_IN_NOTES = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, kw_only=True)
class FieldProblem:
    """Why a cell was refused: the field, the sentence with the remedy, and what stood there."""

    field: str
    reason: str
    value: str


@dataclass(frozen=True, kw_only=True)
class TextRule:
    """A required text: its name in the API, its name in sentences, and how long it may be."""

    field: str
    label: str
    max_characters: int

    def check(self, text: str) -> FieldProblem | None:
        """Judge a trimmed text; None means that it is good."""
        reason = self._reason(text)
        return FieldProblem(field=self.field, reason=reason, value=text) if reason else None

    def _reason(self, text: str) -> str | None:
        if not text:
            return f"{self.label} is missing; add it."
        if len(text) > self.max_characters:
            return f"{self.label} is longer than {self.max_characters} characters; shorten it."
        if text.isascii() and text.isprintable():
            return None
        return _unreadable(self.label, text) or _control(self.label, text)


NAME = TextRule(field="name", label="Name", max_characters=MAX_NAME_CHARACTERS)
BUSINESS_NAME = TextRule(field="business_name", label="Business name", max_characters=MAX_BUSINESS_NAME_CHARACTERS)


def check_variables(variables: dict[str, str]) -> FieldProblem | None:
    """Judge the further columns of a row. Line breaks and tabs are allowed here: notes have them."""
    for header, text in variables.items():
        label = f'Column "{header}"'
        reason = None if text.isprintable() else _control_in_notes(label, text)
        if reason := reason or _unreadable(label, text):
            return FieldProblem(field=header, reason=reason, value=text)
    if sum(map(len, variables.values())) > MAX_VARIABLES_CHARACTERS:
        reason = f"The further columns hold more than {MAX_VARIABLES_CHARACTERS:,} characters; shorten them."
        return FieldProblem(field="variables", reason=reason, value="")
    return None


def _unreadable(label: str, text: str) -> str | None:
    if UNREADABLE not in text:
        return None
    return f"{label} contains characters that cannot be read; save the file as CSV UTF-8 and correct them."


def _control(label: str, text: str) -> str | None:
    if not _CONTROL.search(text):
        return None
    return f"{label} contains a line break or a control character; remove it."


def _control_in_notes(label: str, text: str) -> str | None:
    if not _CONTROL_IN_NOTES.search(text):
        return None
    return f"{label} contains a control character; remove it."
