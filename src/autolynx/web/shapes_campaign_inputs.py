"""What is asked of a campaign: to be created, changed, started and stopped."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from autolynx.domain.campaign import (
    DEFAULT_RETRY_MINUTES,
    MAX_ATTEMPTS,
    MAX_CAP,
    MAX_RETRY_MINUTES,
    MIN_CAP,
    CampaignMode,
)
from autolynx.domain.campaign_name import MAX_CAMPAIGN_NAME_CHARACTERS
from autolynx.domain.self_pause import MAX_CANARY
from autolynx.web.shapes import Input

Cap = Annotated[int, Field(ge=MIN_CAP, le=MAX_CAP, description="How many calls at once, 1 to 50.")]
Name = Annotated[str, Field(min_length=1, max_length=MAX_CAMPAIGN_NAME_CHARACTERS)]
PhoneNumberId = Annotated[str, Field(min_length=1, max_length=100)]


class NewCampaignInput(Input):
    """A campaign to be created, beside its file. What is left out follows from the upload and the settings."""

    assistant_id: UUID
    upload_id: UUID | None = None
    name: Name | None = None
    mode: CampaignMode = CampaignMode.CONTINUOUS
    cap: Cap | None = None
    phone_number_id: PhoneNumberId | None = None
    region: str | None = Field(default=None, min_length=2, max_length=2)
    line_quiet: bool = False
    max_attempts: int = Field(
        default=1,
        ge=1,
        le=MAX_ATTEMPTS,
        description="How often a contact is called at most: again only where nobody was reached (no answer, busy, "
        "a fault of the provider).",
    )
    retry_after_minutes: int = Field(
        default=DEFAULT_RETRY_MINUTES,
        ge=1,
        le=MAX_RETRY_MINUTES,
        description="How many minutes after the end of one attempt the next is due.",
    )
    pause_on_failures: bool = Field(
        default=True,
        description="Pause by itself when most of its first 20 calls fail or end within 5 seconds.",
    )
    include_recently_called: bool = False
    again: bool = Field(default=False, description="Load a file that another campaign has taken already.")


class CampaignChanges(Input):
    """What to change. Mode, assistant and phone number only before Start, options until the campaign is over."""

    name: Name | None = None
    cap: Cap | None = None
    mode: CampaignMode | None = None
    assistant_id: UUID | None = None
    phone_number_id: PhoneNumberId | None = None
    line_quiet: bool | None = None
    max_attempts: int | None = Field(default=None, ge=1, le=MAX_ATTEMPTS)
    retry_after_minutes: int | None = Field(default=None, ge=1, le=MAX_RETRY_MINUTES)
    pause_on_failures: bool | None = None


class StartInput(Input):
    """How to start: with `holdForConfirmation` the answer waits until the first call is accepted."""

    hold_for_confirmation: bool = False
    canary: int | None = Field(
        default=None,
        ge=1,
        le=MAX_CANARY,
        description="Call only so many contacts, then pause; Resume calls the rest. 1 to 100.",
    )


class StopInput(Input):
    """How to stop: with `hangUp` live calls are ended now."""

    hang_up: bool = False
