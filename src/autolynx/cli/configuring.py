"""Settings and logging at the beginning of a command. Standard output belongs to what was asked for."""

from typing import Any

from autolynx.log import configure_logging
from autolynx.settings import Settings, load_settings


def configured(*, log_level: str | None = None, **overrides: Any) -> Settings:
    """Read the settings and send the log to standard error, from `log_level` on (LOG_LEVEL when None).

    `overrides` use the variables' names. Raises ConfigurationError.
    """
    settings = load_settings(**overrides)
    configure_logging(log_level or settings.log_level, as_json=settings.environment == "production")
    return settings
