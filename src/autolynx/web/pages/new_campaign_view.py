"""What the page of a new campaign shows of a list and of its plan, in the words of people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from autolynx.domain.csv_headers import Use
from autolynx.domain.import_report import PreviewRow, ReportRow, UploadStatus, UploadView
from autolynx.domain.plan import Plan, Span
from autolynx.domain.spoken_variables import missing_variables, prompt_of
from autolynx.domain.words import counted
from autolynx.web.pages.words import grouped, money, span

PROBLEMS_SHOWN = 20
VARIABLES_SHOWN = 5
DAYS_FROM_SECONDS = 48 * 3600
_USES = {
    Use.NAME: "name of the contact",
    Use.BUSINESS_NAME: "business",
    Use.PHONE: "phone number",
    Use.RESERVED: "not passed on",
    Use.IGNORED: "ignored",
}


@dataclass(frozen=True, kw_only=True)
class ColumnView:
    """A column and what it is used for; `variable` is how the assistant speaks of it."""

    header: str
    use: str
    variable: str | None


@dataclass(frozen=True, kw_only=True)
class RowView:
    """One of the first contacts; `values` are those of the columns shown."""

    row: int
    name: str
    business: str
    phone: str
    values: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class ListView:
    """An upload as the page shows it."""

    id: UUID
    file_name: str
    region: str
    is_ready: bool
    parts: int
    expires_at: datetime
    total: int
    accepted: int
    duplicates: int
    skipped: int
    problems: Sequence[ReportRow]
    columns: Sequence[ColumnView]
    variables: Sequence[str]
    rows: Sequence[RowView]
    notices: Sequence[str]
    seen_before: Sequence[Any]
    recently_called: int
    recent_call_days: int

    @property
    def valid_sentence(self) -> str:
        """Say how many rows can be called."""
        return counted(self.accepted, "row can be called", "rows can be called")


@dataclass(frozen=True, kw_only=True)
class PlanView:
    """A plan in sentences."""

    contacts: int
    skipped: Sequence[str]
    objections: Sequence[str]
    lines_sentence: str
    duration: str
    cost: str
    basis: str
    start_sentence: str
    starts_at: datetime | None
    notes: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class AssistantLook:
    """What an assistant says, and what of it a list does not fill."""

    id: UUID
    name: str
    first_message: str
    prompt: str
    missing: Sequence[str]

    @property
    def key(self) -> str:
        """What the look depends on: one that a reader has opened is left alone while this stays the same."""
        return f"{self.id} {' '.join(self.missing)}"


def list_view(view: UploadView) -> ListView:
    """Return what is shown of an upload."""
    columns = _columns(view)
    variables = [one.variable for one in columns if one.variable][:VARIABLES_SHOWN]
    report = view.report
    return ListView(
        id=view.id,
        file_name=view.file_name,
        region=view.region,
        is_ready=view.status is UploadStatus.READY,
        parts=max(view.received_parts, default=1),
        expires_at=view.expires_at,
        total=report.total_rows,
        accepted=report.accepted,
        duplicates=report.duplicates,
        skipped=report.skipped_rows,
        problems=report.skipped[:PROBLEMS_SHOWN],
        columns=columns,
        variables=variables,
        rows=[_row(one, variables) for one in view.preview],
        notices=view.notices,
        seen_before=view.seen_before,
        recently_called=view.recently_called,
        recent_call_days=view.recent_call_days,
    )


def _columns(view: UploadView) -> list[ColumnView]:
    return [
        ColumnView(
            header=one.header or "without a header",
            use=_USES.get(one.use, "variable"),
            variable=one.header if one.use is Use.VARIABLE else None,
        )
        for one in view.columns
    ]


def _row(one: PreviewRow, variables: Sequence[str]) -> RowView:
    return RowView(
        row=one.row,
        name=one.name,
        business=one.business_name,
        phone=grouped(one.phone) + (f" ext. {one.extension}" if one.extension else ""),
        values=[one.variables.get(variable, "") for variable in variables],
    )


def plan_view(plan: Plan, *, first_calls: int | None) -> PlanView:
    """Return a plan in sentences; `first_calls` are made before it waits for a person."""
    notes = list(plan.notes)
    if first_calls is not None and first_calls < plan.contacts:
        notes.insert(0, f"First {counted(first_calls, 'contact is', 'contacts are')} called, then it waits for you.")
    return PlanView(
        contacts=plan.contacts,
        skipped=[one.sentence for one in plan.skipped],
        objections=plan.objections,
        lines_sentence=plan.lines_sentence,
        duration=_between(plan.seconds, _long_span),
        cost=_between(plan.cost_usd, money),
        basis=plan.figures.sentence,
        start_sentence=plan.start_sentence,
        starts_at=plan.starts_at,
        notes=notes,
    )


def assistant_look(
    assistant_id: UUID, name: str, config: Mapping[str, Any], columns: Sequence[str] | None
) -> AssistantLook:
    """Return a look at an assistant; `columns` are the further ones of the list, None where there is none yet."""
    return AssistantLook(
        id=assistant_id,
        name=name,
        first_message=str(config.get("firstMessage") or ""),
        prompt=prompt_of(config),
        missing=missing_variables(config, columns) if columns is not None else [],
    )


def _between(figures: Span, words: Any) -> str:
    low, high = words(figures.low), words(figures.high)
    return low if low == high else f"{low} to {high}"


def _long_span(seconds: Decimal) -> str:
    if seconds < DAYS_FROM_SECONDS:
        return span(float(seconds))
    return f"{round(float(seconds) / 86400)} days"
