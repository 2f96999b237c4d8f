"""Every secret of the settings: when it is needed, what it is for, and what is wrong with it.

Production does not start with one that is missing or weak; `autolynx doctor` looks at the same table everywhere.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from autolynx.domain.secret_strength import SHORTEST, weakness
from autolynx.settings_web import several

Judge = Callable[[Any], bool]


def _always(_settings: Any) -> bool:
    return True


def _never(_settings: Any) -> bool:
    return False


def _plain(settings: Any) -> bool:
    return bool({"secret", "bearer"} & set(settings.webhook_schemes))


def _signed(settings: Any) -> bool:
    return "hmac" in settings.webhook_schemes


@dataclass(frozen=True, kw_only=True)
class SecretRule:
    """One secret. `without`: what it means that it is not set; `instead`: another variable that does as well.

    `is_needed`: whether production needs it. `is_ours`: whether we choose it, so that a weak one is refused; others
    are given by a service, and `doctor` only warns. `is_url`: the secret is the password inside.
    """

    name: str
    without: str = "that is optional"
    instead: str | None = None
    is_needed: Judge = _never
    is_ours: bool = True
    is_url: bool = False

    def values(self, settings: Any) -> tuple[str, ...]:
        """Return the secrets that are set; several where a variable may hold several."""
        given: SecretStr | None = getattr(settings, self.name.lower())
        if given is None:
            return ()
        if self.is_url:
            password = urlsplit(given.get_secret_value()).password
            return (password,) if password else ()
        return several(given) or ("",)

    def weakness(self, settings: Any) -> str | None:
        """Return what is weak about the first of them that is."""
        found = (weakness(value) for value in self.values(settings))
        return next((text for text in found if text is not None), None)

    def is_missing(self, settings: Any) -> bool:
        """Whether production needs it and neither it nor what does as well is set."""
        names = [self.name, *([self.instead] if self.instead else [])]
        return self.is_needed(settings) and all(getattr(settings, name.lower()) is None for name in names)

    @property
    def remedy(self) -> str:
        """Say what to do."""
        if not self.is_ours:
            return f"Set {self.name} to what the service gave you, and let it give you one that cannot be guessed."
        return f"Set {self.name} to a random text of {SHORTEST} or more characters: openssl rand -hex 24"


SECRETS: tuple[SecretRule, ...] = (
    SecretRule(name="VAPI_API_KEY", without="nobody can be called", is_needed=_always),
    SecretRule(name="WEBHOOK_SHARED_SECRET", without="webhooks are refused without it", is_needed=_plain),
    SecretRule(
        name="WEBHOOK_HMAC_SECRET",
        without="webhooks are refused without it",
        instead="WEBHOOK_SHARED_SECRET",
        is_needed=_signed,
    ),
    SecretRule(
        name="CRON_SHARED_SECRET", without="cron cannot tick without it", instead="CRON_SECRET", is_needed=_always
    ),
    SecretRule(name="CRON_SECRET"),
    SecretRule(name="SUPABASE_ANON_KEY", is_ours=False),
    SecretRule(name="SUPABASE_JWT_SECRET", is_ours=False),
    SecretRule(name="SMTP_PASSWORD", is_ours=False),
    SecretRule(name="S3_SECRET_ACCESS_KEY", is_ours=False),
    SecretRule(name="DATABASE_URL", is_ours=False, is_url=True),
    SecretRule(name="REDIS_URL", is_ours=False, is_url=True),
)


def refusals(settings: Any) -> Sequence[str]:
    """Return why production does not start with these secrets, a sentence without a full stop for each."""
    found: list[str] = []
    for rule in SECRETS:
        if rule.is_missing(settings):
            found.append(f"{rule.name} must be set in production")
        elif rule.is_ours and (text := rule.weakness(settings)) is not None:
            found.append(f"{rule.name} {text}")
    return found
