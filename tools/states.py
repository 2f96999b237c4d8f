"""The state diagrams, drawn from the code: campaigns from their table, calls by asking the rule about every news.

A call has no table of transitions, it has one pure rule (`domain.advance.advance`). So the diagram is found by
walking: from a fresh claim, every kind of news is tried on every distinct call that can come about.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from autolynx.domain.advance import Timers, advance
from autolynx.domain.call import Call, CallNews, CallStatus, Facts, NewsKind, Outcome, Source
from autolynx.domain.campaign import TRANSITIONS, CampaignStatus

Arrow = tuple[str, str, str]  # from, to, because of what

START = datetime(2026, 1, 1, tzinfo=UTC)
TIMERS = Timers(
    reconcile_after=90, call_timeout=600, unknown_grace=60, first_look=2, answer_by=22, ring=120, margin=300, lease=30
)
CLAIMED = Call(
    id=UUID(int=1),
    campaign_id=UUID(int=2),
    contact_id=UUID(int=3),
    attempt=1,
    status=CallStatus.QUEUED,
    claimed_at=START,
    lease_until=START + timedelta(seconds=30),
)
# One end of each sort, in the provider's words.
ENDS = (
    "customer-ended-call",
    "customer-did-not-answer",
    "call.start.error-vapi-number-international",
    "call-start-error-neither-assistant-nor-server-set",
    "twilio-failed-to-connect-call",
    "call.start.error-subscription-concurrency-limit-reached",
    "manually-canceled",
)
SAYS = {
    NewsKind.RELEASED: "certainly not dialled",
    NewsKind.LAPSED: "lease over, never sent",
    NewsKind.REFUSED: "refused at once",
    NewsKind.MISSING: "not found by a look",
    NewsKind.UNSURE: "set aside",
    NewsKind.TIMED_OUT: "silence past the ceiling",
    NewsKind.CANCEL_REQUESTED: "stop",
}


def campaign_arrows() -> list[Arrow]:
    """Return every arrow of the campaign's table, in its order."""
    return [(start, end, why) for start, ends in TRANSITIONS.items() for end, why in ends.items()]


def call_arrows() -> list[Arrow]:
    """Return every change of status that some news makes to some call, in the order of the statuses."""
    order = [str(status) for status in CallStatus]
    found = {
        (before.status, after.status, _words(news))
        for before, news, after in _walk()
        if before.status is not after.status
    }
    return sorted(found, key=lambda arrow: (order.index(arrow[0]), order.index(arrow[1]), arrow[2]))


def _walk() -> Iterator[tuple[Call, CallNews, Call]]:
    """Yield every step from every call that can come about: (before, news, after)."""
    open_ones = [CLAIMED, replace(CLAIMED, dial_started_at=START)]
    seen = {_essence(call) for call in open_ones}
    while open_ones:
        before = open_ones.pop()
        for news in _all_news():
            after = advance(before, news, now=START + timedelta(seconds=60), timers=TIMERS).call
            yield before, news, after
            if _essence(after) not in seen:
                seen.add(_essence(after))
                open_ones.append(after)


def _all_news() -> Iterator[CallNews]:
    for kind in SAYS:
        yield CallNews(kind=kind, source=Source.TICK, outcome=Outcome.REFUSED if kind is NewsKind.REFUSED else None)
    for status in (CallStatus.QUEUED, CallStatus.RINGING, CallStatus.IN_PROGRESS):
        yield _provider(status=status)
    for reason in ENDS:
        yield replace(_provider(is_over=True), facts=Facts(ended_reason=reason))


def _provider(*, status: CallStatus | None = None, is_over: bool = False) -> CallNews:
    return CallNews(kind=NewsKind.PROVIDER, source=Source.WEBHOOK, provider_call_id="c", status=status, is_over=is_over)


def _essence(call: Call) -> tuple[object, ...]:
    """Return what decides how a call goes on: two calls alike in this take the same ways."""
    return (
        call.status,
        call.outcome,
        call.provider_call_id,
        call.holds_line,
        call.is_final,
        call.was_live,
        call.counts_as_attempt,
        call.dial_started_at is None,
        call.cancel_requested_at is None,
        call.unsure_at is None,
        call.facts.ended_reason,
    )


def _words(news: CallNews) -> str:
    if news.kind is not NewsKind.PROVIDER:
        return SAYS[news.kind]
    if news.is_over:
        return "provider: ended"
    return f"provider: {news.status.lower().replace('_', '-')}" if news.status else "provider"


def diagram(arrows: Iterable[Arrow], *, start: str, ends: Iterable[str]) -> str:
    """Return arrows as a mermaid state diagram; arrows between the same two states share a line."""
    joined: dict[tuple[str, str], list[str]] = {}
    for before, after, why in arrows:
        joined.setdefault((before, after), []).append(why.replace("provider: ", "provider says "))
    lines = [f"    {before} --> {after}: {', '.join(whys)}" for (before, after), whys in joined.items()]
    return "\n".join(["```mermaid", "stateDiagram-v2", f"    [*] --> {start}", *lines, *_ends(ends), "```"])


def _ends(ends: Iterable[str]) -> list[str]:
    return [f"    {end} --> [*]" for end in ends]


def table(arrows: Iterable[Arrow]) -> str:
    """Return arrows as a table, for readers without a picture."""
    rows = [f"| `{before}` | `{after}` | {why} |" for before, after, why in arrows]
    return "\n".join(["| From | To | Because |", "|---|---|---|", *rows])


def blocks() -> dict[str, str]:
    """Return the generated blocks of docs/states.md by name."""
    campaigns, calls = campaign_arrows(), call_arrows()
    campaign_ends = [status for status in CampaignStatus if status.is_terminal]
    call_ends = [status for status in CallStatus if not status.is_active]
    on_the_way = [arrow for arrow in calls if CallStatus(arrow[0]).is_active]
    return {
        "campaign diagram": diagram(campaigns, start=CampaignStatus.CREATED, ends=campaign_ends),
        "campaign table": table(campaigns),
        "call diagram": diagram(on_the_way, start=CallStatus.QUEUED, ends=call_ends),
        "call corrections": table(arrow for arrow in calls if arrow not in on_the_way),
    }
