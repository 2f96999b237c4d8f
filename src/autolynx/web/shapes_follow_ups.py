"""A follow-up campaign: what is asked for, and what would come of it."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from autolynx.domain.call import Outcome
from autolynx.domain.campaign import MAX_ATTEMPTS, MAX_RETRY_MINUTES, CampaignMode
from autolynx.domain.campaign_changes import OptionChanges
from autolynx.flows.follow_up_campaign import FollowUp, FollowUpPlan
from autolynx.store.report_rows import CALL_STATUSES, ContactFilter
from autolynx.web.shapes import Input, Shape
from autolynx.web.shapes_campaign_inputs import Cap, Name, PhoneNumberId
from autolynx.web.shapes_campaigns import CampaignDetail
from autolynx.web.shapes_plans import PlanShape, SkippedShape

CallStatusOrNone = Annotated[str, Field(pattern=f"^({'|'.join(CALL_STATUSES)})$")]
MOST_BATCHES = 1_000_000


class FollowUpInput(Input):
    """Whom to call once more: the filters of the list of contacts, and `outcomes`, of which any will do.

    What is left out is as in the campaign that is followed.
    """

    status: CallStatusOrNone | None = None
    outcome: Outcome | None = None
    outcomes: list[Outcome] = Field(default_factory=list, max_length=20)
    search: str = Field(default="", max_length=200)
    batch: int | None = Field(default=None, ge=0, le=MOST_BATCHES)
    name: Name | None = None
    assistant_id: UUID | None = None
    phone_number_id: PhoneNumberId | None = None
    mode: CampaignMode | None = None
    cap: Cap | None = None
    line_quiet: bool | None = None
    max_attempts: int | None = Field(default=None, ge=1, le=MAX_ATTEMPTS)
    retry_after_minutes: int | None = Field(default=None, ge=1, le=MAX_RETRY_MINUTES)
    pause_on_failures: bool | None = None
    include_called_elsewhere: bool = Field(
        default=False, description="Call numbers, too, that other campaigns have called lately."
    )

    def follow_up(self, campaign_id: UUID) -> FollowUp:
        """Return it in our words."""
        options = OptionChanges(
            line_quiet=self.line_quiet,
            max_attempts=self.max_attempts,
            retry_after_minutes=self.retry_after_minutes,
            pauses_on_failures=self.pause_on_failures,
        )
        return FollowUp(
            campaign_id=campaign_id,
            chosen=ContactFilter(
                status=self.status, outcome=self.outcome, search=self.search.strip() or None, batch=self.batch
            ),
            outcomes=[outcome.value for outcome in self.outcomes],
            name=self.name,
            assistant_id=self.assistant_id,
            phone_number_id=self.phone_number_id,
            mode=self.mode,
            cap=self.cap,
            options=options.chosen(),
            includes_called_elsewhere=self.include_called_elsewhere,
        )


class FollowerShape(Shape):
    """A follow-up that there is already."""

    campaign_id: UUID
    name: str
    created_at: datetime


class FollowUpPlanShape(Shape):
    """What a follow-up would do. `matched` are all whom the filter finds; `plan.skipped` says who of them stays."""

    matched: int
    suggested_name: str
    followers: list[FollowerShape]
    plan: PlanShape

    @classmethod
    def of(cls, planned: FollowUpPlan) -> "FollowUpPlanShape":
        """Show it."""
        return cls(
            matched=planned.matched,
            suggested_name=planned.suggested_name,
            followers=[
                FollowerShape(campaign_id=one.id, name=one.name, created_at=one.created_at) for one in planned.followers
            ],
            plan=PlanShape.of(planned.plan),
        )


class FollowedUpAnswer(Shape):
    """A follow-up campaign just created, and who stayed behind."""

    campaign_id: UUID
    skipped: list[SkippedShape]
    campaign: CampaignDetail
