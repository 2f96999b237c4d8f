"""The life of a call: queued, ringing, in-progress, perhaps forwarding, ended; then the report."""

import asyncio
import time
from collections.abc import Callable

from vapisim import letters
from vapisim.calls import Call
from vapisim.casting import next_fate
from vapisim.clock import Timers
from vapisim.courier import Courier, Letter
from vapisim.ledger import Ledger
from vapisim.limits import DailyDials, Lines
from vapisim.state import State

WEBHOOK_SECONDS = 0.1
"""From something happening to the webhook about it leaving."""
REPORT_AFTER_ENDED_SECONDS = 3.0
OVER_LIMIT = "call.start.error-subscription-concurrency-limit-reached"


class Engine:
    """Moves calls along their fates and tells the courier about every step."""

    def __init__(
        self,
        *,
        state: State,
        timers: Timers,
        lines: Lines,
        daily: DailyDials,
        ledger: Ledger,
        courier: Courier,
    ) -> None:
        self._state = state
        self._daily = daily
        self._timers = timers
        self._lines = lines
        self._ledger = ledger
        self._courier = courier

    def admit(self, call: Call) -> None:
        """Take a line and write the dial down, without a pause between, so that no limit can be overrun."""
        self._lines.take(call.id)
        call.is_dialled = True
        call.attempt, call.fate = next_fate(self._state, call.order.number)
        self._daily.count(call.order.phone_number_id)
        self._ledger.admit(call)

    def wait_for_line(self, call: Call, *, after: float) -> None:
        """Queue up for a line, now or later."""
        if after > 0:
            self._next(call, after, lambda call: self.wait_for_line(call, after=0))
            return
        self._lines.waiting.append(call)
        self.fill_lines()

    def begin(self, call: Call) -> asyncio.Task[None] | None:
        """Let a call wait in the provider's queue, then ring: its request has been worked through."""
        if call.is_over or self._state.calls.get(call.id) is not call:
            return None
        told = self._announce(call)
        if call.fate.stuck != "queued":
            self._next(call, call.fate.queue_seconds, self._leave_queue)
        return told

    def end_on_paper(self, call: Call, *, after: float) -> None:
        """End a call that was refused at the limit but exists, without ever having dialled it."""
        self._next(call, after, lambda call: self.end(call, OVER_LIMIT))

    def hang_up(self, call: Call) -> None:
        """End the call because the control address was told to."""
        self.end(call, "manually-canceled")

    def transfer(self, call: Call, number: str) -> None:
        """Transfer the call because the control address was told to."""
        self._forward(call, number, seconds=30.0)

    def end(self, call: Call, reason: str) -> None:
        """End the call; its line is free before anybody hears of it."""
        if call.is_over:
            return
        self._cancel_timer(call)
        call.ended_reason = reason
        call.ended = self._timers.clock.moment()
        self._set_status(call, "ended", is_announced=False)
        self._lines.release(call.id)
        self._tell_the_end(call)
        self.fill_lines()

    def tell_of_deletion(self, call: Call) -> None:
        """Tell that the data of a call is gone."""
        self._inform(call, "call.deleted")

    def fill_lines(self) -> None:
        """Let calls that wait for a line go ahead, first come first served."""
        while (call := self._lines.next_waiting()) is not None:
            call.updated_at = time.time()
            call.status = "queued"
            self.admit(call)
            self.begin(call)

    def _leave_queue(self, call: Call) -> None:
        if call.fate.ring_seconds is None:
            self.end(call, call.fate.reason)
            return
        self._set_status(call, "ringing")
        self._next(call, call.fate.ring_seconds, self._pick_up)

    def _pick_up(self, call: Call) -> None:
        fate = call.fate
        if fate.talk_seconds is None:
            self.end(call, fate.reason)
            return
        call.connected = self._timers.clock.moment()
        self._set_status(call, "in-progress")
        for kind in ("assistant.started", "speech-update", "conversation-update", "hang"):
            self._inform(call, kind)
        if fate.stuck == "in-progress":
            return
        limit = call.order.max_duration_seconds
        if fate.talk_seconds + (fate.forward_seconds or 0) > limit:
            self._next(call, limit, lambda call: self.end(call, "exceeded-max-duration"))
        else:
            self._next(call, fate.talk_seconds, self._finish_talk)

    def _finish_talk(self, call: Call) -> None:
        if call.fate.forward_seconds is None:
            self.end(call, call.fate.reason)
        else:
            self._forward(call, "+12125550160", seconds=call.fate.forward_seconds)

    def _forward(self, call: Call, number: str, *, seconds: float) -> None:
        self._cancel_timer(call)
        call.forwarded_to = number
        self._set_status(call, "forwarding")
        self._next(call, seconds, lambda call: self.end(call, "assistant-forwarded-call"))

    def _set_status(self, call: Call, status: str, *, is_announced: bool = True) -> None:
        call.status = status
        call.updated_at = time.time()
        self._ledger.change(call)
        if is_announced:
            self._announce(call)

    def _announce(self, call: Call, *, after: float = WEBHOOK_SECONDS) -> asyncio.Task[None] | None:
        """Tell the status of this moment, a little later, whatever it has become by then."""
        status = call.status
        told_at = call.told(self._timers.clock.moment(), self._state.standing_faults.event_clock)
        letter = Letter(
            call=call,
            kind="status-update",
            status=status,
            write=lambda: letters.status_update(self._state, call, status=status, told_at=told_at),
        )
        return self._post_later(letter, after)

    def _post_later(self, letter: Letter, after: float) -> asyncio.Task[None] | None:
        if self._state.standing_faults.webhook_before_response and letter.status == "queued":
            return self._courier.post(letter)
        self._timers.after(after, lambda: self._courier.post(letter))
        return None

    def _tell_the_end(self, call: Call) -> None:
        faults, chance = self._state.faults(), self._state.chance
        report_after = call.fate.report_seconds
        is_early = chance.happens(faults.report_before_ended, "report-before-ended", call.id)
        self._announce(call, after=report_after + REPORT_AFTER_ENDED_SECONDS if is_early else WEBHOOK_SECONDS)
        is_missing = call.connected is None and chance.happens(
            faults.report_missing_for_unanswered, "report-missing", call.id
        )
        self._timers.after(report_after, lambda: self._report(call, is_sent=call.is_dialled and not is_missing))

    def _report(self, call: Call, *, is_sent: bool) -> None:
        """Post-processing is done: the facts can be read, and are sent."""
        call.is_reported = True
        call.updated_at = time.time()
        told_at = call.told(self._timers.clock.moment(), self._state.standing_faults.event_clock)
        if is_sent:
            self._courier.post(
                Letter(
                    call=call,
                    kind="end-of-call-report",
                    status="",
                    write=lambda: letters.report(self._state, call, told_at=told_at),
                )
            )

    def _inform(self, call: Call, kind: str) -> None:
        if kind in call.server_messages:
            told_at = call.told(self._timers.clock.moment(), self._state.standing_faults.event_clock)
            write = lambda: letters.information(self._state, call, kind, told_at=told_at)  # noqa: E731
            self._timers.after(
                WEBHOOK_SECONDS,
                lambda: self._courier.post(Letter(call=call, kind=kind, status="", write=write)),
            )

    def _next(self, call: Call, seconds: float, step: Callable[[Call], None]) -> None:
        """Plan the one thing that will happen next to this call unless somebody interferes."""
        call.timer = self._timers.after(seconds, lambda: step(call))

    def _cancel_timer(self, call: Call) -> None:
        if call.timer is not None:
            call.timer.cancel()
            call.timer = None
