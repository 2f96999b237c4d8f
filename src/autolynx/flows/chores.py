"""What has time: recordings are copied, what was erased is deleted outside of the database, old things go.

Dialling never waits for any of it. A clockwork does it beside its ticks, cron with what is left of a round.
"""

from dataclasses import dataclass
from datetime import datetime

from autolynx.flows.recording_copies import copy_due_recordings
from autolynx.flows.removals import remove_due
from autolynx.flows.retention import keep_retention
from autolynx.runtime import Runtime
from autolynx.store.agenda import Agenda


@dataclass(frozen=True, kw_only=True)
class Chores:
    """Which of them are due; one that is not is not even asked about."""

    removals: bool = False
    retention: bool = False
    copies: bool = False

    @classmethod
    def of(cls, runtime: Runtime, agenda: Agenda) -> "Chores":
        """Read the agenda."""
        now = runtime.clock.now()
        return cls(
            removals=agenda.removals_at is not None and agenda.removals_at <= now,
            retention=agenda.retention_at is not None and agenda.retention_at <= now,
            copies=runtime.recordings is not None and agenda.recordings_at is not None and agenda.recordings_at <= now,
        )

    @property
    def are_due(self) -> bool:
        """Whether there is any."""
        return self.removals or self.retention or self.copies


async def do_chores(runtime: Runtime, chores: Chores, *, deadline: datetime) -> None:
    """Do what is due, and begin nothing after the deadline. Any number of these may run at once, anywhere."""
    if chores.removals:
        await remove_due(runtime, deadline=deadline)
    if chores.retention:
        await keep_retention(runtime, deadline=deadline)
    if chores.copies:
        await copy_due_recordings(runtime, deadline=deadline)
