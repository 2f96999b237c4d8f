"""Why a call ended, in a sentence for people. A word that nobody has seen yet is shown as it is."""

from fnmatch import fnmatchcase

from autolynx.domain.ended_reason import EndClass, classify_end, normalise_reason

# Words that say more than their class; the first pattern that fits.
_SENTENCES: tuple[tuple[str, str], ...] = (
    ("customer-ended-call*", "The contact hung up."),
    ("assistant-ended-call-after-message*", "The assistant said goodbye and hung up."),
    ("assistant-said-end-call-phrase*", "The assistant said goodbye and hung up."),
    ("assistant-ended-call*", "The assistant hung up."),
    ("exceeded-max-duration", "The call reached its longest duration."),
    ("silence-timed-out", "Nobody spoke for too long."),
    ("*assistant-did-not-receive-customer-audio", "Nothing was heard from the contact."),
    ("customer-did-not-answer", "Nobody answered."),
    ("*-outbound-sip-480-*", "The phone could not be reached."),
    ("sip-outbound-carrier-released-call", "The carrier ended the call before anybody answered."),
    ("twilio-reported-customer-misdialed", "The number does not exist."),
    ("call.in-progress.error-transfer-failed", "The call could not be put through to a person."),
    ("*-warm-transfer-*", "The call could not be put through to a person."),
    ("manually-cancel*", "The call was cancelled by hand."),
    ("scheduled-call-deleted", "The call was deleted before it began."),
    ("call-deleted", "The call was deleted."),
    ("assistant-not-found", "The assistant no longer exists at the provider."),
    ("assistant-not-valid", "The provider does not accept the assistant's configuration."),
    ("call.start.error-get-phone-number", "The number to call from was not found at the provider."),
    ("call.start.error-get-assistant", "The assistant was not found at the provider."),
    ("call.start.error-subscription-insufficient-credits", "The account at the provider has no credit left."),
    ("call.start.error-subscription-frozen", "The account at the provider is frozen."),
    ("*fraud-check*", "The provider's fraud check stopped the call."),
    ("worker-shutdown", "The provider's server stopped during the call."),
    ("*-voice-failed", "The voice of the assistant failed during the call."),
    ("*-llm-failed", "The language model of the assistant failed during the call."),
    ("*-transcriber-failed", "The speech recognition of the assistant failed during the call."),
)
_OF_CLASS: dict[EndClass, str] = {
    EndClass.COOLDOWN: "Not dialled: the provider had no free line.",
    EndClass.NUMBER_LIMIT: "Not dialled: the number to call from has used up its calls of the day.",
    EndClass.NUMBER_MISMATCH: "The number to call from cannot call that country.",
    EndClass.PLATFORM_START: "Not dialled: the provider failed before it could dial.",
    EndClass.ACCOUNT: "Not dialled: the provider refuses the account (credit, subscription or a check).",
    EndClass.CONFIG: "Not dialled: something in the campaign's assistant or number is wrong.",
    EndClass.TRANSFERRED: "The call was put through to a person.",
    EndClass.TRANSFER_FAILED: "The call could not be put through to a person.",
    EndClass.CONVERSED: "The conversation came to an end.",
    EndClass.LINE_COMPLETED: "The carrier reported the call as done.",
    EndClass.MACHINE: "A voicemail answered.",
    EndClass.NO_ANSWER: "Nobody answered.",
    EndClass.BUSY: "The line was busy.",
    EndClass.SILENCE: "Somebody answered, and nothing was said.",
    EndClass.BAD_NUMBER: "The number does not exist.",
    EndClass.CARRIER_REFUSED: "The carrier did not put the call through.",
    EndClass.CANCELLED: "The call was cancelled.",
    EndClass.PLATFORM: "The provider failed during the call.",
    EndClass.NOT_OUTBOUND: "The provider ended the call for a reason that calls like this do not have.",
    EndClass.ASSISTANT_CONFIG: "A key, quota or model behind the assistant was refused during the call.",
    EndClass.PROVIDER_FAULT: "A service behind the assistant failed during the call.",
}


def ended_in_words(reason: str | None) -> str | None:
    """Return the provider's word for the end of a call as a sentence; the word itself where it is a new one."""
    if not reason:
        return None
    word = normalise_reason(reason)
    special = next((sentence for pattern, sentence in _SENTENCES if fnmatchcase(word, pattern)), None)
    return special or _OF_CLASS.get(classify_end(reason), reason)
