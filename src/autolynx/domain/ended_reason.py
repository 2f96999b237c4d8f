"""Why a call ended, read from the provider's word by ordered patterns.

The provider has more than six hundred words for it and adds some every month, so there is no list of them
here: the first pattern that fits decides, and a word that fits none is UNKNOWN, never an error.
"""

import re
from collections.abc import Iterable
from enum import StrEnum
from fnmatch import translate
from functools import lru_cache


class EndClass(StrEnum):
    """What a word for the end of a call means to us. The outcome follows from it and from the evidence."""

    COOLDOWN = "cooldown"  # above the provider's limit: not dialled
    NUMBER_LIMIT = "number_limit"  # the number we call from has used up its day: not dialled
    NUMBER_MISMATCH = "number_mismatch"  # the number we call from cannot reach this one: not dialled
    PLATFORM_START = "platform_start"  # the platform failed before it dialled: not dialled
    ACCOUNT = "account"  # credit, freeze, wallet, fraud check: not dialled
    CONFIG = "config"  # assistant, number or trunk of the campaign is at fault: not dialled
    TRANSFERRED = "transferred"  # talked, and was put through
    TRANSFER_FAILED = "transfer_failed"  # talked, and could not be put through
    CONVERSED = "conversed"  # somebody or something answered and the talk came to an end
    LINE_COMPLETED = "line_completed"  # the carrier says done: a conversation only with evidence of one
    MACHINE = "machine"  # voicemail
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    SILENCE = "silence"  # answered, and nothing was heard
    BAD_NUMBER = "bad_number"  # no such number
    CARRIER_REFUSED = "carrier_refused"  # the carrier would not put it through
    CANCELLED = "cancelled"
    PLATFORM = "platform"  # the platform failed while the call went on
    NOT_OUTBOUND = "not_outbound"  # belongs to inbound or web calls and should not occur
    ASSISTANT_CONFIG = "assistant_config"  # keys, quota or models of the assistant: the callee heard nothing
    PROVIDER_FAULT = "provider_fault"  # a voice, model or transcriber behind the platform failed
    UNKNOWN = "unknown"


# Evaluated from top to bottom; the first class with a fitting pattern wins.
_PATTERNS: tuple[tuple[EndClass, tuple[str, ...]], ...] = (
    (EndClass.COOLDOWN, ("call.start.error-subscription-concurrency-*",)),
    (EndClass.NUMBER_LIMIT, ("call.start.error-*-daily-limit*",)),
    (EndClass.NUMBER_MISMATCH, ("call.start.error-vapi-number-international",)),
    (
        EndClass.PLATFORM_START,
        ("call.start.error-vapifault-*", "call.start.error-get-org", "call.start.error-get-subscription"),
    ),
    (EndClass.ACCOUNT, ("call.start.error-subscription-*", "*fraud-check*")),
    (
        EndClass.CONFIG,
        (
            "call.start.error-*",
            "assistant-not-*",
            "call.start.*-version-error-validation",
            "call-start-error-neither-*",
            "assistant-request-*",
            "*-sip-407-*",
        ),
    ),
    (
        EndClass.TRANSFERRED,
        ("assistant-forwarded-call", "call.*.hook-executed-transfer", "customer-ended-call-*transfer*"),
    ),
    (
        EndClass.TRANSFER_FAILED,
        ("call.in-progress.error-transfer-failed", "*-warm-transfer-*", "call.forwarding.*"),
    ),
    (
        EndClass.LINE_COMPLETED,
        ("*.twilio-completed-call", "*.sip-completed-call", "vonage-completed", "*-completed-call"),
    ),
    (
        EndClass.CONVERSED,
        (
            "customer-ended-call*",
            "assistant-ended-call*",
            "assistant-said-end-call-phrase*",
            "exceeded-max-duration",
            "*-ended-call",
            "hangup",
            "*-hangup",
            "*-hung-up",
        ),
    ),
    (EndClass.MACHINE, ("voicemail*", "*-voicemail")),
    (
        EndClass.NO_ANSWER,
        (
            "customer-did-not-answer",
            "no-answer",
            "*-no-answer",
            "*-outbound-sip-408-*",
            "*-outbound-sip-480-*",
            "*-outbound-sip-487-*",
            "sip-outbound-carrier-released-call",
        ),
    ),
    (EndClass.BUSY, ("customer-busy", "busy", "*-outbound-sip-486-*", "*-outbound-sip-600-*")),
    (EndClass.SILENCE, ("silence-timed-out", "*assistant-did-not-receive-customer-audio")),
    (
        EndClass.BAD_NUMBER,
        (
            "twilio-reported-customer-misdialed",
            "*-unallocated-number",
            "*-outbound-sip-404-*",
            "*-outbound-sip-410-*",
            "*-outbound-sip-484-*",
            "*-outbound-sip-604-*",
        ),
    ),
    (
        EndClass.CARRIER_REFUSED,
        (
            "twilio-failed-to-connect-call",
            "vonage-failed-to-connect-call",
            "vonage-rejected",
            "*sip-outbound-call-failed-to-connect",
            "*-outbound-sip-4??-*",
            "*-outbound-sip-6??-*",
        ),
    ),
    (
        EndClass.CANCELLED,
        ("manually-canceled", "manually-cancelled", "call-deleted", "scheduled-call-deleted"),
    ),
    (
        EndClass.PLATFORM,
        (
            "call.in-progress.error-vapifault-*",
            "worker-shutdown",
            "assistant-join-timed-out",
            "phone-call-provider-*",
            "vonage-disconnected",
            "*transport-never-connected",
            "*-outbound-sip-5??-*",
        ),
    ),
    (
        EndClass.NOT_OUTBOUND,
        ("customer-did-not-give-microphone-permission", "*sip-inbound*", "call.*.hook-executed-say"),
    ),
    (
        EndClass.ASSISTANT_CONFIG,
        (
            "*configfault-*",
            "*-400-*",
            "*-401-*",
            "*-403-*",
            "*-404-*",
            "*-429-*",
            "*rate-limited",
            "*quota*",
            "*unauthorized*",
            "*invalid*",
            "*auth-failed",
            "*api-key-missing",
            "*out-of-credits",
            "*requested-payment",
            "*requested-upgrade",
            "*not-found*",
            "*not-fine-tuned*",
            "*not-allowed*",
            "*disabled*",
            "*blocked*",
            "*creator-plus",
            "*voice-clone*",
            "*manifest-uri",
            "*no-available-llm-model",
        ),
    ),
    (
        EndClass.PROVIDER_FAULT,
        ("call.in-progress.error-providerfault-*", "pipeline-error-*", "call.in-progress.error-pipeline-*"),
    ),
)


