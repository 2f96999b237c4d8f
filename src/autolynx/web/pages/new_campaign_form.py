"""What has been typed into the form of a new campaign: it stands in the page's address, so that nothing is lost."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Self
from urllib.parse import urlencode
from uuid import UUID

from autolynx.domain.campaign import MAX_ATTEMPTS, MAX_CAP, MAX_RETRY_MINUTES, MIN_CAP, CampaignMode
from autolynx.domain.campaign_name import MAX_CAMPAIGN_NAME_CHARACTERS
from autolynx.domain.self_pause import MAX_CANARY
from autolynx.flows.campaign_edit import NewCampaign
from autolynx.flows.planning import Choices
from autolynx.web.readers import read_id

ADDRESS = "/campaigns/new"
LONGEST_VALUE = 300
DEFAULT_CANARY = "5"
# Of each number: its key in the form, the least, the greatest, and what it is called.
NUMBERS = {
    "cap": (MIN_CAP, MAX_CAP, "Calls at once"),
    "attempts": (1, MAX_ATTEMPTS, "Attempts"),
    "minutes": (1, MAX_RETRY_MINUTES, "Minutes between attempts"),
    "canary": (1, MAX_CANARY, "First contacts"),
}


@dataclass(frozen=True, kw_only=True)
class Typed:
    """The form as it was typed, nonsense included. Switches are "on" or empty."""

    upload: str = ""
    region: str = ""
    name: str = ""
    assistant: str = ""
    number: str = ""
    mode: str = CampaignMode.CONTINUOUS
    cap: str = ""
    attempts: str = "1"
    minutes: str = "60"
    quiet: str = ""
    watch: str = "on"
    lately: str = "skip"
    again: str = ""
    begin: str = "start"
    canary: str = DEFAULT_CANARY

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Read an address or a form. A switch that is off is not sent: `shown` says that the form was."""
        named = {name: str(values[name])[:LONGEST_VALUE] for name in _FIELDS if name in values}
        if values.get("shown"):
            named = {"watch": "", **named}
        typed = cls(**named)
        mode = typed.mode if typed.mode in set(CampaignMode) else CampaignMode.CONTINUOUS
        begin = typed.begin if typed.begin in {"start", "canary", "create"} else "start"
        return replace(typed, mode=mode, begin=begin)

    def address(self, **changed: str) -> str:
        """Return the address that shows this form, with something changed; what is ordinary is left out."""
        values = {name: changed.get(name, getattr(self, name)) for name in _FIELDS}
        said = {name: value for name, value in values.items() if value != getattr(_ORDINARY, name)}
        if said.get("watch") == "":
            said = {"shown": "1", **{name: value for name, value in said.items() if name != "watch"}}
        return f"{ADDRESS}?{urlencode(said)}" if said else ADDRESS

    @property
    def upload_id(self) -> UUID | None:
        """The upload, None for none or nonsense."""
        return read_id(self.upload)

    @property
    def assistant_id(self) -> UUID | None:
        """The assistant, None for none or nonsense."""
        return read_id(self.assistant)

    def problems(self) -> dict[str, str]:
        """Return what cannot be, by field, in sentences."""
        found = {key: number_problem(getattr(self, key), key) for key in NUMBERS if self._is_asked(key)}
        if not self.upload_id:
            found["file"] = "Choose the list to call: a CSV with name, business_name and phone."
        if not self.assistant_id:
            found["assistant"] = "Choose the assistant that speaks."
        if not self.number:
            found["number"] = "Choose the phone number to call from."
        if len(self.name.strip()) > MAX_CAMPAIGN_NAME_CHARACTERS:
            found["name"] = f"Use at most {MAX_CAMPAIGN_NAME_CHARACTERS} characters."
        return {key: sentence for key, sentence in found.items() if sentence}

    def choices(self) -> Choices:
        """Return what is chosen so far, for a plan; numbers that cannot be are left out."""
        return Choices(
            assistant_id=self.assistant_id,
            phone_number_id=self.number or None,
            mode=CampaignMode(self.mode),
            cap=self._number("cap"),
            options=self._options(),
        )

    def wanted(self, upload_id: UUID, assistant_id: UUID) -> NewCampaign:
        """Return the campaign to be created; the caller has looked at `problems`."""
        return NewCampaign(
            upload_id=upload_id,
            assistant_id=assistant_id,
            name=self.name.strip() or None,
            mode=CampaignMode(self.mode),
            cap=self._number("cap"),
            phone_number_id=self.number or None,
            options=self._options(),
            include_recently_called=self.calls_again_lately,
            is_repeat_allowed=self.again == "on",
        )

    @property
    def calls_again_lately(self) -> bool:
        """Whether numbers are called that were called lately."""
        return self.lately == "call"

    @property
    def first_calls(self) -> int | None:
        """How many are called before it waits for a person; None where it does not."""
        return self._number("canary") if self.begin == "canary" else None

    def _options(self) -> dict[str, Any]:
        return {
            "lineQuiet": self.quiet == "on",
            "pauseOnFailures": self.watch == "on",
            "maxAttempts": self._number("attempts") or 1,
            "retryAfterMinutes": self._number("minutes") or 60,
        }

    def _number(self, key: str) -> int | None:
        text = getattr(self, key).strip()
        return int(text) if text and number_problem(text, key) is None else None

    def _is_asked(self, key: str) -> bool:
        return {"canary": self.begin == "canary", "minutes": self.attempts.strip() != "1"}.get(key, True)


_ORDINARY = Typed()
_FIELDS = tuple(field.name for field in fields(Typed))


def number_problem(text: str, key: str, *, is_required: bool = False) -> str | None:
    """Return why a number cannot be, in a sentence; None where it can."""
    least, most, _ = NUMBERS[key]
    text = text.strip()
    if key == "cap" and not text and not is_required:
        return None  # the setting decides
    if text.isascii() and text.isdigit() and least <= int(text) <= most:
        return None
    return f"Must be from {least} to {most:,}."
