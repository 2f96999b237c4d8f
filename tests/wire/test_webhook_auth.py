import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from autolynx.errors import ConfigurationError
from autolynx.provider.webhook_auth import Hmac, Scheme, WebhookAuth, github_like, svix_like, verify

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
SECONDS = str(int(NOW.timestamp()))
BODY = b'{"message":{"type":"hang"}}'
PLAIN = WebhookAuth(secrets=("old-secret", "new-secret"))


def signed(payload: bytes, key: bytes = b"signing-key", algorithm: str = "sha256") -> hmac.HMAC:
    return hmac.new(key, payload, algorithm)


def of_hmac(**settings: Any) -> WebhookAuth:
    return WebhookAuth(schemes=(Scheme.HMAC,), hmac=Hmac(**{"secrets": ("signing-key",), **settings}))


def passes(headers: Mapping[str, str], config: WebhookAuth, body: bytes = BODY) -> bool:
    return verify(headers, body, config=config, now=NOW, url="https://app.example.test/hook")


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Vapi-Secret": "old-secret"},
        {"x-vapi-secret": "new-secret"},
        {"Authorization": "Bearer new-secret"},
        {"authorization": "bearer old-secret"},
        {"X-Vapi-Secret": "wrong", "Authorization": "Bearer new-secret"},
    ],
)
def test_either_secret_passes_in_either_header(headers: Mapping[str, str]) -> None:
    assert passes(headers, PLAIN)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Vapi-Secret": ""},
        {"X-Vapi-Secret": "old"},
        {"X-Vapi-Secret": "OLD-SECRET"},
        {"X-Vapi-Secret": "Bearer old-secret"},
        {"X-Vapi-Secret": "gehe\u00efm\udc80"},
        {"Authorization": "old-secret"},
        {"Authorization": "Basic old-secret"},
        {"Authorization": "Bearer "},
        {"X-Secret": "old-secret"},
    ],
)
def test_anything_else_does_not(headers: Mapping[str, str]) -> None:
    assert not passes(headers, PLAIN)


def test_a_scheme_that_is_off_is_not_accepted() -> None:
    only_bearer = WebhookAuth(schemes=(Scheme.BEARER,), secrets=("s3cret",))
    assert not passes({"X-Vapi-Secret": "s3cret"}, only_bearer)
    assert passes({"Authorization": "Bearer s3cret"}, only_bearer)
    assert not passes({"X-Signature": signed(BODY).hexdigest()}, PLAIN)


@pytest.mark.parametrize(
    "config",
    [
        WebhookAuth(),
        WebhookAuth(secrets=("",)),
        WebhookAuth(schemes=(), secrets=("s",), hmac=Hmac(secrets=("s",))),
        WebhookAuth(schemes=(Scheme.HMAC,), secrets=("s",)),
        of_hmac(secrets=("",)),
        of_hmac(secrets=("not base64!",), is_secret_base64=True),
    ],
)
def test_nothing_passes_where_nothing_is_configured(config: WebhookAuth) -> None:
    empty_key = signed(BODY, b"").hexdigest()
    for headers in ({}, {"X-Vapi-Secret": ""}, {"Authorization": "Bearer "}, {"X-Signature": empty_key}):
        assert not passes(headers, config)


def test_it_is_told_whether_anything_is_configured() -> None:
    assert PLAIN.is_configured
    assert of_hmac().is_configured
    assert not WebhookAuth(secrets=("",)).is_configured
    assert not WebhookAuth(schemes=(Scheme.HMAC,), secrets=("s",)).is_configured


@pytest.mark.parametrize("header", ["X-Signature", "x-vapi-signature", "X-Hub-Signature-256"])
@pytest.mark.parametrize("prefix", ["", "sha256="])
def test_a_signature_over_the_body_passes_in_hex_and_base64(header: str, prefix: str) -> None:
    code = signed(BODY)
    for text in (code.hexdigest(), code.hexdigest().upper(), base64.b64encode(code.digest()).decode()):
        assert passes({header: prefix + text}, of_hmac())
        assert not passes({header: prefix + text}, of_hmac(), body=BODY + b" ")


