"""Options of a campaign that a person may change while it goes on."""

from dataclasses import dataclass, replace
from typing import Any

from autolynx.domain.campaign import MAX_ATTEMPTS, MAX_RETRY_MINUTES, Campaign, CampaignOptions
from autolynx.domain.self_pause import Watch
from autolynx.errors import ValidationProblem


@dataclass(frozen=True, kw_only=True)
class OptionChanges:
    """What a person wants changed; None leaves it as it is.

    Attempts count from the next end of a call on: who is done already is not called again.
    """

    line_quiet: bool | None = None
    max_attempts: int | None = None
    retry_after_minutes: int | None = None
    pauses_on_failures: bool | None = None

    def chosen(self) -> dict[str, Any]:
        """Return the changes in the words in which options are stored."""
        values = {
            "lineQuiet": self.line_quiet,
            "maxAttempts": self.max_attempts,
            "retryAfterMinutes": self.retry_after_minutes,
            "pauseOnFailures": self.pauses_on_failures,
        }
        return {name: value for name, value in values.items() if value is not None}


def check_options(options: OptionChanges) -> None:
    """Raise ValidationProblem for what no campaign can have."""
    if options.max_attempts is not None and not 1 <= options.max_attempts <= MAX_ATTEMPTS:
        raise ValidationProblem(f"maxAttempts: must be from 1 to {MAX_ATTEMPTS}.", field="maxAttempts")
    minutes = options.retry_after_minutes
    if minutes is not None and not 1 <= minutes <= MAX_RETRY_MINUTES:
        message = f"retryAfterMinutes: must be from 1 to {MAX_RETRY_MINUTES:,} (a week)."
        raise ValidationProblem(message, field="retryAfterMinutes")


def with_options(campaign: Campaign, changes: OptionChanges) -> Campaign:
    """Return the campaign with its options changed.

    Whoever switches the pause on failures on while it goes on has its next calls watched; off means at once.
    """
    before = campaign.options
    after = CampaignOptions.from_json({**_as_json(before), **changes.chosen()})
    watch = campaign.watch
    if before.pauses_on_failures and not after.pauses_on_failures:
        watch = None
    elif after.pauses_on_failures and not before.pauses_on_failures and campaign.queued_at is not None:
        watch = Watch()
    return replace(campaign, options=after, watch=watch)


def _as_json(options: CampaignOptions) -> dict[str, Any]:
    kept = OptionChanges(
        line_quiet=options.line_quiet,
        max_attempts=options.max_attempts,
        retry_after_minutes=options.retry_after_minutes,
        pauses_on_failures=options.pauses_on_failures,
    )
    return {**kept.chosen(), "region": options.region}
