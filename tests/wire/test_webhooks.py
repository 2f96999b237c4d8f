import json
from copy import deepcopy
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autolynx.domain.call import CallNews, CallStatus, Facts, NewsKind, Source
from autolynx.provider.wire_webhooks import read_webhook
from tests.support.vapi_bodies import (
    CALL_ID,
    CONTROL_URL,
    OTHER_ID,
    OUR_ID,
    RECORDING,
    TALK,
    artifact,
    call,
    report,
    status_update,
)

Json = Any
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
JSON: st.SearchStrategy[Json] = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


def news_of(body: Json) -> CallNews:
    news = read_webhook(body).news
    assert news is not None
    return news


def facts_of(body: Json) -> Facts:
    return news_of(body).facts


def transcript_of(body: Json) -> Json:
    transcript = facts_of(body).transcript
    assert transcript is not None
    return transcript


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("scheduled", CallStatus.QUEUED),
        ("queued", CallStatus.QUEUED),
        ("ringing", CallStatus.RINGING),
        ("in-progress", CallStatus.IN_PROGRESS),
        ("in_progress", CallStatus.IN_PROGRESS),
        ("forwarding", CallStatus.IN_PROGRESS),
    ],
)
def test_a_live_status_update_gives_our_status(word: str, status: CallStatus) -> None:
    read = read_webhook(status_update(word))
    assert (read.provider_call_id, read.type, read.status) == (CALL_ID, "status-update", word)
    assert read.news is not None
    assert (read.news.kind, read.news.source) == (NewsKind.PROVIDER, Source.WEBHOOK)
    assert read.news.status is status
    assert not read.news.is_over
    assert read.news.facts.control_url == CONTROL_URL


def test_the_status_inside_the_call_is_a_stale_snapshot_and_counts_for_nothing() -> None:
    stale = call(status="in-progress")
    assert news_of(status_update("ended", call=stale, endedReason="customer-busy")).status is None
    assert news_of(report(call=stale)).is_over
    assert read_webhook(status_update(None, call=call(status="ended"))).news is None


def test_an_ended_status_update_is_the_end_and_gives_its_reason() -> None:
    news = news_of(status_update("ended", endedReason="customer-did-not-answer"))
    assert news.is_over
    assert news.status is None
    assert news.facts.ended_reason == "customer-did-not-answer"


@pytest.mark.parametrize("status", [None, "", "completed", "failed", "canceled", 7, True, ["ended"], {}])
def test_a_status_that_does_not_exist_says_nothing(status: Json) -> None:
    assert read_webhook(status_update(status)).news is None


@pytest.mark.parametrize(
    "kind",
    [
        *("hang", "speech-update", "conversation-update", "transcript", "tool-calls", "assistant-request"),
        *("model-output", "user-interrupted", "call.deleted", "a-type-of-next-year", "", None, 3),
    ],
)
def test_every_other_type_says_nothing_about_the_call_but_is_recognised(kind: Json) -> None:
    read = read_webhook({"message": {"type": kind, "status": "ended", "call": call(status="ended")}})
    assert read.news is None
    assert read.provider_call_id == CALL_ID
    assert read.our_call_id == OUR_ID
    assert read.type == (kind if isinstance(kind, str) else "")


def test_a_report_gives_every_fact() -> None:
    news = news_of(report())
    assert news.is_over
    assert news.facts == Facts(
        started_at=datetime(2026, 3, 2, 10, 0, 5, 250_000, UTC),
        ended_at=datetime(2026, 3, 2, 10, 1, 5, 250_000, UTC),
        ended_reason="customer-ended-call",
        cost_usd=Decimal("0.0712"),
        cost_breakdown={"transport": 0.0412, "model": 0.03},
        recording_url=RECORDING,
        transcript=news.facts.transcript,
        transcript_rank=news.facts.transcript_rank,
        summary="Ada took Tuesday.",
        success_raw="true",
        control_url=CONTROL_URL,
    )
    assert transcript_of(report())["text"] == TALK


def test_a_transcript_keeps_who_said_what_and_neither_prompts_nor_results_of_tools() -> None:
    assert transcript_of(report())["messages"] == [
        {"role": "assistant", "message": "Hello, is this Ada?", "secondsFromStart": 1.25},
        {"role": "user", "message": "Speaking.", "secondsFromStart": 3.5},
        {"role": "tool", "message": "calendar"},
        {"role": "tool", "message": "calendar"},
        {"role": "assistant", "message": "Shall we book Tuesday?", "secondsFromStart": 5},
        {"role": "user", "message": "Yes please.", "secondsFromStart": 8},
    ]