@pytest.mark.parametrize("timestamp", [SECONDS, SECONDS + "123"])
def test_a_signature_with_a_timestamp_in_seconds_or_milliseconds_passes(timestamp: str) -> None:
    code = signed(timestamp.encode() + b"." + BODY).hexdigest()
    assert passes({"X-Signature": code, "X-Timestamp": timestamp}, of_hmac())
    assert not passes({"X-Signature": code}, of_hmac())
    assert not passes({"X-Signature": code, "X-Timestamp": str(int(timestamp) + 1)}, of_hmac())


@pytest.mark.parametrize(
    ("age", "is_good"), [(0, True), (299, True), (301, False), (-299, True), (-301, False), (86_400, False)]
)
def test_a_timestamp_is_good_for_five_minutes_each_way(age: int, is_good: bool) -> None:
    timestamp = str(int((NOW - timedelta(seconds=age)).timestamp()))
    code = signed(timestamp.encode() + b"." + BODY).hexdigest()
    assert passes({"X-Signature": code, "X-Timestamp": timestamp}, of_hmac()) is is_good


@pytest.mark.parametrize("timestamp", ["", "now", "-5", "1e9", "9" * 12, "9" * 40, "\u0661" * 10])
def test_a_timestamp_that_is_none_never_passes(timestamp: str) -> None:
    for payload in (timestamp.encode() + b"." + BODY, BODY):
        assert not passes({"X-Signature": signed(payload).hexdigest(), "X-Timestamp": timestamp}, of_hmac())


def test_a_required_timestamp_may_not_be_missing() -> None:
    assert not passes({"X-Signature": signed(BODY).hexdigest()}, of_hmac(is_timestamp_required=True))


@pytest.mark.parametrize("algorithm", ["sha1", "sha512"])
def test_other_algorithms_pass_only_when_set(algorithm: str) -> None:
    headers = {"X-Signature": f"{algorithm}={signed(BODY, algorithm=algorithm).hexdigest()}"}
    assert passes(headers, of_hmac(algorithm=algorithm))
    assert not passes(headers, of_hmac())


def test_an_unknown_algorithm_is_refused_when_it_is_set() -> None:
    with pytest.raises(ConfigurationError, match="sha256"):
        Hmac(algorithm="md5")


def test_every_secret_of_a_rotation_signs() -> None:
    config = of_hmac(secrets=("first", "second"))
    for key in (b"first", b"second"):
        assert passes({"X-Signature": signed(BODY, key).hexdigest()}, config)
    assert not passes({"X-Signature": signed(BODY, b"third").hexdigest()}, config)


@pytest.mark.parametrize("text", ["", "sha256=", "zz", "=", ",", "v1,", "\u00e9", "sha256=\udc80", "0" * 64])
def test_a_malformed_signature_does_not_pass_and_breaks_nothing(text: str) -> None:
    assert not passes({"X-Signature": text}, of_hmac())


def test_signatures_in_the_manner_of_github_pass() -> None:
    config = WebhookAuth(schemes=(Scheme.HMAC,), hmac=github_like(("signing-key",)))
    code = signed(BODY).hexdigest()
    assert passes({"X-Hub-Signature-256": f"sha256={code}"}, config)
    assert not passes({"X-Signature": code}, config)


def test_signatures_in_the_manner_of_svix_pass_with_id_and_timestamp_only() -> None:
    key = hashlib.sha256(b"k").digest()
    config = WebhookAuth(schemes=(Scheme.HMAC,), hmac=svix_like((f"whsec_{base64.b64encode(key).decode()}",)))
    code = base64.b64encode(signed(b"msg_1." + SECONDS.encode() + b"." + BODY, key).digest()).decode()
    headers = {
        "Webhook-Id": "msg_1",
        "Webhook-Timestamp": SECONDS,
        "Webhook-Signature": f"v1,{'A' * 43}= v1,{code}",
    }
    assert passes(headers, config)
    for name in headers:
        assert not passes({key: value for key, value in headers.items() if key != name}, config)
    assert not passes({**headers, "Webhook-Id": "msg_2"}, config)


def test_method_and_address_can_be_part_of_what_is_signed() -> None:
    config = of_hmac(payload_formats=("{method} {url} {body}",))
    code = signed(b"POST https://app.example.test/hook " + BODY).hexdigest()
    assert passes({"X-Signature": code}, config)
    assert not verify({"X-Signature": code}, BODY, config=config, now=NOW, url="https://other.example.test/")


def test_secrets_do_not_show_when_settings_are_printed() -> None:
    assert "old-secret" not in repr(PLAIN)
    assert "signing-key" not in repr(of_hmac())