def _compile(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(translate(pattern) for pattern in patterns))


_COMPILED = tuple((end_class, _compile(patterns)) for end_class, patterns in _PATTERNS)

# Which class of word is the most telling about one call, when two reports of it contradict each other.
# Any word that proves a dial stands above the words for "not dialled": those let the contact be called again.
_MOST_TELLING_FIRST = (
    EndClass.TRANSFERRED,
    EndClass.TRANSFER_FAILED,
    EndClass.MACHINE,
    EndClass.CONVERSED,
    EndClass.SILENCE,
    EndClass.BUSY,
    EndClass.NO_ANSWER,
    EndClass.BAD_NUMBER,
    EndClass.CARRIER_REFUSED,
    EndClass.ASSISTANT_CONFIG,
    EndClass.PROVIDER_FAULT,
    EndClass.PLATFORM,
    EndClass.CANCELLED,
    EndClass.NOT_OUTBOUND,
    EndClass.LINE_COMPLETED,
    EndClass.CONFIG,
    EndClass.ACCOUNT,
    EndClass.NUMBER_MISMATCH,
    EndClass.NUMBER_LIMIT,
    EndClass.COOLDOWN,
    EndClass.PLATFORM_START,
    EndClass.UNKNOWN,
)
_RANKS = {end_class: rank for rank, end_class in enumerate(reversed(_MOST_TELLING_FIRST))}

_CAMEL_STEP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SEPARATORS = re.compile(r"[\s_]+")
_LONGEST_REASON = 300  # no word of the provider comes near it; whatever is longer is not one


def normalise_reason(reason: str) -> str:
    """Return the word as the patterns spell it: lower case, hyphens for underscores, spaces and humps."""
    return _SEPARATORS.sub("-", _CAMEL_STEP.sub("-", reason.strip()[:_LONGEST_REASON])).lower()


@lru_cache(maxsize=2048)
def classify_end(reason: str | None) -> EndClass:
    """Return what the provider's word for the end of a call means; UNKNOWN for none and for new ones."""
    word = normalise_reason(reason or "")
    return next((end_class for end_class, pattern in _COMPILED if pattern.match(word)), EndClass.UNKNOWN)


def reason_rank(reason: str | None) -> tuple[int, str]:
    """Return a key that orders reasons by how telling they are: of contradicting ones the greatest is kept.

    It is a total order (ties go by the text itself), so what is kept does not depend on the order of
    arrival. No reason at all is less than any.
    """
    return (-1, "") if not reason else (_RANKS[classify_end(reason)], reason)
