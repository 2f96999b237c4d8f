"""What a campaign would do, asked before it is created."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from autolynx.domain.call_figures import CallFigures, FiguresFrom
from autolynx.domain.campaign import DEFAULT_RETRY_MINUTES, MAX_ATTEMPTS, MAX_RETRY_MINUTES, CampaignMode
from autolynx.domain.plan import Plan, Skipped, Span
from autolynx.flows.planning import Choices
from autolynx.web.shapes import Input, Shape
from autolynx.web.shapes_campaign_inputs import Cap, PhoneNumberId
from autolynx.web.shapes_campaigns import Number


class ChoicesInput(Input):
    """What is chosen so far. What is left out follows from the settings."""

    assistant_id: UUID | None = None
    phone_number_id: PhoneNumberId | None = None
    mode: CampaignMode = CampaignMode.CONTINUOUS
    cap: Cap | None = None
    line_quiet: bool = False
    max_attempts: int = Field(default=1, ge=1, le=MAX_ATTEMPTS)
    retry_after_minutes: int = Field(default=DEFAULT_RETRY_MINUTES, ge=1, le=MAX_RETRY_MINUTES)

    def choices(self) -> Choices:
        """Return them in our words."""
        return Choices(
            assistant_id=self.assistant_id,
            phone_number_id=self.phone_number_id,
            mode=self.mode,
            cap=self.cap,
            options={
                "lineQuiet": self.line_quiet,
                "maxAttempts": self.max_attempts,
                "retryAfterMinutes": self.retry_after_minutes,
            },
        )


class PlanInput(ChoicesInput):
    """A campaign that might be created of an upload."""

    upload_id: UUID
    include_recently_called: bool = False
    again: bool = Field(default=False, description="Load a file that another campaign has taken already.")


class SkippedShape(Shape):
    """Who is not called, and why: `invalid`, `duplicate`, `recentlyCalled` and others."""

    reason: str
    count: int
    sentence: str

    @classmethod
    def of(cls, skipped: Skipped) -> "SkippedShape":
        """Show them."""
        return cls(reason=skipped.reason, count=skipped.count, sentence=skipped.sentence)


class RangeShape(Shape):
    """From `low` to `high`."""

    low: Number
    high: Number

    @classmethod
    def of(cls, span: Span) -> "RangeShape":
        """Show a span."""
        return cls(low=span.low, high=span.high)


class BasisShape(Shape):
    """On what the figures rest: `calls` of this assistant, of all assistants, or a rule of thumb."""

    source: FiguresFrom
    calls: int
    sentence: str
    answered_share: float
    talk_seconds: float
    cost_per_call: Number

    @classmethod
    def of(cls, figures: CallFigures) -> "BasisShape":
        """Show figures."""
        return cls(
            source=figures.source,
            calls=figures.calls,
            sentence=figures.sentence,
            answered_share=round(figures.answered_share, 4),
            talk_seconds=round(figures.talk_seconds, 1),
            cost_per_call=round(figures.cost_usd, 4),
        )


class PlanShape(Shape):
    """What would happen. Durations in seconds, costs in US dollars.

    `objections` say why it cannot be created like this. `startsAt` is null where a person has to let it start.
    """

    contacts: int
    skipped: list[SkippedShape]
    objections: list[str]
    calls: RangeShape
    lines: int
    bound_by: str
    lines_sentence: str
    duration: RangeShape
    cost: RangeShape
    basis: BasisShape
    starts_at: datetime | None
    start_sentence: str
    notes: list[str]

    @classmethod
    def of(cls, plan: Plan) -> "PlanShape":
        """Show a plan."""
        return cls(
            contacts=plan.contacts,
            skipped=[SkippedShape.of(one) for one in plan.skipped],
            objections=list(plan.objections),
            calls=RangeShape.of(plan.calls),
            lines=plan.lines,
            bound_by=plan.bound_by,
            lines_sentence=plan.lines_sentence,
            duration=RangeShape.of(plan.seconds),
            cost=RangeShape.of(plan.cost_usd),
            basis=BasisShape.of(plan.figures),
            starts_at=plan.starts_at,
            start_sentence=plan.start_sentence,
            notes=list(plan.notes),
        )
