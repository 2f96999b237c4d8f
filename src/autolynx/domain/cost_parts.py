"""What a call cost, part by part: amounts in US dollars under our own names, whatever a provider calls them."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias

CostBreakdown: TypeAlias = Mapping[str, float]

# In the order of a bill. The last takes what has no name here.
LABELS: dict[str, str] = {
    "transport": "Phone line",
    "transcriber": "Speech recognition",
    "model": "Language model",
    "voice": "Voice",
    "platform": "Platform",
    "voicemail": "Voicemail detection",
    "analysis": "Analysis after the call",
    "knowledge": "Knowledge base",
    "chat": "Chat",
    "other": "Other",
}
MOST_USD = Decimal(100_000)  # far beyond any call; keeps nonsense out of sums and pages
DIGITS = 6  # many parts cost less than a hundredth of a cent


@dataclass(frozen=True, kw_only=True)
class CostPart:
    """One line of the bill."""

    name: str
    label: str
    usd: Decimal


def fuller(a: CostBreakdown | None, b: CostBreakdown | None) -> CostBreakdown | None:
    """Of two breakdowns of one call, return the later state of the bill: the dearer one."""
    return max((one for one in (a, b) if one), key=_rank, default=None)


def _rank(breakdown: CostBreakdown) -> tuple[float, list[tuple[str, float]]]:
    return round(sum(breakdown.values()), DIGITS), sorted(breakdown.items())


def parts_of(breakdown: Any, total: Decimal | None) -> list[CostPart]:
    """Return the lines of the bill that are not 0; what they lack to the total is its own line.

    Whatever is not an amount is left out: nothing that was kept can make a page fail.
    """
    kept = breakdown if isinstance(breakdown, dict) else {}
    amounts = {name: amount for name in LABELS if (amount := _amount(kept.get(name))) > 0}
    rest = (total or Decimal(0)) - sum(amounts.values(), Decimal(0))
    if amounts and rest >= Decimal("0.0005"):
        amounts["other"] = amounts.get("other", Decimal(0)) + rest
    return [CostPart(name=name, label=LABELS[name], usd=amounts[name]) for name in LABELS if name in amounts]


def _amount(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return Decimal(0)
    amount = Decimal(str(value))
    return round(amount, DIGITS) if amount.is_finite() and 0 < amount < MOST_USD else Decimal(0)