def unwrapped() -> Json:
    return report()["message"]


def beside() -> Json:
    body = report()
    return {**body, "call": body["message"].pop("call")}


def hybrid() -> Json:
    """The wrapper holds the type only; everything else lies beside it."""
    return {**report()["message"], "message": {"type": "end-of-call-report", "timestamp": 1772445725000}}


def nested_in_call() -> Json:
    """Everything lies inside the call."""
    message = report()["message"]
    inner = {key: message.pop(key) for key in ("analysis", "artifact", "cost", "costs", "startedAt", "endedAt")}
    ended = {"endedReason": message.pop("endedReason"), "status": "ended"}
    return {"message": {"type": message["type"], "call": call(**{**inner, **ended})}}


def of_2024() -> Json:
    """Transcript, recording and summary directly in the message, an empty artifact beside them."""
    message = report()["message"]
    old = message.pop("artifact")
    message |= {"transcript": old["transcript"], "messages": old["messages"], "recordingUrl": RECORDING}
    message |= {"summary": message["analysis"].pop("summary"), "artifact": {}}
    return {"message": {**message, "timestamp": "2026-03-02T10:02:05.000Z"}}


@pytest.mark.parametrize("shape", [unwrapped, beside, hybrid, nested_in_call, of_2024])
def test_every_shape_of_a_report_reads_the_same(shape: Any) -> None:
    assert read_webhook(shape()) == read_webhook(report())


def test_a_flat_status_update_reads_like_a_wrapped_one() -> None:
    assert read_webhook(status_update("ringing")["message"]) == read_webhook(status_update("ringing"))


@pytest.mark.parametrize("kind", ["call.ended", "call-ended", "end_of_call_report", "endOfCallReport"])
def test_other_words_for_the_report_are_the_end_too(kind: str) -> None:
    assert news_of({"type": kind, "call": {"id": CALL_ID}}).is_over


def test_an_empty_report_of_an_unanswered_call_has_hardly_a_fact() -> None:
    bare = report(
        endedReason="call.in-progress.twilio-completed-call",
        startedAt=None,
        endedAt=None,
        cost=0,
        costBreakdown=None,
        costs=[],
        analysis={},
        artifact={},
    )
    assert facts_of(bare) == Facts(
        ended_reason="call.in-progress.twilio-completed-call", cost_usd=Decimal(0), control_url=CONTROL_URL
    )


def test_empty_strings_are_missing_values_and_hide_nothing() -> None:
    body = report(
        endedReason="",
        artifact={"transcript": "", "recordingUrl": " ", "messages": []},
        transcript=TALK,
        recordingUrl=RECORDING,
        analysis={"summary": "", "successEvaluation": ""},
        call=call(endedReason="voicemail", analysis={"summary": "Left a message.", "successEvaluation": "Poor"}),
    )
    facts = facts_of(body)
    assert (facts.ended_reason, facts.summary, facts.success_raw) == ("voicemail", "Left a message.", "Poor")
    assert (transcript_of(body)["text"], facts.recording_url) == (TALK, RECORDING)


@pytest.mark.parametrize(
    ("raw", "word"),
    [
        *((True, "true"), (False, "false"), (7, "7"), (8.5, "8.5"), ("Strongly Agree", "Strongly Agree")),
        *((None, None), ("", None), ([], None), ({}, None), (float("nan"), None), (10**400, None)),
    ],
)
def test_the_judges_word_is_kept_as_text(raw: Json, word: str | None) -> None:
    assert facts_of(report(analysis={"successEvaluation": raw})).success_raw == word


@pytest.mark.parametrize("started", [1772445605250, 1772445605.25, "1772445605250", "2026-03-02T12:00:05.250+02:00"])
def test_times_come_as_epoch_seconds_milliseconds_or_with_an_offset(started: Json) -> None:
    expected = datetime(2026, 3, 2, 10, 0, 5, 250_000, UTC)
    assert facts_of(report(startedAt=started)).started_at == expected


