import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autolynx.domain.ended_reason import EndClass, classify_end, reason_rank

WORDS = {
    EndClass.COOLDOWN: ["call.start.error-subscription-concurrency-limit-reached"],
    EndClass.NUMBER_LIMIT: ["call.start.error-vapi-number-outbound-daily-limit"],
    EndClass.NUMBER_MISMATCH: ["call.start.error-vapi-number-international"],
    EndClass.PLATFORM_START: [
        "call.start.error-vapifault-get-org",
        "call.start.error-vapifault-database-error",
        "call.start.error-get-org",
        "call.start.error-get-subscription",
    ],
    EndClass.ACCOUNT: [
        "call.start.error-subscription-insufficient-credits",
        "call.start.error-subscription-frozen",
        "call.start.error-subscription-wallet-does-not-exist",
        "call.start.error-subscription-some-future-trouble",
        "call.start.error-fraud-check-failed",
    ],
    EndClass.CONFIG: [
        "call.start.error-get-assistant",
        "call.start.error-get-phone-number",
        "call.start.error-enterprise-feature-not-available-recording-consent",
        "call.start.assistant-version-error-validation",
        "call-start-error-neither-assistant-nor-server-set",
        "assistant-not-found",
        "assistant-not-valid",
        "assistant-request-returned-invalid-assistant",
        "call.in-progress.error-providerfault-outbound-sip-407-proxy-authentication-required",
    ],
    EndClass.TRANSFERRED: [
        "assistant-forwarded-call",
        "call.ringing.hook-executed-transfer",
        "customer-ended-call-during-transfer",
        "customer-ended-call-after-warm-transfer-attempt",
    ],
    EndClass.TRANSFER_FAILED: [
        "call.in-progress.error-transfer-failed",
        "call.in-progress.error-warm-transfer-silence-timeout",
        "call.forwarding.operator-busy",
        "call.forwarding.no-answer",
    ],
    EndClass.LINE_COMPLETED: [
        "call.in-progress.twilio-completed-call",
        "call.in-progress.sip-completed-call",
        "vonage-completed",
    ],
    EndClass.CONVERSED: [
        "customer-ended-call",
        "assistant-ended-call",
        "assistant-ended-call-with-hangup-task",
        "assistant-said-end-call-phrase",
        "exceeded-max-duration",
        "hangup",
        "customer_hangup",
        "assistantEndedCall",
        "Customer Ended Call",
        " CUSTOMER-ENDED-CALL ",
    ],
    EndClass.MACHINE: ["voicemail", "Voicemail"],
    EndClass.NO_ANSWER: [
        "customer-did-not-answer",
        "customerDidNotAnswer",
        "call.in-progress.error-providerfault-outbound-sip-408-request-timeout",
        "call.in-progress.error-providerfault-outbound-sip-480-temporarily-unavailable",
        "call.in-progress.error-providerfault-outbound-sip-487-request-terminated",
        "sip-outbound-carrier-released-call",
    ],
    EndClass.BUSY: [
        "customer-busy",
        "customer_busy",
        "call.in-progress.error-providerfault-outbound-sip-486-busy-here",
    ],
    EndClass.SILENCE: [
        "silence-timed-out",
        "call.in-progress.error-assistant-did-not-receive-customer-audio",
    ],
    EndClass.BAD_NUMBER: [
        "twilio-reported-customer-misdialed",
        "sip-outbound-unallocated-number",
        "call.in-progress.error-providerfault-outbound-sip-404-not-found",
    ],
    EndClass.CARRIER_REFUSED: [
        "twilio-failed-to-connect-call",
        "vonage-rejected",
        "call.in-progress.error-sip-outbound-call-failed-to-connect",
        "call.in-progress.error-providerfault-outbound-sip-403-forbidden",
        "call.in-progress.error-providerfault-outbound-sip-603-decline",
    ],
    EndClass.CANCELLED: ["manually-canceled", "manually_cancelled", "scheduled-call-deleted", "call-deleted"],
    EndClass.PLATFORM: [
        "call.in-progress.error-vapifault-worker-died",
        "call.in-progress.error-vapifault-openai-401-unauthorized",
        "call.in-progress.error-providerfault-outbound-sip-503-service-unavailable",
        "call.in-progress.error-providerfault-transport-never-connected",
        "phone-call-provider-closed-websocket",
        "worker-shutdown",
        "assistant-join-timed-out",
    ],
    EndClass.NOT_OUTBOUND: [
        "customer-did-not-give-microphone-permission",
        "call.ringing.sip-inbound-caller-hungup-before-call-connect",
        "call.ending.hook-executed-say",
    ],
    EndClass.ASSISTANT_CONFIG: [
        "call.in-progress.error-configfault-model-unsupported-in-squad",
        "pipeline-error-openai-401-incorrect-api-key",
        "pipeline-error-anthropic-429-exceeded-quota",
        "pipeline-error-eleven-labs-voice-not-found",
        "pipeline-error-eleven-labs-blocked-free-plan-and-requested-upgrade",
        "pipeline-error-playht-out-of-credits",
        "pipeline-error-deepgram-transcriber-api-key-missing",
        "call.in-progress.error-pipeline-no-available-llm-model",
        "pipeline-no-available-llm-model",
    ],
    EndClass.PROVIDER_FAULT: [
        "call.in-progress.error-providerfault-openai-500-server-error",
        "call.in-progress.error-pipeline-ws-model-connection-failed",
        "pipeline-error-custom-llm-llm-failed",
        "pipeline-error-deepgram-returning-502-network-error",
    ],
    EndClass.UNKNOWN: ["a-word-of-next-year", "", "   ", "\x00", "*", "call."],
}
CASES = [(word, end_class) for end_class, words in WORDS.items() for word in words]


