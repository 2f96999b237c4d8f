from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from autolynx.domain.call import CallStatus, Outcome
from autolynx.provider.port import Accepted, Refused, Scope, Unknown
from autolynx.provider.wire_answers import read_dial_answer
from autolynx.provider.wire_errors import Answer, read_retry_after, readable

NOW = datetime(2026, 3, 2, 21, 15, tzinfo=UTC)
PHONE = "+14155550123"
E164_TEXT = (
    "customer.number must be a valid phone number in the E.164 format. "
    "Hot tip, you may be missing the country code (Eg. US: +1)."
)
DAILY_TEXT = (
    "Couldn't Start Call. Numbers Bought On Vapi Have A Daily Outbound Call Limit. "
    "Import Your Own Twilio Numbers To Scale Without Limits."
)


def answer(status: int, message: Any = None, **others: Any) -> Answer:
    retry_after = others.pop("retry_after", None)
    body = {"message": message, "statusCode": status, **others}
    return Answer(status=status, body=body, is_json=True, retry_after=retry_after)


def refused(given: Answer) -> Refused:
    read = read_dial_answer(given, now=NOW, private=(PHONE, "Ada Lovelace"))
    assert isinstance(read, Refused)
    return read


@pytest.mark.parametrize(
    "given",
    [
        answer(400, "Over Concurrency Limit", error="Bad Request"),
        answer(404, "Over Concurrency Limit"),
        answer(400, ["Over Concurrency Limit. Please wait."], error="Bad Request"),
        Answer(status=400, body={"error": "Over Concurrency Limit"}, is_json=True),
        answer(400, None, error="Over concurrency limit"),
        answer(429, "Concurrency limit reached"),
        answer(403, "Over Concurrency Limit"),
    ],
)
def test_no_free_line_is_recognised_wherever_the_words_stand(given: Answer) -> None:
    assert refused(given).scope is Scope.CONCURRENCY


@pytest.mark.parametrize(
    ("given", "scope"),
    [
        (answer(401, "Invalid Key. Hot tip, ...", error="Unauthorized"), Scope.ACCOUNT),
        (answer(401, "concurrency"), Scope.ACCOUNT),
        (answer(403, "Forbidden resource", error="Forbidden"), Scope.ACCOUNT),
        (Answer(status=403, body=None, is_json=False), Scope.ACCOUNT),
        (answer(402, "Payment Required"), Scope.ACCOUNT),
        (answer(400, "Your wallet balance is too low."), Scope.ACCOUNT),
        (answer(400, "Insufficient credits to start the call"), Scope.ACCOUNT),
        (answer(400, "Subscription is frozen"), Scope.ACCOUNT),
        (answer(400, "Fraud check failed"), Scope.ACCOUNT),
        (answer(429, "Rate limit exceeded"), Scope.RATE),
        (answer(400, "Too Many Requests"), Scope.RATE),
        (answer(400, DAILY_TEXT), Scope.NUMBER),
        (answer(429, DAILY_TEXT), Scope.NUMBER),
        (answer(400, "Phone number is blocked"), Scope.NUMBER),
        (answer(400, "The phone number is still activating."), Scope.NUMBER),
        (answer(400, "assistantId must be a UUID"), Scope.CAMPAIGN),
        (answer(404, "Assistant not found"), Scope.CAMPAIGN),
        (answer(400, ["phoneNumberId must be a UUID"]), Scope.CAMPAIGN),
        (answer(400, "Couldn't find the phone number"), Scope.CAMPAIGN),
        (answer(400, ["assistantOverrides.variableValues must be an object"]), Scope.CAMPAIGN),
        (answer(400, ["assistantOverrides.server.url must be a URL address"]), Scope.CAMPAIGN),
        (answer(400, ["property externalId should not exist"]), Scope.CAMPAIGN),
        (answer(400, ["customer.property externalId should not exist"]), Scope.CAMPAIGN),
        (answer(400, ["customer.externalId must be shorter than or equal to 40 characters"]), Scope.CAMPAIGN),
        (answer(400, "Number is unverified. Trial accounts may only call verified numbers."), Scope.CAMPAIGN),
        (answer(400, "Twilio: Authenticate"), Scope.CAMPAIGN),
        (answer(400, "Invalid 'From' Phone Number"), Scope.CAMPAIGN),
        (answer(400, "Bad Request", error="Bad Request"), Scope.CAMPAIGN),
        (answer(422, "A sentence of next year"), Scope.CAMPAIGN),
        (answer(418, None), Scope.CAMPAIGN),
        (answer(404, "Cannot POST /call", error="Not Found"), Scope.ACCOUNT),
        (Answer(status=404, body=None, is_json=False), Scope.ACCOUNT),
        (Answer(status=301, body=None, is_json=False), Scope.ACCOUNT),
        (Answer(status=308, body={}, is_json=True), Scope.ACCOUNT),
    ],
)
def test_a_refusal_that_may_concern_every_contact_is_charged_to_none(given: Answer, scope: Scope) -> None:
    assert refused(given).scope is scope


