"""What a call costs: parts that add up to the total, to the last printed digit."""

from dataclasses import dataclass
from typing import Any

RATES_PER_MINUTE = {"transport": 0.014, "stt": 0.0103, "llm": 0.0321, "tts": 0.0387, "vapi": 0.05}
ANALYSIS_USD = {"summary": 0.0002, "structuredData": 0.0002, "successEvaluation": 0.0004}
DIGITS = 4


@dataclass(frozen=True, kw_only=True)
class Bill:
    """The three forms in which the price of a call is told."""

    total: float
    breakdown: dict[str, Any]
    items: list[dict[str, Any]]


NOTHING = Bill(total=0, breakdown={}, items=[])


def bill(*, seconds: float, words: int, is_analysed: bool) -> Bill:
    """Price a call by its length; a call that nobody answered costs nothing."""
    if seconds <= 0:
        return NOTHING
    minutes = seconds / 60
    parts = {part: round(rate * minutes, DIGITS) for part, rate in RATES_PER_MINUTE.items()}
    analysis = ANALYSIS_USD if is_analysed else dict.fromkeys(ANALYSIS_USD, 0.0)
    total = round(sum(parts.values()) + sum(analysis.values()), DIGITS)
    return Bill(
        total=total,
        breakdown=_breakdown(parts, analysis, total, words),
        items=_items(parts, analysis, minutes, words),
    )


def _breakdown(parts: dict[str, float], analysis: dict[str, float], total: float, words: int) -> dict[str, Any]:
    per_analysis: dict[str, float] = {}
    for name, usd in {**analysis, "structuredOutput": 0.0}.items():
        tokens = 600 if usd else 0
        per_analysis |= {
            name: usd,
            f"{name}PromptTokens": tokens,
            f"{name}CompletionTokens": tokens // 6,
            f"{name}CachedPromptTokens": 0,
        }
    return {
        **parts,
        "chat": 0,
        "total": total,
        "llmPromptTokens": words * 40,
        "llmCompletionTokens": words,
        "llmCachedPromptTokens": 0,
        "ttsCharacters": words * 3,
        "voicemailDetectionCost": 0,
        "knowledgeBaseCost": 0,
        "analysisCostBreakdown": per_analysis,
    }


def _items(parts: dict[str, float], analysis: dict[str, float], minutes: float, words: int) -> list[dict[str, Any]]:
    model = {"provider": "openai", "model": "gpt-4o"}
    judge = {"provider": "google", "model": "gemini-2.5-flash"}
    minutes = round(minutes, 4)
    tokens = {"promptTokens": words * 40, "completionTokens": words}
    items: list[dict[str, Any]] = [
        {"type": "transport", "provider": "twilio", "minutes": minutes, "cost": parts["transport"]},
        {
            "type": "transcriber",
            "transcriber": {"provider": "deepgram", "model": "nova-3"},
            "minutes": minutes,
            "cost": parts["stt"],
        },
        {"type": "model", "model": model, **tokens, "cost": parts["llm"]},
        {
            "type": "voice",
            "voice": {"provider": "vapi", "voiceId": "Elliot", "model": "eleven_turbo_v2_5"},
            "characters": words * 3,
            "cost": parts["tts"],
        },
        {"type": "vapi", "subType": "normal", "minutes": minutes, "cost": parts["vapi"]},
    ]
    return items + [
        {
            "type": "analysis",
            "analysisType": name,
            "model": judge,
            "promptTokens": 600,
            "completionTokens": 100,
            "cost": usd,
        }
        for name, usd in analysis.items()
        if usd
    ]
