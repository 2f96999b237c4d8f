"""Settings that an admin chooses in the application. They come before the environment, and hold without a restart."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from autolynx.errors import ValidationProblem
from autolynx.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Choosable:
    """One setting that may be chosen: its variable, its name in the API, what people call it, and what it means."""

    variable: str
    name: str
    label: str
    unit: str
    hint: str


CHOOSABLE = (
    Choosable(
        variable="ACCOUNT_CONCURRENCY_CAP",
        name="accountConcurrencyCap",
        label="Lines of the account",
        unit="calls",
        hint="How many calls the account at the provider carries at once.",
    ),
    Choosable(
        variable="INBOUND_RESERVE",
        name="inboundReserve",
        label="Kept for inbound calls",
        unit="calls",
        hint="Lines of the account that campaigns never use.",
    ),
    Choosable(
        variable="DEFAULT_CONCURRENCY_CAP",
        name="defaultConcurrencyCap",
        label="Calls at once of a new campaign",
        unit="calls",
        hint="What the form of a new campaign begins with.",
    ),
    Choosable(
        variable="LAUNCH_PER_SECOND",
        name="launchPerSecond",
        label="New calls per second",
        unit="calls per second",
        hint="For the whole account; 0 is no limit.",
    ),
    Choosable(
        variable="DEFAULT_CRON_CADENCE",
        name="defaultCronCadence",
        label="Longest time between two ticks",
        unit="seconds",
        hint="The tick is the safety net; the call that ends places the next one.",
    ),
    Choosable(
        variable="RECENT_CALL_DAYS",
        name="recentCallDays",
        label="Called lately",
        unit="days",
        hint="Numbers that any campaign called within so many days are left out of a new list, unless wanted.",
    ),
    Choosable(
        variable="DEFAULT_REGION",
        name="defaultRegion",
        label="Country of numbers without a country code",
        unit="two letters",
        hint="What an upload begins with, for example US or DE.",
    ),
)
BY_VARIABLE = {one.variable: one for one in CHOOSABLE}
_ATTRIBUTES = {str(field.alias): attribute for attribute, field in Settings.model_fields.items()}


class ChosenSettings:
    """What was chosen, as this process knows it, over what the environment says."""

    def __init__(self) -> None:
        self._merged: tuple[Settings, Settings] | None = None
        self._looked_at: datetime | None = None
        self.chosen: Mapping[str, Any] = {}

    def over(self, configured: Settings) -> Settings:
        """Return the settings that hold."""
        if not self.chosen:
            return configured
        if self._merged is None or self._merged[0] is not configured:
            self._merged = (configured, merged(configured, self.chosen))
        return self._merged[1]

    def is_due(self, now: datetime, every_seconds: float) -> bool:
        """Whether it is time to look what was chosen elsewhere; whoever is told so looks."""
        if self._looked_at is not None and (now - self._looked_at).total_seconds() < every_seconds:
            return False
        self._looked_at = now
        return True

    def put(self, chosen: Mapping[str, Any]) -> None:
        """Let other choices hold from now on."""
        if dict(chosen) != dict(self.chosen):
            self.chosen, self._merged = dict(chosen), None


def merged(configured: Settings, chosen: Mapping[str, Any]) -> Settings:
    """Return the settings with the choices in them. Raises ValidationProblem naming the one that cannot be."""
    said = {alias: getattr(configured, attribute) for alias, attribute in _ATTRIBUTES.items()}
    try:
        return Settings(**{**said, **chosen})
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        variable = str(problem["loc"][0]) if problem["loc"] else ""
        name = BY_VARIABLE[variable].name if variable in BY_VARIABLE else variable or "settings"
        sentence = problem["msg"].removeprefix("Value error, ")
        raise ValidationProblem(f"{name}: {sentence[:1].lower()}{sentence[1:]}.", field=name) from None


def value_of(settings: Settings, variable: str) -> Any:
    """Return the value of a setting by its variable."""
    return getattr(settings, _ATTRIBUTES[variable])