@pytest.mark.parametrize(
    ("message", "outcome"),
    [
        (E164_TEXT, Outcome.BAD_NUMBER),
        ([E164_TEXT], Outcome.BAD_NUMBER),
        (["customer.number must be longer than or equal to 3 characters"], Outcome.BAD_NUMBER),
        (f"Invalid 'To' Phone Number: {PHONE}", Outcome.BAD_NUMBER),
        (f"The phone number you are attempting to call, {PHONE}, is not valid.", Outcome.BAD_NUMBER),
        ("Phone number does not appear to be valid", Outcome.BAD_NUMBER),
        (["customer.name must be shorter than or equal to 40 characters"], Outcome.REFUSED),
        (["customer.extension must be shorter than or equal to 10 characters"], Outcome.REFUSED),
        ("Free numbers do not support international calls. Import a number from Twilio.", Outcome.REFUSED),
        (
            f"Account not authorized to call {PHONE}. Perhaps you need international permissions",
            Outcome.REFUSED,
        ),
    ],
)
def test_a_refusal_of_this_person_alone_ends_this_call(message: Any, outcome: Outcome) -> None:
    read = refused(answer(400, message, error="Bad Request"))
    assert read.scope is Scope.CONTACT
    assert read.outcome is outcome


def test_of_several_problems_the_widest_decides() -> None:
    both = [E164_TEXT, "assistantId must be a UUID"]
    assert refused(answer(400, both)).scope is Scope.CAMPAIGN
    assert refused(answer(400, [*both, "Insufficient credits"])).scope is Scope.ACCOUNT


def test_a_number_that_has_used_up_its_day_comes_back_at_midnight_utc() -> None:
    assert refused(answer(400, DAILY_TEXT)).retry_at == datetime(2026, 3, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        *(("30", 30), ("0", 0), ("1.5", 1.5), ("999999999", 86_400), ("inf", 86_400)),
        *(("Mon, 02 Mar 2026 21:16:00 GMT", 60), ("Mon, 02 Mar 2026 20:00:00 GMT", 0)),
        *((None, None), ("", None), ("-5", None), ("nan", None), ("soon", None), ("Mon, 99 Foo 2026", None)),
    ],
)
def test_when_to_come_back_is_read_from_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    expected = None if seconds is None else NOW + timedelta(seconds=seconds)
    assert read_retry_after(header, now=NOW) == expected
    assert refused(answer(429, "Rate limit exceeded", retry_after=header)).retry_at == expected


@pytest.mark.parametrize("status", [500, 502, 503, 520, 522, 524, 529, 408, 499, 303])
@pytest.mark.parametrize("body", [None, {"message": E164_TEXT}, {"message": "Over Concurrency Limit"}])
def test_a_failure_of_the_provider_leaves_open_what_became_of_the_call(status: int, body: Any) -> None:
    read = read_dial_answer(Answer(status=status, body=body, is_json=body is not None), now=NOW)
    assert isinstance(read, Unknown)


@pytest.mark.parametrize("body", [None, {}, [], "ok", {"id": ""}, {"id": 5}, {"results": [{}]}, {"results": []}])
def test_a_success_without_an_id_leaves_it_open_too(body: Any) -> None:
    read = read_dial_answer(Answer(status=201, body=body, is_json=body is not None), now=NOW)
    assert isinstance(read, Unknown)


@pytest.mark.parametrize(
    ("left", "hint"), [(9, 9), (0, 0), (2.0, 2), (-1, None), (None, None), ("many", None), (True, None)]
)
def test_an_accepted_call_gives_its_id_status_and_a_hint(left: Any, hint: int | None) -> None:
    body = {"id": "c1", "status": "queued", "subscriptionLimits": {"remainingConcurrentCalls": left}}
    read = read_dial_answer(Answer(status=201, body=body, is_json=True), now=NOW)
    assert isinstance(read, Accepted)
    assert (read.news.provider_call_id, read.news.status) == ("c1", CallStatus.QUEUED)
    assert read.remaining_lines == hint
    assert not read.news.is_blocked


def test_a_call_accepted_above_the_limit_is_blocked_but_accepted() -> None:
    body = {"id": "c1", "status": "queued", "subscriptionLimits": {"concurrencyBlocked": True}}
    read = read_dial_answer(Answer(status=201, body=body, is_json=True), now=NOW)
    assert isinstance(read, Accepted)
    assert read.news.is_blocked


def test_a_scheduled_call_and_one_that_ended_at_once_are_accepted_calls() -> None:
    for status, is_over in (("scheduled", False), ("ended", True)):
        read = read_dial_answer(Answer(status=201, body={"id": "c", "status": status}, is_json=True), now=NOW)
        assert isinstance(read, Accepted)
        assert read.news.is_over is is_over


def test_a_batch_answer_is_read_like_its_only_call() -> None:
    accepted = Answer(status=201, body={"results": [{"id": "c1", "status": "queued"}], "errors": []}, is_json=True)
    assert isinstance(read_dial_answer(accepted, now=NOW), Accepted)
    failed = {"results": [], "errors": [{"customer": {}, "error": E164_TEXT}]}
    read = read_dial_answer(Answer(status=201, body=failed, is_json=True), now=NOW)
    assert isinstance(read, Refused)
    assert (read.scope, read.outcome) == (Scope.CONTACT, Outcome.BAD_NUMBER)


def test_the_reason_says_what_happened_without_telling_whose_number_or_secret_it_was() -> None:
    said = f"Invalid 'To' Phone Number {PHONE} of ADA LOVELACE (415) 555-0199"
    text = f"{said}, key {'k3y' * 12}, ada@example.test"
    reason = refused(answer(400, text)).reason
    assert "Invalid 'To' Phone Number" in reason
    for private in ("555", "lovelace", "k3y", "@example"):
        assert private not in reason.lower()


def test_ids_stay_readable_and_long_texts_are_cut() -> None:
    assistant_id = "019b0c1e-0000-7000-8000-00000000a551"
    assert assistant_id in readable([f"Assistant {assistant_id} not found"])
    assert len(readable(["word " * 500])) == 300
