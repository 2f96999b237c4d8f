"""What an assistant was used for, and how that went. Test calls count nowhere in it."""

from dataclasses import dataclass
from decimal import Decimal

_CENT = Decimal("0.0001")


@dataclass(frozen=True, kw_only=True)
class Usage:
    """Campaigns with an assistant, those of them that are not over, and the figures of their calls that are over."""

    campaigns: int = 0
    open_campaigns: int = 0
    calls: int = 0
    answered: int = 0
    success_true: int = 0
    success_false: int = 0
    cost_usd: Decimal = Decimal(0)

    @property
    def answer_rate(self) -> float | None:
        """The share of calls that somebody answered (0 to 1), None before the first call is over."""
        return self.answered / self.calls if self.calls else None

    @property
    def success_rate(self) -> float | None:
        """The share of successes among the calls that were judged (0 to 1), None before the first."""
        judged = self.success_true + self.success_false
        return self.success_true / judged if judged else None

    @property
    def average_cost_usd(self) -> Decimal | None:
        """The cost of a call that is over, None before the first."""
        return (self.cost_usd / self.calls).quantize(_CENT) if self.calls else None
