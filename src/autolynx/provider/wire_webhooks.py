"""Reading webhook bodies of every shape that was seen.

They come wrapped in `message`, flat, with the call beside the message, and as hybrids of these. Nothing
here raises, whatever JSON comes.
"""

from typing import Any

from autolynx.domain.call import CallNews, CallStatus, NewsKind, Source
from autolynx.domain.ended_reason import normalise_reason
from autolynx.provider.port import WebhookNews
from autolynx.provider.wire_calls import is_terminal, live_status
from autolynx.provider.wire_facts import read_facts, read_our_call_id
from autolynx.provider.wire_values import Object, as_object, as_word, first

_STATUS_UPDATE = "status-update"
_REPORTS = frozenset({"end-of-call-report", "call.ended", "call-ended"})


def read_webhook(body: Any) -> WebhookNews:
    """Return what a webhook body says.

    Only `message.status` and the type speak about the state of the call: the status inside `call` is a
    snapshot from its creation.
    """
    outer = as_object(body)
    message = as_object(outer.get("message")) or outer
    call = as_object(message.get("call")) or as_object(outer.get("call"))
    holders = [message, call] if message is outer else [message, call, outer]
    kind = first(as_word(holder.get("type")) for holder in (message, outer)) or ""
    status = first(as_word(holder.get("status")) for holder in (message, outer)) or ""
    provider_call_id = _call_id(holders, call)
    return WebhookNews(
        provider_call_id=provider_call_id or "",
        type=kind,
        status=status,
        our_call_id=read_our_call_id(holders),
        news=_news(holders, kind=kind, status=status, provider_call_id=provider_call_id),
    )


def _call_id(holders: list[Object], call: Object) -> str | None:
    named = (as_word(holder.get(key)) for holder in holders for key in ("callId", "call_id"))
    return as_word(call.get("id")) or first(named)


def _news(holders: list[Object], *, kind: str, status: str, provider_call_id: str | None) -> CallNews | None:
    family = normalise_reason(kind)
    live: CallStatus | None = None
    if family == _STATUS_UPDATE:
        live = live_status(status)
    is_over = family in _REPORTS or (family == _STATUS_UPDATE and is_terminal(status))
    if live is None and not is_over:
        return None
    return CallNews(
        kind=NewsKind.PROVIDER,
        source=Source.WEBHOOK,
        provider_call_id=provider_call_id,
        status=live,
        is_over=is_over,
        facts=read_facts(holders, is_over=is_over),
    )
