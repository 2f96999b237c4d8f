"""One call as the simulator remembers it. Bodies and reports are made from this when somebody asks."""

from dataclasses import dataclass, field, replace
from typing import Any

from vapisim.clock import Moment, Timer
from vapisim.outcomes import Fate

CONNECTED = frozenset({"in-progress", "forwarding"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """What a client asked for with POST /call, one customer at a time."""

    number: str
    customer: dict[str, Any]
    name: str | None
    phone_number_id: str
    assistant_id: str | None
    assistant: dict[str, Any] | None
    overrides: dict[str, Any]
    schedule_plan: dict[str, Any] | None = None
    max_duration_seconds: float = 600.0

    @property
    def metadata(self) -> dict[str, Any]:
        """The metadata that travels with the call."""
        metadata = self.overrides.get("metadata")
        return metadata if isinstance(metadata, dict) else {}

    def renamed(self, name: str | None) -> "Order":
        """Return the same order under another name."""
        return replace(self, name=name)

    @property
    def external_id(self) -> str | None:
        """The client's own id for this call."""
        return self.customer.get("externalId")


@dataclass(kw_only=True, slots=True)
class Call:
    """A call from admission to its end."""

    id: str
    order: Order
    fate: Fate
    server: dict[str, Any]
    """Where webhooks go: url, headers, timeout and back-off plan, already merged."""
    server_messages: frozenset[str]
    created: Moment
    updated_at: float
    status: str = "queued"
    first_status: str = "queued"
    ended_reason: str | None = None
    connected: Moment | None = None
    ended: Moment | None = None
    forwarded_to: str | None = None
    attempt: int = 0
    """The how-manieth dial of its number this is."""
    is_dialled: bool = False
    """False for a call that only exists on paper: refused at the limit, or waiting for a line."""
    is_reported: bool = False
    is_erased: bool = False
    timer: Timer | None = field(default=None, repr=False)

    @property
    def is_connected(self) -> bool:
        """Whether somebody is on the line."""
        return self.status in CONNECTED

    @property
    def is_over(self) -> bool:
        """Whether the call has ended."""
        return self.ended is not None

    @property
    def talk_seconds(self) -> float:
        """Seconds from pick-up to the end; 0 when nobody picked up or nobody has hung up yet."""
        if self.connected is None or self.ended is None:
            return 0.0
        return self.ended.virtual - self.connected.virtual

    def told(self, moment: Moment, event_clock: str) -> float:
        """Wall time that the call itself would tell for a moment.

        With the virtual event clock a call lives at its natural pace from its creation on, so that a
        talk of a minute is reported as a minute however fast the play runs.
        """
        if event_clock == "wall":
            return moment.wall
        return self.created.wall + (moment.virtual - self.created.virtual)