@pytest.mark.parametrize(("word", "end_class"), CASES)
def test_a_word_for_the_end_is_classified_by_the_first_pattern_that_fits(word: str, end_class: EndClass) -> None:
    assert classify_end(word) is end_class


def test_every_class_has_a_word_in_this_list() -> None:
    assert set(WORDS) == set(EndClass)


def test_no_reason_at_all_is_unknown() -> None:
    assert classify_end(None) is EndClass.UNKNOWN


@given(st.text())
def test_any_text_is_classified_and_ranked_without_an_error(word: str) -> None:
    assert classify_end(word) in EndClass
    assert reason_rank(word) >= reason_rank(None)


def test_a_carrier_that_says_completed_is_outranked_by_a_report_of_what_the_customer_did() -> None:
    generic = reason_rank("call.in-progress.twilio-completed-call")
    for specific in (
        "customer-did-not-answer",
        "voicemail",
        "customer-busy",
        "customer-ended-call",
        "silence-timed-out",
    ):
        assert reason_rank(specific) > generic


def test_a_word_that_proves_a_dial_outranks_every_word_for_not_dialled() -> None:
    not_dialled = (
        EndClass.COOLDOWN,
        EndClass.NUMBER_LIMIT,
        EndClass.NUMBER_MISMATCH,
        EndClass.PLATFORM_START,
        EndClass.ACCOUNT,
        EndClass.CONFIG,
        EndClass.UNKNOWN,
    )
    proofs = [words[0] for end_class, words in WORDS.items() if end_class not in not_dialled]
    refusals = [words[0] for end_class, words in WORDS.items() if end_class in not_dialled]
    assert all(reason_rank(proof) > reason_rank(refusal) for proof in proofs for refusal in refusals)


def test_an_unknown_word_is_less_telling_than_any_known_one_and_more_than_none() -> None:
    unknown = reason_rank("a-word-of-next-year")
    assert all(reason_rank(word) > unknown for word, end_class in CASES if end_class is not EndClass.UNKNOWN)
    assert unknown > reason_rank(None) == reason_rank("")


def test_the_kept_reason_does_not_depend_on_the_order_of_arrival() -> None:
    words = ["customer-did-not-answer", "customer_did_not_answer", "vonage-completed", "odd", "odder"]
    kept = {max(order, key=reason_rank) for order in itertools.permutations(words)}
    assert kept == {"customer_did_not_answer"}


@given(st.sampled_from(CASES), st.sampled_from(CASES))
def test_two_different_words_never_rank_the_same(first: tuple[str, EndClass], second: tuple[str, EndClass]) -> None:
    if first[0] and second[0]:
        assert (reason_rank(first[0]) == reason_rank(second[0])) == (first[0] == second[0])
