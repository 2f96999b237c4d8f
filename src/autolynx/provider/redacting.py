"""News of calls without what nobody should have said: redacted before anything is made of it."""

from dataclasses import replace

from autolynx.domain.call import CallNews, Facts
from autolynx.domain.redaction import redact, redact_text
from autolynx.provider.wire_transcript import transcript_rank


def redacted_news(news: CallNews) -> CallNews:
    """Return the news with transcript, summary and verdict redacted. The longest transcript is the longest of those."""
    facts = news.facts
    if facts.transcript is None and facts.summary is None and facts.success_raw is None:
        return news
    return replace(news, facts=_redacted(facts))


def _redacted(facts: Facts) -> Facts:
    transcript = None if facts.transcript is None else redact(facts.transcript)
    return replace(
        facts,
        transcript=transcript,
        transcript_rank=transcript_rank(transcript),
        summary=facts.summary and redact_text(facts.summary),
        success_raw=facts.success_raw and redact_text(facts.success_raw),
    )