@pytest.mark.parametrize(
    "started",
    [
        *("2026-03-02T10:00:05", "2026-03-02", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00", "soon"),
        *(0, -1, 12, 1e300, float("inf"), True, [], {}, None, ""),
    ],
)
def test_a_time_without_an_offset_or_far_away_is_left_out(started: Json) -> None:
    assert facts_of(report(startedAt=started)).started_at is None


@pytest.mark.parametrize(
    ("changes", "cost"),
    [
        ({"cost": "0.25"}, "0.2500"),
        ({"cost": 0.123456}, "0.1235"),
        ({"cost": None}, "0.0712"),
        ({"cost": 0}, "0.0712"),
        ({"cost": -3, "costBreakdown": {"total": 0.5}}, "0.5"),
        ({"cost": None, "costBreakdown": None, "call": call(cost=0.3)}, "0.3"),
        ({"cost": None, "costBreakdown": None, "call": {"id": "x"}}, "0.0712"),
        ({"cost": 1e12, "costBreakdown": None, "costs": None, "call": {}}, None),
        ({"cost": True, "costBreakdown": [], "costs": {}, "call": {}}, None),
    ],
)
def test_the_cost_is_the_first_sensible_amount(changes: Json, cost: str | None) -> None:
    expected = None if cost is None else Decimal(cost)
    assert facts_of(report(**changes)).cost_usd == expected


def test_the_cost_of_zero_in_a_live_calls_snapshot_is_no_fact() -> None:
    assert facts_of(status_update("ringing")).cost_usd is None


def test_a_live_call_has_no_reason_and_no_end_yet() -> None:
    facts = facts_of(status_update("in-progress", endedReason="odd", endedAt="2026-03-02T10:00:00Z"))
    assert (facts.ended_reason, facts.ended_at) == (None, None)


def test_only_the_lasting_address_of_a_recording_is_kept() -> None:
    signed = f"{RECORDING}?X-Amz-Signature=feedc0de"
    for found in ({"presignedMonoUrl": signed}, {"recordingUrl": signed}, {"recording": {"url": RECORDING}}):
        assert facts_of(report(artifact=found)).recording_url == RECORDING
    for wrong in ("javascript:alert(1)", "file:///etc/passwd", "https://", "https://[", 5, None, "x" * 9999):
        assert facts_of(report(artifact={"recordingUrl": wrong})).recording_url is None


@pytest.mark.parametrize(
    "bare",
    [
        {"customer": {"externalId": str(OUR_ID)}},
        {"assistantOverrides": {"metadata": {"callId": str(OUR_ID)}}},
        {"name": str(OUR_ID).upper()},
        {"metadata": {"callId": str(OUR_ID)}},
    ],
)
def test_our_id_is_found_in_each_place_where_it_may_come_back(bare: Json) -> None:
    assert read_webhook({"message": {"type": "status-update", "status": "queued", "call": bare}}).our_call_id == OUR_ID
    assert read_webhook({"message": {"type": "status-update", "status": "queued"}, "call": bare}).our_call_id == OUR_ID


def test_our_id_is_found_beside_the_call_as_well() -> None:
    beside_call = {"type": "status-update", "status": "ringing", "customer": {"externalId": str(OUR_ID)}}
    assert read_webhook({"message": beside_call}).our_call_id == OUR_ID
    assert read_webhook({"message": {"assistant": {"metadata": {"callId": str(OUR_ID)}}}}).our_call_id == OUR_ID


def test_the_metadata_outrank_an_id_that_somebody_else_may_have_set() -> None:
    mixed = call(customer={"externalId": str(OTHER_ID)}, name="Spring list")
    assert read_webhook(status_update("queued", call=mixed)).our_call_id == OUR_ID


def test_names_that_are_no_ids_are_not_taken_for_ours() -> None:
    foreign = {"id": CALL_ID, "name": "Demo", "customer": {"externalId": "crm-17"}, "assistantOverrides": []}
    assert read_webhook(status_update("queued", call=foreign)).our_call_id is None


@pytest.mark.parametrize("body", [None, [], {}, "", 0, "status-update", [{"message": {}}], {"message": "hi"}])
def test_a_body_without_a_message_is_read_as_saying_nothing(body: Json) -> None:
    read = read_webhook(body)
    assert (read.provider_call_id, read.type, read.status) == ("", "", "")
    assert (read.our_call_id, read.news) == (None, None)


def test_an_end_without_a_call_is_still_read() -> None:
    read = read_webhook({"message": {"type": "status-update", "status": "ended", "call": {}}})
    assert read.provider_call_id == ""
    assert read.news is not None
    assert read.news.is_over
    assert read.news.provider_call_id is None


def test_what_postgresql_cannot_store_is_taken_out_of_texts() -> None:
    odd = report(analysis={"summary": "a\x00b\ud800c"}, endedReason="custom\x00er-busy", call={"id": "i\x00d"})
    read = read_webhook(odd)
    assert read.provider_call_id == "id"
    assert read.news is not None
    assert read.news.facts.summary == "ab\ufffdc"
    assert read.news.facts.ended_reason == "customer-busy"


def test_a_transcript_is_made_from_messages_where_no_text_came_and_the_other_way_round() -> None:
    only_messages = transcript_of(report(artifact={"messages": artifact()["messages"]}))
    assert only_messages["text"] == TALK
    only_text = transcript_of(report(artifact={"transcript": "Assistant: Hi.\nCustomer: Who is\nthis?\n"}))
    assert only_text["messages"] == [
        {"role": "assistant", "message": "Hi."},
        {"role": "user", "message": "Who is\nthis?"},
    ]


@pytest.mark.parametrize(
    "silent",
    [
        {"messages": [{"role": "system", "message": "Prompt"}]},
        {"messages": [{"role": "tool_calls", "name": "calendar"}]},
        {"transcript": "  "},
        {"messages": "?"},
        [],
    ],
)
def test_prompts_and_blanks_are_no_transcript(silent: Json) -> None:
    facts = facts_of(report(artifact=silent))
    assert (facts.transcript, facts.transcript_rank) == (None, "")


def test_the_longer_transcript_ranks_higher_and_equal_ones_the_same() -> None:
    long, again = facts_of(report()), facts_of(of_2024())
    short = facts_of(report(artifact={"transcript": "AI: Hello."}))
    assert long.transcript_rank == again.transcript_rank > short.transcript_rank > ""


@given(JSON)
def test_any_json_is_read_without_an_error(body: Json) -> None:
    read_webhook(body)
    read_webhook({"message": body})
    read_webhook({"message": {"type": "end-of-call-report", "call": body, "artifact": body, "analysis": body}})


def paths(value: Json, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [here, *(path for key, item in inner for path in paths(item, (*here, key)))]


def replaced(value: Json, path: tuple[Any, ...], new: Json) -> Json:
    if not path:
        return new
    copy = deepcopy(value)
    place = copy
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = new
    return copy


FULL = report(transcript=TALK, call=call(artifact=artifact(), analysis={"summary": "s"}, costs=[{"cost": 1}]))
PATHS = paths(FULL)


@given(st.sampled_from(PATHS), JSON)
def test_a_report_with_anything_in_any_place_is_read_without_an_error(path: tuple[Any, ...], new: Json) -> None:
    read = read_webhook(replaced(FULL, path, new))
    if read.news is not None:
        json.dumps(read.news.facts.transcript, allow_nan=False).encode()
        assert "\x00" not in (read.news.facts.summary or "")
        assert read.news.facts.cost_usd is None or read.news.facts.cost_usd >= 0


def test_a_bill_is_read_from_sums_as_well_as_from_items_and_keeps_nothing_but_amounts() -> None:
    sums = {
        "stt": 0.0168,
        "llm": 0.0666,
        "tts": 0.0648,
        "vapi": 0.0814,
        "chat": 0,
        "total": 0.2308,
        "llmPromptTokens": 25320,
        "voicemailDetectionCost": 0.0003,
        "knowledgeBaseCost": 0,
        "note": "+14155550123",
        "analysisCostBreakdown": {"summary": 0.0002, "summaryPromptTokens": 760, "successEvaluation": 0.0004},
    }
    told = {"transcriber": 0.0168, "model": 0.0666, "voice": 0.0648, "platform": 0.0814, "voicemail": 0.0003}
    assert facts_of(report(costBreakdown=sums, costs=[])).cost_breakdown == {**told, "analysis": 0.0006}
    items = [
        *({"type": "model", "cost": 0.01}, {"type": "model", "cost": "0.005"}, {"type": "vapi", "cost": 0.05}),
        *({"type": "of-next-year", "cost": 0.001}, {"type": 3, "cost": -1}, {"cost": "dear"}, "nonsense"),
    ]
    assert facts_of(report(costBreakdown=None, costs=items)).cost_breakdown == {
        "model": 0.015,
        "platform": 0.05,
        "other": 0.001,
    }


@pytest.mark.parametrize("odd", [None, 3, "x", [], {}, {"llm": "dear"}, {"llm": float("nan")}, {"llm": 10**400}])
def test_an_odd_bill_is_no_bill(odd: Json) -> None:
    assert facts_of(report(costBreakdown=odd, costs=odd)).cost_breakdown is None
