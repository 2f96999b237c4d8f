import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autolynx.provider.scrub import DEEPEST, REMOVED, scrub
from autolynx.provider.wire_webhooks import read_webhook
from tests.support.vapi_bodies import CALL_ID, OUR_ID, SECRET, TALK, report

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def test_a_report_keeps_what_it_tells_and_loses_what_is_secret() -> None:
    body = scrub(report())
    text = json.dumps(body)
    for secret in (SECRET, "tw-token", "feedc0de", "/control", "/listen", 'AC0"}, "assistant'):
        assert secret not in text
    message = body["message"]
    assert message["artifact"]["transcript"] == TALK
    assert message["call"]["id"] == CALL_ID
    assert message["call"]["assistantOverrides"]["metadata"]["callId"] == str(OUR_ID)
    assert message["phoneNumber"] == {"id": "n", "twilioAccountSid": REMOVED, "twilioAuthToken": REMOVED}


def test_a_scrubbed_body_is_still_read_the_same_but_for_the_control_address() -> None:
    before, after = read_webhook(report()), read_webhook(scrub(report()))
    assert before.news is not None
    assert after.news is not None
    assert after.news.facts.control_url is None
    assert after.news.facts.transcript_rank == before.news.facts.transcript_rank
    assert after.news.facts.recording_url == before.news.facts.recording_url
    assert (after.provider_call_id, after.our_call_id) == (before.provider_call_id, before.our_call_id)


@pytest.mark.parametrize(
    "key",
    [
        *(
            "secret",
            "serverUrlSecret",
            "clientSecret",
            "client_secret",
            "secrets",
            "token",
            "accessToken",
            "authToken",
        ),
        *(
            "apiKey",
            "api_key",
            "x-api-key",
            "X-Vapi-Secret",
            "password",
            "authPassword",
            "Authorization",
            "cookie",
        ),
        *(
            "controlUrl",
            "listenUrl",
            "presignedMonoUrl",
            "presignedLogUrl",
            "twilioAuthToken",
            "twilioApiKey",
        ),
        *("twilioApiSecret", "twilioAccountSid", "headers", "credentials", "privateKey"),
    ],
)
@pytest.mark.parametrize("value", ["s3cr3t", {"a": "s3cr3t"}, ["s3cr3t"], 5])
def test_whatever_stands_under_a_secret_key_is_removed_at_any_depth(key: str, value: Any) -> None:
    assert scrub({"a": [{key: value, "b": 1}]}) == {"a": [{key: REMOVED, "b": 1}]}


@pytest.mark.parametrize(
    "key",
    [
        "llmPromptTokens",
        "maxTokens",
        "transcript",
        "presignedUrlsExpiresAt",
        "credentialId",
        "keywords",
        "callSid",
    ],
)
def test_harmless_keys_stay(key: str) -> None:
    assert scrub({key: "value"}) == {key: "value"}


def test_that_nothing_was_sent_stays_visible() -> None:
    assert scrub({"secret": None, "token": "", "headers": {}}) == {"secret": None, "token": "", "headers": {}}


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("https://s.example.test/a.wav?X-Amz-Signature=1&b=2", "https://s.example.test/a.wav"),
        ("see https://s.example.test/a?sig=abc now", "see https://s.example.test/a now"),
        ("https://s.example.test/a?page=2", "https://s.example.test/a?page=2"),
        ("https://user:pass@s.example.test/a", "https://s.example.test/a"),
        ("wss://l.example.test/c1/listen", REMOVED),
        ("https://l.example.test/c1/control", REMOVED),
        ("Bearer abcdefgh12345678", f"Bearer {REMOVED}"),
        ("a\x00b\ud83d", "ab\ufffd"),
    ],
)
def test_texts_lose_signatures_and_addresses_of_live_calls(text: str, kept: str) -> None:
    assert scrub({"note": text}) == {"note": kept}
    assert scrub([text]) == [kept]


def test_our_own_secrets_are_taken_out_wherever_they_are_repeated() -> None:
    body = {"note": "key is k-1-2-3-4", "k-1-2-3-4": ["k-1-2-3-4"]}
    assert scrub(body, secrets=["k-1-2-3-4", ""]) == {"note": f"key is {REMOVED}", REMOVED: [REMOVED]}


def test_what_is_too_deep_is_cut_off() -> None:
    deep: Any = "bottom"
    for _ in range(5000):
        deep = [deep]
    cut = scrub(deep)
    depth = 0
    while isinstance(cut, list):
        cut, depth = cut[0], depth + 1
    assert (cut, depth) == (REMOVED, DEEPEST + 1)


def test_numbers_that_are_no_json_become_null() -> None:
    assert scrub([float("nan"), float("inf"), 1.5, 10**200, 7, True]) == [None, None, 1.5, None, 7, True]


@given(JSON)
def test_any_json_can_be_stored_after_scrubbing_and_scrubbing_again_changes_nothing(body: Any) -> None:
    once = scrub(body)
    stored = json.dumps(once, allow_nan=False, ensure_ascii=False)
    stored.encode()
    assert "\\u0000" not in stored
    assert scrub(once) == once


def test_the_body_given_is_not_changed() -> None:
    body = report()
    scrub(body)
    assert body == report()
