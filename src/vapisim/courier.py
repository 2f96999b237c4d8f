"""Delivery of webhooks: what is sent, lost, doubled, held back, signed and tried again."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from vapisim import letters
from vapisim.calls import Call
from vapisim.clock import Timers
from vapisim.ledger import Ledger
from vapisim.postman import NoAnswerError, Postman
from vapisim.signing import auth_header_names, new_message_id, spoiled
from vapisim.state import State

DEFAULT_TIMEOUT_SECONDS = 20.0
LONGEST_HOLD_SECONDS = 30.0
DUPLICATE_AFTER_SECONDS = (0.5, 5.0)
OVERTAKEN_BY_SECONDS = 0.3


@dataclass(kw_only=True)
class Letter:
    """One webhook message. `write` makes its body anew for every delivery: signed addresses expire."""

    call: Call
    kind: str
    status: str
    write: Callable[[], dict[str, Any]]
    message_id: str = field(default_factory=new_message_id)

    @property
    def subject(self) -> tuple[str, str, str]:
        """What chance is asked about."""
        return self.call.id, self.kind, self.status


class Courier:
    """Takes letters and brings them to the server of their call, as well or badly as the faults allow."""

    def __init__(self, state: State, timers: Timers, ledger: Ledger) -> None:
        self._state = state
        self._timers = timers
        self.ledger = ledger
        self._held: dict[str, list[Letter]] = {}
        self._errands: set[asyncio.Task[None]] = set()
        self._postman = Postman()

    def post(self, letter: Letter) -> asyncio.Task[None] | None:
        """Send a letter on its way; None when it never leaves (not wanted, nowhere to go, or lost)."""
        is_wanted = letter.kind in letter.call.server_messages
        if not is_wanted or not self._may_visit(letter.call.server.get("url")):
            return None
        self.ledger.webhooks["letters"] += 1
        faults, chance = self._state.faults(), self._state.chance
        if chance.happens(faults.webhook_loss, "webhook-loss", *letter.subject):
            self.ledger.webhooks["lost"] += 1
            return None
        if chance.happens(faults.webhook_duplicate, "webhook-duplicate", *letter.subject):
            self.ledger.webhooks["duplicated"] += 1
            low, high = DUPLICATE_AFTER_SECONDS
            pause = low + (high - low) * chance.fraction("duplicate-pause", *letter.subject)
            self._timers.after(pause, lambda: self._send(letter))
        jitter = faults.webhook_jitter_seconds * chance.fraction("webhook-jitter", *letter.subject)
        delay = faults.webhook_delay_seconds + jitter
        if chance.happens(faults.webhook_reorder, "webhook-reorder", *letter.subject):
            self._hold(letter)
            return None
        self._release_held(letter.call.id, delay + OVERTAKEN_BY_SECONDS)
        return self._send(letter, delay)

    def close(self) -> None:
        """Drop everything that is under way."""
        self._held.clear()
        for errand in self._errands:
            errand.cancel()
        self._postman.close()

    def _may_visit(self, url: object) -> bool:
        """Only this machine is ever contacted, whatever a request asks for."""
        if not isinstance(url, str) or not url:
            return False
        if is_loopback(url):
            return True
        self.ledger.webhooks["refusedUrl"] += 1
        self.ledger.refused_urls[url] += 1
        return False

    def _hold(self, letter: Letter) -> None:
        """Keep a letter until the next one of its call has gone, or for a while if it was the last."""
        self.ledger.webhooks["reordered"] += 1
        self._held.setdefault(letter.call.id, []).append(letter)
        self._timers.after(LONGEST_HOLD_SECONDS, lambda: self._release_held(letter.call.id, 0))

    def _release_held(self, call_id: str, delay: float) -> None:
        for letter in self._held.pop(call_id, ()):
            self._send(letter, delay)

    def _send(self, letter: Letter, delay: float = 0.0) -> asyncio.Task[None]:
        errand = asyncio.get_running_loop().create_task(self._deliver(letter, delay))
        self._errands.add(errand)
        errand.add_done_callback(self._errands.discard)
        return errand

    async def _deliver(self, letter: Letter, delay: float) -> None:
        """Try until it is taken or the back-off plan is exhausted; without a plan there is one try."""
        await self._timers.sleep(delay)
        plan = letter.call.server.get("backoffPlan") or {}
        tries = 1 + int(plan.get("maxRetries", 0))
        for attempt in range(tries):
            if attempt:
                self.ledger.webhooks["retried"] += 1
                await self._timers.sleep(backoff_seconds(plan, attempt))
            status = await self._attempt(letter, attempt)
            if status is not None and 200 <= status < 300:
                self.ledger.webhooks["sent"] += 1
                return
            if status in plan.get("excludedStatusCodes", ()):
                break
        self.ledger.webhooks["failed"] += 1

    async def _attempt(self, letter: Letter, attempt: int) -> int | None:
        """One delivery; None when there was no answer."""
        url, body = letter.call.server["url"], letters.encode(letter.write())
        headers = self._headers(letter, body, attempt)
        self.ledger.webhooks["attempts"] += 1
        if letter.status == "ended":
            self.ledger.ended_webhook_sent(letter.call.id, time.time())
        try:
            status = await self._postman.post(url, body, headers, timeout_seconds=self._timeout(letter.call))
        except NoAnswerError as trouble:
            self.ledger.webhook_statuses[str(trouble)] += 1
            return None
        self.ledger.webhook_statuses[str(status)] += 1
        return status

    def _timeout(self, call: Call) -> float:
        wanted = self._timers.clock.real_seconds(call.server.get("timeoutSeconds") or DEFAULT_TIMEOUT_SECONDS)
        return max(wanted, self._state.settings.webhook_timeout_floor_seconds)

    def _headers(self, letter: Letter, body: bytes, attempt: int) -> dict[str, str]:
        """Collect credential, then legacy secret; headers of the server object have the last word."""
        server, auth = letter.call.server, self._state.webhook_auth
        headers = {"Content-Type": "application/json", "User-Agent": "vapisim"}
        proof = auth.headers(body, url=server["url"], message_id=letter.message_id, now=time.time())
        if server.get("secret"):
            proof["X-Vapi-Secret"] = str(server["secret"])
        own = {str(name): str(value) for name, value in (server.get("headers") or {}).items()}
        named = {name.lower() for name in own}
        proof = {name: value for name, value in proof.items() if name.lower() not in named} | own
        forged = self._state.faults().wrong_signature
        if self._state.chance.happens(forged, "wrong-signature", *letter.subject, attempt):
            self.ledger.webhooks["forged"] += 1
            proof = spoiled(proof, auth_header_names(auth))
        return headers | proof


def is_loopback(url: str) -> bool:
    """Whether an address can only be this machine."""
    try:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"}:
            return False
        return parts.hostname == "localhost" or ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False


def backoff_seconds(plan: dict[str, Any], attempt: int) -> float:
    """How long to wait before the n-th retry."""
    base = float(plan.get("baseDelaySeconds", 1))
    return base * 2 ** (attempt - 1) if plan.get("type") == "exponential" else base
