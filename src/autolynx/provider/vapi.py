"""Vapi behind the port: one small method per thing we ask of it."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import quote

import httpx

from autolynx.domain.call import Source
from autolynx.domain.redaction import redact
from autolynx.errors import ProviderError
from autolynx.provider import scrub as scrubbing
from autolynx.provider import wire_webhooks
from autolynx.provider.port import (
    CallList,
    CallOrder,
    DialAnswer,
    NotSent,
    Recording,
    RemoteAssistant,
    RemoteNumber,
    SeenCall,
    Unknown,
    WebhookNews,
)
from autolynx.provider.redacting import redacted_news
from autolynx.provider.vapi_http import (
    LIMITS,
    NOT_SENT,
    Launch,
    Wire,
    check_key,
    checked,
    connect_seconds,
    launch_client,
    unreachable,
)
from autolynx.provider.vapi_pages import as_iso, read_pages
from autolynx.provider.vapi_recording import may_connect, open_recording
from autolynx.provider.wire_answers import read_dial_answer
from autolynx.provider.wire_calls import read_call
from autolynx.provider.wire_directory import merged_keys, read_assistant, read_number, whole_keys, writable
from autolynx.provider.wire_errors import Answer
from autolynx.provider.wire_requests import WebhookTarget, call_request, cut_name

_MOST_NUMBERS = 1000

Found = TypeVar("Found", SeenCall, RemoteAssistant)


class VapiProvider:
    """The port `Provider` over HTTP. Safe to share between tasks of one event loop.

    `timeout_seconds` bounds the wait for an answer; `now` gives the present moment, aware; `launch` starts the HTTP
    client; `hidden` are further secrets that nothing stored may repeat. `redacts`: what is kept of conversations is
    redacted first. Raises ConfigurationError for a key that cannot be sent.
    """

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        webhook: WebhookTarget,
        now: Callable[[], datetime],
        timeout_seconds: float = 15.0,
        page_size: int = 100,
        redacts: bool = False,
        launch: Launch = launch_client,
        hidden: Sequence[str] = (),
    ) -> None:
        check_key(api_key)
        connect = connect_seconds(timeout_seconds)
        self._wire = Wire(
            client=launch(httpx.Timeout(timeout_seconds, connect=connect, pool=connect), LIMITS),
            base_url=base_url.rstrip("/"),
            api_key=api_key,
            timeout_seconds=timeout_seconds,
        )
        self._webhook = webhook
        self._now = now
        self._page_size = page_size
        self._redacts = redacts
        self._secrets = tuple(secret for secret in (api_key, webhook.secret, *hidden) if secret)

    async def place_call(self, order: CallOrder) -> DialAnswer:
        """Ask for one call, once. What may have reached the provider without a readable answer is Unknown."""
        body = call_request(order, self._webhook)
        try:
            answer = await self._wire.send("POST", self._wire.url("/call"), json=body, headers=self._wire.authorization)
        except NOT_SENT:
            return NotSent(reason="No connection to Vapi could be made.")
        except httpx.HTTPError as error:
            return Unknown(reason=f"{unreachable(error, doing='place the call').message}")
        private = (order.phone, order.phone.lstrip("+"), order.name, order.business_name, *self._secrets)
        return read_dial_answer(answer, now=self._now(), private=private)

    async def get_call(self, provider_call_id: str, *, source: Source = Source.POLL) -> SeenCall | None:
        """Return the call, or None when Vapi answers that it does not know it."""
        answer = await self._wire.read(f"/call/{_segment(provider_call_id)}", doing="show the call")
        return None if answer.status == 404 else self._fit_to_keep(_found(read_call(answer.body, source)))

    async def list_calls(
        self,
        *,
        phone_number_id: str | None = None,
        created_from: datetime | None = None,
        updated_from: datetime | None = None,
        most: int = 1000,
        source: Source = Source.SWEEP,
    ) -> CallList:
        """Return the calls in the window, newest first; whatever cannot be read makes the list incomplete."""
        wanted = {
            "phoneNumberId": phone_number_id,
            "createdAtGe": created_from and as_iso(created_from),
            "updatedAtGe": updated_from and as_iso(updated_from),
        }
        params = {key: value for key, value in wanted.items() if value}
        pages = await read_pages(self._wire, "/call", params=params, most=most, page_size=self._page_size)
        calls = [self._fit_to_keep(seen) for item in pages.items if (seen := read_call(item, source)) is not None]
        return CallList(calls=calls, is_complete=pages.is_complete)

    async def end_call(self, control_url: str) -> bool:
        """Hang up a connected call. False where Vapi says that it cannot be done; never sends our key."""
        doing = "end the call"
        if not may_connect(control_url, base_url=self._wire.base_url):
            raise ProviderError("The control address of the call is not safe to ask: it must be https.")
        try:
            answer = await self._wire.send("POST", control_url, json={"type": "end-call"})
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _unaskable(error, doing=doing) from None
        if answer.status in {401, 403, 429} or answer.status >= 500:
            checked(answer, doing=doing)
        return answer.is_success

    async def delete_call(self, provider_call_id: str) -> None:
        """Delete the data of a call, its recordings too; one that is gone already is no error."""
        try:
            await self._wire.write("DELETE", f"/call/{_segment(provider_call_id)}", doing="delete the call")
        except ProviderError as error:
            if error.status != 404:
                raise

    async def create_assistant(self, *, name: str, config: Mapping[str, Any]) -> RemoteAssistant:
        """Create an assistant; its name is cut to 40 characters."""
        body = {**writable(config), "name": cut_name(name)}
        answer = await self._wire.write("POST", "/assistant", doing="create the assistant", json=body)
        return _found(read_assistant(answer.body))

    async def get_assistant(self, provider_assistant_id: str) -> RemoteAssistant | None:
        """Return an assistant without its secrets, or None when Vapi has none of that id."""
        try:
            answer = await self._read_assistant(provider_assistant_id)
        except ProviderError as error:
            if error.status == 400:  # what was asked for has not the form of an id
                return None
            raise
        return None if answer.status == 404 else _found(read_assistant(answer.body))

    async def list_assistants(self, *, most: int = 1000) -> Sequence[RemoteAssistant]:
        """Return the account's assistants, newest first."""
        pages = await read_pages(self._wire, "/assistant", params={}, most=most, page_size=self._page_size)
        return [found for item in pages.items if (found := read_assistant(item)) is not None]

    async def update_assistant(
        self, provider_assistant_id: str, *, name: str | None, changes: Mapping[str, Any]
    ) -> RemoteAssistant:
        """Change an assistant: read it, merge ours into it, write the top-level keys that differ."""
        named = {} if name is None else {"name": cut_name(name)}
        return await self._rewrite(provider_assistant_id, lambda theirs: merged_keys(theirs, {**changes, **named}))

    async def replace_assistant(
        self, provider_assistant_id: str, *, name: str, config: Mapping[str, Any]
    ) -> RemoteAssistant:
        """Make an assistant exactly this: read it, write the top-level keys that differ, unset the others."""
        wanted = {**config, "name": cut_name(name)}
        return await self._rewrite(provider_assistant_id, lambda theirs: whole_keys(theirs, wanted))

    async def _rewrite(
        self, provider_assistant_id: str, keys_for: Callable[[Mapping[str, Any]], dict[str, Any]]
    ) -> RemoteAssistant:
        """Read an assistant and write what `keys_for` makes of it, nothing where that is nothing."""
        answer = await self._read_assistant(provider_assistant_id)
        if answer.status == 404:
            raise ProviderError("Vapi has no such assistant: it was deleted there.", status=404)
        keys = keys_for(answer.body) if isinstance(answer.body, dict) else {}
        if keys:
            path = f"/assistant/{_segment(provider_assistant_id)}"
            answer = await self._wire.write("PATCH", path, doing="change the assistant", json=keys)
        return _found(read_assistant(answer.body))

    async def delete_assistant(self, provider_assistant_id: str) -> None:
        """Delete an assistant; one that is gone already is no error."""
        try:
            path = f"/assistant/{_segment(provider_assistant_id)}"
            await self._wire.write("DELETE", path, doing="delete the assistant")
        except ProviderError as error:
            if error.status != 404:
                raise

    async def list_phone_numbers(self) -> Sequence[RemoteNumber]:
        """Return the account's phone numbers, secrets stripped."""
        pages = await read_pages(self._wire, "/phone-number", params={}, most=_MOST_NUMBERS, page_size=self._page_size)
        return [found for item in pages.items if (found := read_number(item)) is not None]

    def open_recording(self, provider_call_id: str) -> AbstractAsyncContextManager[Recording]:
        """Open the recording by the authenticated route; the address it redirects to never sees our key."""
        return open_recording(self._wire, provider_call_id)

    def read_webhook(self, body: Any) -> WebhookNews:
        """Read a webhook body of any shape; never raises, for any JSON value."""
        read = wire_webhooks.read_webhook(body)
        if not self._redacts or read.news is None:
            return read
        return replace(read, news=redacted_news(read.news))

    def scrub(self, body: Any) -> Any:
        """Return the body without secrets, redacted where that is wanted: what may be stored."""
        clean = scrubbing.scrub(body, secrets=self._secrets)
        return redact(clean) if self._redacts else clean

    def _fit_to_keep(self, seen: SeenCall) -> SeenCall:
        return replace(seen, news=redacted_news(seen.news)) if self._redacts else seen

    async def close(self) -> None:
        """Let go of connections."""
        await self._wire.client.aclose()

    async def _read_assistant(self, provider_assistant_id: str) -> Answer:
        return await self._wire.read(f"/assistant/{_segment(provider_assistant_id)}", doing="show the assistant")


def _segment(provider_id: str) -> str:
    """Return an id as one piece of a path, whatever is in it."""
    return quote(provider_id, safe="")


def _unaskable(error: httpx.HTTPError | httpx.InvalidURL, *, doing: str) -> ProviderError:
    if isinstance(error, httpx.HTTPError):
        return unreachable(error, doing=doing)
    return ProviderError("The control address of the call is none.")


def _found(read: Found | None) -> Found:
    """Return what was read from an answer that promised it."""
    if read is None:
        raise ProviderError("Vapi answered with something else than was asked for: check VAPI_BASE_URL.")
    return read
