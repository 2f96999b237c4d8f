"""Who is called, in our words. Vapi stands behind it; flows know only this page.

Failures of a dial are values with a kind, because each asks for another next step: *refused* (do not retry), *later*
(retry, the contact is untouched), *not sent* (safe to retry) and *unknown* (look before you redial).
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from autolynx.domain.call import CallNews, Outcome, Source


@dataclass(frozen=True, kw_only=True)
class CallOrder:
    """All that is needed to place one call. `call_id` is ours; it travels with the request and comes back in news."""

    call_id: UUID
    campaign_id: UUID
    contact_id: UUID
    provider_assistant_id: str
    phone_number_id: str
    phone: str = field(repr=False)  # E.164
    name: str = field(repr=False)
    business_name: str = field(repr=False)
    extension: str | None = field(default=None, repr=False)
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)


class Scope(StrEnum):
    """Whom a refusal concerns, and so who has to rest."""

    CONTACT = "contact"  # this person cannot be called: the call ends as FAILED
    CAMPAIGN = "campaign"  # its assistant or number is at fault: the campaign fails until mended
    NUMBER = "number"  # the phone number we call from is blocked or has used up its day
    ACCOUNT = "account"  # key, credit, freeze: nothing can be dialled
    CONCURRENCY = "concurrency"  # above the provider's limit: cool down, lower the cap
    RATE = "rate"  # too many requests: rest until told, or until the next minute


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """A 2xx: the provider has the call. `news` carries its id, its first status and whether it is blocked."""

    news: CallNews
    remaining_lines: int | None = None  # a pacing hint of the provider's, never the truth


@dataclass(frozen=True, kw_only=True)
class Refused:
    """Certainly not dialled. CONTACT ends the call as FAILED with `outcome`; every other scope releases the claim."""

    scope: Scope
    reason: str  # in words a person can read; no phone number, no secret
    outcome: Outcome = Outcome.REFUSED
    retry_at: datetime | None = None  # RATE: when the provider said to come back; NUMBER: end of its day


@dataclass(frozen=True, kw_only=True)
class NotSent:
    """The connection was never made: certainly not dialled, safe to try again."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class Unknown:
    """The request may have been received (timeout, dropped connection, 5xx): look before anybody dials again."""

    reason: str


DialAnswer = Accepted | Refused | NotSent | Unknown


@dataclass(frozen=True, kw_only=True)
class SeenCall:
    """A call as the provider reports it when asked."""

    provider_call_id: str
    our_call_id: UUID | None  # echoed from our request, None where it does not bear our id
    is_active: bool  # it holds a line: scheduled, queued, ringing, in progress or forwarding
    created_at: datetime | None
    updated_at: datetime | None
    phone_number_id: str | None
    news: CallNews


@dataclass(frozen=True, kw_only=True)
class CallList:
    """The calls in a window. `is_complete` says whether the whole window was read (pages may be cut by a bound)."""

    calls: Sequence[SeenCall]
    is_complete: bool


@dataclass(frozen=True, kw_only=True)
class RemoteAssistant:
    """An assistant as the provider has it; `config` is its whole object without ids and dates."""

    provider_assistant_id: str
    name: str
    config: Mapping[str, Any]
    updated_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class RemoteNumber:
    """A phone number of the account, secrets stripped."""

    phone_number_id: str
    number: str | None
    name: str | None
    provider: str  # twilio, vonage, telnyx, vapi, byo-phone-number
    status: str  # active, activating, blocked
    is_free: bool  # issued by the provider itself: a daily limit holds


@dataclass(frozen=True, kw_only=True)
class WebhookNews:
    """A webhook body after reading: the key by which repeats are known, and the news, if it bears any."""

    provider_call_id: str  # '' where the body names none
    type: str  # '' where the body names none
    status: str  # '' where the body names none
    our_call_id: UUID | None
    news: CallNews | None  # None: of a type that says nothing about a call's state


@dataclass(frozen=True, kw_only=True)
class Recording:
    """An open audio stream. Raises nothing but what the network raises while it is read."""

    content_type: str
    content_length: int | None
    chunks: AsyncIterator[bytes]


class Provider(Protocol):
    """The voice provider. Every method but `place_call` raises ProviderUnreachable or ProviderError."""

    async def place_call(self, order: CallOrder) -> DialAnswer:
        """Ask for one call, once: this method never repeats a request whose outcome it does not know."""

    async def get_call(self, provider_call_id: str, *, source: Source = Source.POLL) -> SeenCall | None:
        """Return the call, or None when the provider answers that it does not know it (yet, or no more)."""

    async def list_calls(
        self,
        *,
        phone_number_id: str | None = None,
        created_from: datetime | None = None,
        updated_from: datetime | None = None,
        most: int = 1000,
        source: Source = Source.SWEEP,
    ) -> CallList:
        """Return the calls in the window, newest first, reading page by page up to `most` calls."""

    async def end_call(self, control_url: str) -> bool:
        """Hang up a connected call. False where the provider says that it cannot be done now."""

    async def delete_call(self, provider_call_id: str) -> None:
        """Delete what the provider keeps of a call that is over; one that it does not know is no error."""

    async def create_assistant(self, *, name: str, config: Mapping[str, Any]) -> RemoteAssistant:
        """Create an assistant at the provider."""

    async def get_assistant(self, provider_assistant_id: str) -> RemoteAssistant | None:
        """Return an assistant, or None when the provider has none of that id."""

    async def list_assistants(self, *, most: int = 1000) -> Sequence[RemoteAssistant]:
        """Return the account's assistants."""

    async def update_assistant(
        self, provider_assistant_id: str, *, name: str | None, changes: Mapping[str, Any]
    ) -> RemoteAssistant:
        """Change an assistant: read, merge key by key into what the provider has, write whole top-level keys."""

    async def replace_assistant(
        self, provider_assistant_id: str, *, name: str, config: Mapping[str, Any]
    ) -> RemoteAssistant:
        """Make an assistant exactly this: what is not in `config` is unset. Secrets that we never saw stay."""

    async def delete_assistant(self, provider_assistant_id: str) -> None:
        """Delete an assistant at the provider (only ever an ephemeral one)."""

    async def list_phone_numbers(self) -> Sequence[RemoteNumber]:
        """Return the account's phone numbers, secrets stripped."""

    def open_recording(self, provider_call_id: str) -> AbstractAsyncContextManager[Recording]:
        """Open the recording by the authenticated route; the address that it redirects to lives only shortly."""

    def read_webhook(self, body: Any) -> WebhookNews:
        """Read a webhook body, whatever its shape: never raises, for any JSON value."""

    def scrub(self, body: Any) -> Any:
        """Return the body without secrets, control addresses and presigned addresses: what may be stored."""

    async def close(self) -> None:
        """Let go of connections."""
