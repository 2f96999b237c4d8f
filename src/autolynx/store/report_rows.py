"""One row per contact with its latest counted call: the contacts table, the JSON and the CSV all show this row."""

from collections.abc import Collection
from dataclasses import dataclass, field, fields
from datetime import datetime
from decimal import Decimal
from typing import Any, Self
from uuid import UUID

from autolynx.domain.call import CallStatus
from autolynx.store.database import Connection, Row
from autolynx.store.matching import like_pattern, phone_pattern

NOT_CALLED = "NOT_CALLED"  # the call status of a contact that has no counted call
CALLS_PATH = "/api/calls/"

DURATION = """CASE WHEN k.ended_at >= k.started_at
    THEN round(extract(epoch FROM k.ended_at - k.started_at), 1) END"""

# Name of the column and where it comes from. Released claims are no calls of a contact: they are left out.
COLUMNS: dict[str, str] = {
    "campaign": "c.name",
    "assistant": "a.name",
    "contact_id": "t.id",
    "position": "t.position",
    "batch_index": "t.batch_index",
    "name": "t.name",
    "business_name": "t.business_name",
    "phone": "t.phone",
    "extension": "t.extension",
    "variables": "t.variables",
    "state": "t.state",
    "reason": "t.reason",
    "due_at": "t.due_at",
    "call_id": "k.id",
    "attempt": "k.attempt",
    "version": "k.version",
    "call_status": f"coalesce(k.status::text, '{NOT_CALLED}')",
    "outcome": "k.outcome",
    # The provider's word where there is one; otherwise ours: why it failed, or why the contact is not called.
    "ended_reason": "coalesce(k.ended_reason, k.reason, t.reason)",
    "cost_usd": "k.cost_usd",
    "duration_seconds": DURATION,
    "claimed_at": "k.claimed_at",
    "started_at": "k.started_at",
    "ended_at": "k.ended_at",
    # The provider's address ends after some days and may be public: ours asks who is there.
    "recording_url": "CASE WHEN k.recording_url IS NOT NULL THEN %(calls_url)s::text || k.id || '/recording' END",
    "success_evaluation": "k.success_evaluation",
    "success_raw": "k.success_raw",
    "transcript_summary": "k.summary",
}
LATEST_CALL = """LEFT JOIN LATERAL (SELECT * FROM calls s WHERE s.contact_id = t.id
    AND s.outcome IS DISTINCT FROM 'not_dialled' ORDER BY s.attempt DESC LIMIT 1) k ON true"""
SOURCES = f"""contacts t JOIN campaigns c ON c.id = t.campaign_id JOIN assistants a ON a.id = c.assistant_id
    {LATEST_CALL}"""
SELECT_ROW = f"SELECT {', '.join(f'{source} AS {name}' for name, source in COLUMNS.items())}"
PARAMETERS = {"calls_url": CALLS_PATH}


@dataclass(frozen=True, kw_only=True)
class ReportRow:
    """A contact with its latest counted call. Without one `call_status` is NOT_CALLED and `call_id` None.

    `version` grows with every change of the call. `recording_url` is our own guarded path.
    """

    campaign: str
    assistant: str
    contact_id: UUID
    position: int
    batch_index: int | None
    name: str = field(repr=False)
    business_name: str = field(repr=False)
    phone: str = field(repr=False)
    extension: str | None = field(repr=False)
    variables: dict[str, str] = field(repr=False)
    state: str
    reason: str | None
    due_at: datetime | None
    call_id: UUID | None
    attempt: int | None
    version: int | None
    call_status: str
    outcome: str | None
    ended_reason: str | None
    cost_usd: Decimal | None
    duration_seconds: Decimal | None
    claimed_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    recording_url: str | None
    success_evaluation: bool | None
    success_raw: str | None
    transcript_summary: str | None = field(repr=False)

    @classmethod
    def of(cls, row: Row) -> Self:
        """Map a row that holds COLUMNS."""
        return cls(**{name: row[name] for name in _FIELDS})


_FIELDS = tuple(one.name for one in fields(ReportRow))


# Said so that PostgreSQL may begin with the calls: a rare outcome is found without a look at every contact.
_IS_COUNTED = """k.contact_id = t.id AND k.campaign_id = %(campaign_id)s AND k.outcome IS DISTINCT FROM 'not_dialled'"""
# A batch is a stretch of the file: said so that it is walked alone.
_BATCH_SIZE = "(SELECT b.batch_size FROM campaigns b WHERE b.id = %(campaign_id)s)"
_IS_IN_BATCH = f"""(t.batch_index = %(batch)s AND t.position >= coalesce(%(batch)s::bigint * {_BATCH_SIZE}, 0)
    AND t.position < coalesce((%(batch)s::bigint + 1) * {_BATCH_SIZE}, {2**31}))"""
