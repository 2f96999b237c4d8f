"""A play of a few campaigns: whatever a person, a provider, time or a crash may do, one step after the other."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from autolynx.errors import Conflict, NotFound
from autolynx.flows.campaign_edit import Changes, delete_campaign, patch_campaign
from autolynx.flows.campaign_life import pause_campaign, resume_campaign, start_campaign, stop_campaign
from autolynx.flows.claim import Claimed, claim
from autolynx.flows.dial import dial
from autolynx.flows.dialing import Decision, decide_unsure, hold_dialling, release_dialling
from autolynx.flows.refill import refill
from autolynx.flows.tick import run_once
from autolynx.provider.port import CallOrder
from autolynx.store import calls
from tests.support import campaign_laws as laws
from tests.support.campaign_books import ANSWERS, Books
from tests.support.campaign_witness import Row, Scene, look
from tests.support.stage import Stage

ACCOUNT_CAP = 3
Verb = Callable[[], Awaitable[Any]]


@dataclass(kw_only=True)
class Play:
    """What is played, and what the model of it remembers."""

    stage: Stage
    books: Books
    scene: Scene
    campaign_ids: list[UUID]
    redials: Counter[str] = field(default_factory=Counter)  # by number, granted by a person
    left: set[UUID] = field(default_factory=set)  # contacts that a person left as they are
    frozen: list[CallOrder] = field(default_factory=list)  # claims whose process stands still
    is_held: bool = False
    may_reopen: bool = False

    # Campaigns ------------------------------------------------------------------------------------------------------

    async def start(self, which: int) -> None:
        """Press Start."""
        campaign = self._campaign(which)
        await self._try(campaign, laws.MAY_START, lambda: start_campaign(self.stage.runtime, campaign["id"]), "QUEUED")

    async def pause(self, which: int) -> None:
        """Press Pause."""
        campaign = self._campaign(which)
        await self._try(campaign, laws.MAY_PAUSE, lambda: pause_campaign(self.stage.runtime, campaign["id"]), "PAUSED")

    async def resume(self, which: int) -> None:
        """Press Resume."""
        campaign = self._campaign(which)
        to = "RUNNING" if campaign["started_at"] else "QUEUED"
        allowed = laws.may_resume(self.scene, campaign)
        self.may_reopen = campaign["status"] == "COMPLETED"
        await self._try(campaign, allowed, lambda: resume_campaign(self.stage.runtime, campaign["id"]), to)
        self.may_reopen = False

    async def stop(self, which: int, *, hangs_up: bool = False) -> None:
        """Press Stop."""
        campaign, told = self._campaign(which), len(self.stage.vapi.controls)
        await self._try(
            campaign,
            laws.MAY_STOP,
            lambda: stop_campaign(self.stage.runtime, campaign["id"], hangs_up=hangs_up),
            "CANCELED",
        )
        assert hangs_up or len(self.stage.vapi.controls) == told, "a call was hung up that nobody wanted to end"

    async def delete(self, which: int) -> None:
        """Delete a campaign, which no line of it may hold back."""
        campaign = self._campaign(which)
        is_free = not any(call["holds_line"] for call in self.scene.calls_of(campaign))
        may = {campaign["status"]} if is_free else set()
        await self._try(campaign, may, lambda: delete_campaign(self.stage.runtime, campaign["id"], actor="a test"))

    async def set_cap(self, which: int, cap: int) -> None:
        """Change a cap, which may be done at any time."""
        campaign = self._campaign(which)
        change = Changes(cap=cap)
        await self._try(
            campaign,
            {campaign["status"]},
            lambda: patch_campaign(self.stage.runtime, campaign["id"], change, actor="a test"),
        )

    async def _try(self, campaign: Row, may: set[str], verb: Verb, to: str | None = None) -> None:
        """Do what a person asks for: it works where the laws allow it, else it is refused and changes nothing."""
        refusal: type[Exception] | None = None if campaign["status"] in may else Conflict
        if campaign["deleted_at"] is not None:
            refusal = NotFound
        outcome = await _refusal_of(verb)
        assert outcome is refusal, f"{outcome or 'allowed'} for a campaign that is {campaign['status']}"
        after = await self.check()
        if refusal is not None:
            assert self._is_unchanged, "refused, and yet something changed"
        elif to is not None:
            assert after.campaigns[self.campaign_ids.index(campaign["id"])]["status"] == to

    # Time, crashes and the button -----------------------------------------------------------------------------------

    async def tick(self, after: float, *, twice: bool = False) -> None:
        """Let time pass and tick; `twice`: two processes do so at once."""
        self.stage.clock.move(after)
        await asyncio.gather(*(run_once(self.stage.runtime) for _ in range(1 + twice)))
        await self.check()

    async def refill(self) -> None:
        """Use free lines, as a webhook makes us."""
        await refill(self.stage.runtime)
        await self.check()

    async def die(self, *, is_marked: bool, is_sent: bool) -> None:
        """Let a process take a line and die: before the mark, behind it, or behind the request."""
        claimed = await claim(self.stage.runtime, most=1)
        for order in claimed.orders:
            self.frozen.append(order)
            if is_marked and await self._mark(order.call_id) and is_sent:
                self.stage.vapi.dials.append(order.call_id)
                number = {"phoneNumberId": order.phone_number_id, "number": order.phone}
                self.books.unsaid(order.call_id, number)
        await self.check()

    async def _mark(self, call_id: UUID) -> bool:
        now = self.stage.clock.now()
        look_at, lease_until = now + timedelta(seconds=22), now + timedelta(seconds=66)
        async with self.stage.database.connection() as conn:
            return await calls.mark_dialling(conn, call_id, now=now, look_at=look_at, lease_until=lease_until)

    async def thaw(self) -> None:
        """Let a process that stood still go on where it stopped."""
        if self.frozen:
            await dial(self.stage.runtime, self.frozen.pop(0), account=Claimed().account)
            await self.check()

    async def interrupt(self, which: int, verb: str) -> None:
        """Let a process stand still between claim and mark while a person does something, then go on."""
        await self.die(is_marked=False, is_sent=False)
        await (self.press(hangs_up=False) if verb == "press" else getattr(self, verb)(which))
        while self.frozen:
            await self.thaw()

    async def press(self, *, hangs_up: bool) -> None:
        """Press the red button."""
        await hold_dialling(self.stage.runtime, reason="A test.", hangs_up=hangs_up)
        self.is_held = True
        await self.check()

    async def release(self) -> None:
        """Let dialling go on."""
        await release_dialling(self.stage.runtime)
        self.is_held = False
        await self.check()

    # What the provider does and tells -------------------------------------------------------------------------------

    async def answer(self, how: str, *, reads: bool, lag: float = 0) -> None:
        """From now on the provider answers dials in this way, and looks or not; its lists may lag behind."""
        self.books.lag_seconds = lag
        self.stage.vapi.on_dial = ANSWERS[how]
        self.stage.vapi.reads = reads

    async def happen(self, which: int, what: str, *, is_told: bool) -> None:
        """Let something happen to a call; `is_told`: its webhook comes at once."""
        going_on = [call for call in self.books.calls() if call["status"] != "ended"]
        if (call := self._pick(going_on, which)) is None:
            return
        heard = len(self.books.said.get(call["id"], ()))
        if what in {"ring", "connect"}:
            getattr(self.books, what)(call)
        else:
            self.books.end(call, what)
        for letter in self.books.said.get(call["id"], [])[heard:]:
            if is_told:
                await self.books.tell(self.stage, call, letter, is_ours=True)
                await self.check()

    async def repeat(self, which: int, what: int, *, is_ours: bool) -> None:
        """Deliver a webhook that was delivered before, or was late."""
        told = [one for one in self.books.calls() if self.books.said.get(one["id"])]
        if (call := self._pick(told, which)) is not None:
            letter = self.books.said[call["id"]][what % len(self.books.said[call["id"]])]
            await self.books.tell(self.stage, call, letter, is_ours=is_ours)
            await self.check()

    # What a person decides ------------------------------------------------------------------------------------------

    async def decide(self, which: int, *, redials: bool) -> None:
        """Decide about a call: only one in doubt, whose contact waits, can be decided about."""
        waiting = [call for call in self.scene.calls if call["contact_state"] == "unsure"]
        if (call := self._pick(waiting or self.scene.calls, which)) is None:
            return
        await self.decide_about(call, redials=redials)

    async def decide_about(self, call: Row, *, redials: bool) -> None:
        """Decide about this call."""
        campaign = next(one for one in self.scene.campaigns if one["id"] == call["campaign_id"])
        is_in_doubt = call["unsure_at"] is not None or call["outcome"] == "unsure"
        is_asked = call["contact_state"] == "unsure" and is_in_doubt
        is_stopped = redials and campaign["status"] == "CANCELED"
        is_allowed = is_asked and not is_stopped and campaign["deleted_at"] is None
        self.may_reopen = redials
        decision = Decision.REDIAL if redials else Decision.LEAVE
        refusal = await _refusal_of(lambda: decide_unsure(self.stage.runtime, call["id"], decision))
        assert (refusal is None) == is_allowed
        if is_allowed and redials:
            self.redials[call["phone"]] += 1
        elif is_allowed:
            self.left.add(call["contact_id"])
        await self.check()
        self.may_reopen = False
        assert is_allowed or self._is_unchanged

    # Laws -----------------------------------------------------------------------------------------------------------

    async def check(self) -> Scene:
        """Look at everything and hold every law against it."""
        before, after = self.scene, await look(self.stage.database)
        laws.check_moves(after, account_cap=ACCOUNT_CAP, may_reopen=self.may_reopen)
        earlier = {campaign["id"]: campaign for campaign in before.campaigns}
        for campaign in after.campaigns:
            laws.check_campaign(after, campaign, before=earlier.get(campaign["id"]), now=self.stage.clock.now())
        for contact in after.contacts:
            own = [call for call in after.calls if call["contact_id"] == contact["id"]]
            laws.check_contact(contact, own, is_left=contact["id"] in self.left)
        for call in after.calls:
            laws.check_call(call)
        assert after.drifted == [], "the counters are no recount"
        assert laws.is_nobody_twice(self.books.may_have_rung(), self.redials) == {}
        assert {one["kind"] for one in after.incidents} <= {"unsure", "cap_overrun"}, after.incidents
        self._check_dials(before, after)
        self._is_unchanged = laws.unchanged(before, after)
        self.scene = after
        return after

    _is_unchanged = True
    _dials_seen = 0

    def _check_dials(self, before: Scene, after: Scene) -> None:
        """Whoever was dialled since the last look belongs to a campaign that ran, while nothing was held."""
        new = self.stage.vapi.dials[self._dials_seen :]
        self._dials_seen = len(self.stage.vapi.dials)
        assert not (new and self.is_held), "dialled although the button is pressed"
        ran = {one["id"] for scene in (before, after) for one in scene.campaigns if one["status"] in laws.MAY_DIAL}
        assert {call["campaign_id"] for call in after.calls if call["id"] in new} <= ran
        assert set(new) <= {call["id"] for call in after.calls}, "dialled a call that nobody claimed"

    async def finish(self) -> None:
        """Let everything come to its end: then nobody is lost, and no line is held."""
        await self.answer("accepts", reads=True)
        await self.release()
        for _ in range(20):
            await self._settle_people()
            for call in self.books.calls():
                self.books.end(call, "customer-busy")
            await self.tick(130)
            if all(is_over(self.scene, campaign) for campaign in self.scene.campaigns):
                break
        for campaign in self.scene.campaigns:
            assert is_over(self.scene, campaign), f"{campaign['status']} for ever"
            for contact in self.scene.contacts_of(campaign) if campaign["status"] == "COMPLETED" else ():
                assert contact["state"] in {"done", "excluded"}, f"lost: {contact['state']}"

    async def _settle_people(self) -> None:
        for which, campaign in enumerate(self.scene.campaigns):
            if campaign["status"] in laws.may_resume(self.scene, campaign) and campaign["deleted_at"] is None:
                await self.resume(which)
        for call in [one for one in self.scene.calls if one["contact_state"] == "unsure"]:
            await self.decide_about(call, redials=False)

    def _campaign(self, which: int) -> Row:
        return self.scene.campaigns[which]

    @staticmethod
    def _pick(rows: Any, which: int) -> Any:
        return rows[which % len(rows)] if rows else None


async def _refusal_of(verb: Verb) -> type[Exception] | None:
    try:
        await verb()
    except (Conflict, NotFound) as error:
        return type(error)
    return None


def is_over(scene: Scene, campaign: Row) -> bool:
    """Whether nothing will ever happen to this campaign by itself."""
    is_quiet = not any(call["holds_line"] for call in scene.calls_of(campaign))
    is_due_again = "COMPLETED" in laws.may_resume(scene, campaign)
    is_ended = campaign["status"] in {"CREATED", "CANCELED"} or (campaign["status"] == "COMPLETED" and not is_due_again)
    return is_quiet and (is_ended or campaign["deleted_at"] is not None)
