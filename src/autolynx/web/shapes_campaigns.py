"""How a campaign looks outside: in a list, in full, and as the answer to what was done to it."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import PlainSerializer

from autolynx.domain.bounds import Bound
from autolynx.domain.campaign import (
    Campaign,
    CampaignMode,
    CampaignStatus,
    due_again_sentence,
)
from autolynx.domain.metrics import Counters, estimate_completion
from autolynx.flows.campaign_edit import Created
from autolynx.store.reports import CampaignReport
from autolynx.web.shapes import Pagination, Shape
from autolynx.web.shapes_uploads import ImportReportShape

Number = Annotated[Decimal, PlainSerializer(float, return_type=float, when_used="json")]


class ListMetrics(Shape):
    """The figures of a list. `successfulCalls` are those that the assistant's rubric calls a success."""

    total_contacts: int
    completed_calls: int
    active_calls: int
    successful_calls: int
    total_cost: Number

    @classmethod
    def of(cls, counters: Counters) -> "ListMetrics":
        """Show counters."""
        return cls(
            total_contacts=counters.contacts,
            completed_calls=counters.completed_calls,
            active_calls=counters.active_calls,
            successful_calls=counters.success_true,
            total_cost=counters.cost_usd,
        )


class ContactStates(Shape):
    """How many contacts stand where."""

    due: int
    calling: int
    done: int
    unsure: int
    excluded: int


class DetailMetrics(ListMetrics):
    """All figures. Costs in US dollars, of calls that are over; durations in seconds, of answered calls."""

    contacts_by_state: ContactStates
    calls_by_status: dict[str, int]
    calls_by_outcome: dict[str, int]
    success_rate: float | None
    average_cost: Number | None
    average_duration: Number | None

    @classmethod
    def of(cls, counters: Counters) -> "DetailMetrics":
        """Show counters."""
        return cls(
            **dict(ListMetrics.of(counters)),
            contacts_by_state=ContactStates(
                due=counters.due,
                calling=counters.calling,
                done=counters.done,
                unsure=counters.unsure,
                excluded=counters.excluded,
            ),
            calls_by_status=counters.calls_by_status,
            calls_by_outcome=counters.calls_by_outcome,
            success_rate=counters.success_rate,
            average_cost=counters.average_cost_usd,
            average_duration=counters.average_duration_seconds,
        )


class Timeline(Shape):
    """When things happened. `startedAt` is the moment the provider accepted the first call."""

    created_at: datetime
    queued_at: datetime | None
    started_at: datetime | None
    completed_at: datetime | None
    estimated_completion: datetime | None

    @classmethod
    def of(cls, report: CampaignReport, now: datetime) -> "Timeline":
        """Show a campaign's times."""
        campaign = report.campaign
        estimated = estimate_completion(
            report.counters, is_running=campaign.status.is_running, started_at=campaign.started_at, now=now
        )
        return cls(
            created_at=campaign.created_at,
            queued_at=campaign.queued_at,
            started_at=campaign.started_at,
            completed_at=campaign.completed_at,
            estimated_completion=estimated,
        )


class CampaignBase(Shape):
    """What every view of a campaign shows."""

    id: UUID
    name: str
    status: CampaignStatus
    status_reason: str | None
    mode: CampaignMode
    cap: int
    assistant_id: UUID
    phone_number_id: str
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None


def base_of(campaign: Campaign) -> dict[str, Any]:
    """Return the values of CampaignBase."""
    return {name: getattr(campaign, name) for name in CampaignBase.model_fields}


class CampaignItem(CampaignBase):
    """A campaign in a list."""

    assistant_name: str
    metrics: ListMetrics

    @classmethod
    def of(cls, report: CampaignReport) -> "CampaignItem":
        """Show a campaign."""
        metrics = ListMetrics.of(report.counters)
        return cls(**base_of(report.campaign), assistant_name=report.assistant, metrics=metrics)


class CampaignList(Shape):
    """A page of campaigns."""

    campaigns: list[CampaignItem]
    pagination: Pagination


class AssistantShort(Shape):
    """The assistant that calls."""

    id: UUID
    name: str
    active: bool


class CampaignDetail(CampaignBase):
    """A campaign in full. `version` grows with every change of its calls and contacts.

    `notice` says in words what a person should know: contacts that became due again after the end.
    """

    assistant: AssistantShort
    options: dict[str, Any]
    batch_size: int | None
    open_batch: int
    notice: str | None
    metrics: DetailMetrics
    timeline: Timeline
    import_counts: dict[str, Any]
    version: int

    @classmethod
    def of(cls, report: CampaignReport, now: datetime) -> "CampaignDetail":
        """Show a campaign."""
        campaign = report.campaign
        return cls(
            **base_of(campaign),
            assistant=AssistantShort(
                id=campaign.assistant_id, name=report.assistant, active=report.is_assistant_active
            ),
            options=report.options,
            batch_size=campaign.batch_size,
            open_batch=campaign.open_batch,
            notice=due_again_sentence(campaign.status, report.counters.due),
            metrics=DetailMetrics.of(report.counters),
            timeline=Timeline.of(report, now),
            import_counts=report.import_report,
            version=report.counters.version,
        )


class PacingShape(Shape):
    """How many more calls a campaign may place now (`room`), what binds, and when time alone changes it.

    `effectiveCap`: the lower of its own cap and what the account carries now. `sentence` says it in words.
    """

    effective_cap: int
    room: int
    bound_by: str
    changes_at: datetime | None
    sentence: str

    @classmethod
    def of(cls, bound: Bound) -> "PacingShape":
        """Show what binds."""
        return cls(
            effective_cap=bound.effective_cap,
            room=bound.lines,
            bound_by=bound.by,
            changes_at=bound.until,
            sentence=bound.sentence,
        )


class CampaignShown(CampaignDetail):
    """A campaign in full, and what keeps it from placing more calls at this moment."""

    pacing: PacingShape

    @classmethod
    def with_bound(cls, report: CampaignReport, bound: Bound, now: datetime) -> "CampaignShown":
        """Show a campaign and what binds it."""
        return cls(**dict(CampaignDetail.of(report, now)), pacing=PacingShape.of(bound))


class CreatedReport(ImportReportShape):
    """What became of a file's rows, and how many of the accepted ones the campaign left out."""

    contacts: int
    recently_called: int

    @classmethod
    def of_created(cls, created: Created) -> "CreatedReport":
        """Show an import into a campaign."""
        shown = ImportReportShape.of(created.loaded.report)
        loaded = created.loaded
        return cls(**dict(shown), contacts=loaded.contacts, recently_called=loaded.recently_called)


class CampaignCreated(Shape):
    """A campaign just created."""

    campaign_id: UUID
    import_report: CreatedReport
    campaign: CampaignDetail


class StartAnswer(Shape):
    """What pressing Start did."""

    campaign_id: UUID
    status: CampaignStatus
    estimated_start_time: datetime | None
    message: str


class MoveAnswer(Shape):
    """Where a campaign stands after pause or resume."""

    campaign_id: UUID
    status: CampaignStatus
    message: str


class StopAnswer(MoveAnswer):
    """What Stop did: `stillLive` calls end by themselves, or are hung up as soon as they connect."""

    hung_up: int
    still_live: int