_LATEST_CALL_IS = f"""EXISTS (SELECT FROM calls k WHERE {_IS_COUNTED} AND {{}} AND NOT EXISTS (
    SELECT FROM calls l WHERE l.contact_id = k.contact_id AND l.attempt > k.attempt
        AND l.outcome IS DISTINCT FROM 'not_dialled'))"""


@dataclass(frozen=True, kw_only=True)
class ContactFilter:
    """Which contacts are wanted. `status` is a call status or NOT_CALLED; `search` looks in names and number.

    Status, outcome and success are those of the latest counted call.
    """

    status: str | None = None
    outcome: str | None = None
    success: bool | None = None
    search: str | None = None
    batch: int | None = None

    @property
    def is_empty(self) -> bool:
        """Whether every contact is wanted."""
        return not self._conditions()

    def where(self) -> str:
        """Return the condition on contacts `t`."""
        return " AND ".join(["t.campaign_id = %(campaign_id)s", *self._conditions()])

    def parameters(self) -> dict[str, Any]:
        """Return what the condition refers to."""
        return {
            "status": self.status,
            "outcome": self.outcome,
            "success": self.success,
            "batch": self.batch,
            "like": like_pattern(self.search or ""),
            "phone_like": phone_pattern(self.search or ""),
        }

    def _conditions(self) -> list[str]:
        conditions = []
        if self.status == NOT_CALLED:
            conditions.append(f"NOT EXISTS (SELECT FROM calls k WHERE {_IS_COUNTED})")
        elif self.status is not None:
            conditions.append(_LATEST_CALL_IS.format("k.status = %(status)s::call_status"))
        if self.outcome is not None:
            conditions.append(_LATEST_CALL_IS.format("k.outcome = %(outcome)s"))
        if self.success is not None:
            conditions.append(_LATEST_CALL_IS.format("k.success_evaluation = %(success)s"))
        return conditions + self._about_the_contact()

    def fits(self, row: ReportRow) -> bool:
        """Whether a row that is at hand is wanted; the same answer as the database gives."""
        return (
            self.status in {None, row.call_status}
            and self.outcome in {None, row.outcome}
            and self.success in {None, row.success_evaluation}
            and self.batch in {None, row.batch_index}
            and self._is_found_in(row)
        )

    def _is_found_in(self, row: ReportRow) -> bool:
        if not self.search:
            return True
        digits = phone_pattern(self.search)
        sought = self.search.lower()
        names = sought in row.name.lower() or sought in row.business_name.lower()
        return names or (digits is not None and digits.strip("%") in row.phone)

    def where_latest(self) -> str:
        """Return the condition on contacts `t` joined with their LATEST_CALL `k`."""
        conditions = ["t.campaign_id = %(campaign_id)s", *self.about_the_call(), *self._about_the_contact()]
        if self.status == NOT_CALLED:  # the states say it sooner: in any other a contact has a counted call
            conditions += ["t.state IN ('due', 'excluded')", "k.id IS NULL"]
        return " AND ".join(conditions)

    def about_the_call(self) -> list[str]:
        """Return the conditions on a call `k`."""
        conditions = []
        if self.status not in {None, NOT_CALLED}:
            conditions.append("k.status = %(status)s::call_status")
        if self.outcome is not None:
            conditions.append("k.outcome = %(outcome)s")
        if self.success is not None:
            conditions.append("k.success_evaluation = %(success)s")
        return conditions

    def _about_the_contact(self) -> list[str]:
        conditions = []
        if self.batch is not None:
            conditions.append(_IS_IN_BATCH)
        if self.search:
            is_phone = phone_pattern(self.search) is not None
            by_phone = " OR t.phone LIKE %(phone_like)s" if is_phone else ""
            conditions.append(f"(t.searched LIKE lower(%(like)s){by_phone})")
        return conditions


CALL_STATUSES = (NOT_CALLED, *(status.value for status in CallStatus))


async def list_of_calls(conn: Connection, call_ids: Collection[UUID]) -> list[tuple[UUID, ReportRow]]:
    """Return the rows of the contacts that these calls belong to, each with its campaign's id."""
    cursor = await conn.execute(
        f"""{SELECT_ROW}, t.campaign_id FROM {SOURCES}
            WHERE t.id IN (SELECT contact_id FROM calls WHERE id = ANY(%(ids)s)) ORDER BY t.position""",
        {**PARAMETERS, "ids": list(call_ids)},
    )
    return [(row["campaign_id"], ReportRow.of(row)) for row in await cursor.fetchall()]
