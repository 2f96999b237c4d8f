"""The bill of a call, part by part, from either form in which it is told: sums by part, or a list of items."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from autolynx.domain.cost_parts import DIGITS, CostBreakdown, fuller
from autolynx.provider.wire_values import Object, as_number, as_object, as_word, first, objects

_SUMS = {
    "transport": "transport",
    "stt": "transcriber",
    "llm": "model",
    "tts": "voice",
    "vapi": "platform",
    "chat": "chat",
    "voicemailDetectionCost": "voicemail",
    "knowledgeBaseCost": "knowledge",
}
_ANALYSES = ("summary", "structuredData", "successEvaluation", "structuredOutput")
_ITEMS = {
    "transport": "transport",
    "transcriber": "transcriber",
    "model": "model",
    "voice": "voice",
    "vapi": "platform",
    "chat": "chat",
    "voicemail-detection": "voicemail",
    "analysis": "analysis",
    "knowledge-base": "knowledge",
}
_MOST_USD = 100_000


def read_breakdown(holders: Sequence[Object]) -> CostBreakdown | None:
    """Return the parts of the bill that cost anything, None where no holder tells any.

    Of sums and items beside each other the fuller ones count: either may leave out a part.
    """
    return first(map(_of_holder, holders))


def _of_holder(holder: Object) -> CostBreakdown | None:
    return fuller(_of_sums(as_object(holder.get("costBreakdown"))), _of_items(objects(holder.get("costs"))))


def _of_sums(breakdown: Object) -> CostBreakdown | None:
    analysis = as_object(breakdown.get("analysisCostBreakdown"))
    told = [(part, breakdown.get(name)) for name, part in _SUMS.items()]
    return _added([*told, *(("analysis", analysis.get(name)) for name in _ANALYSES)])


def _of_items(items: Sequence[Object]) -> CostBreakdown | None:
    return _added((_ITEMS.get(as_word(item.get("type")) or "", "other"), item.get("cost")) for item in items)


def _added(told: Iterable[tuple[str, object]]) -> CostBreakdown | None:
    sums: dict[str, float] = defaultdict(float)
    for part, value in told:
        usd = as_number(value)
        if usd is not None and 0 < usd < _MOST_USD:
            sums[part] += usd
    rounded = {part: round(usd, DIGITS) for part, usd in sorted(sums.items())}
    return {part: usd for part, usd in rounded.items() if usd} or None
