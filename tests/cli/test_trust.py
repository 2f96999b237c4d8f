"""What production refuses, what `doctor` finds, and that nothing of it shows a secret."""

import re
from pathlib import Path
from typing import Any

import pytest

from autolynx.bootstrap import build_provider
from autolynx.cli.trust import look_at_trust
from autolynx.errors import ConfigurationError
from autolynx.runtime import SystemClock
from autolynx.settings import Settings, load_settings
from autolynx.settings_secrets import SECRETS
from autolynx.web.webhook_proof import webhook_auth

GOOD = {
    "VAPI_API_KEY": "b7d9f1e3-5a6c-4f80-92b1-c0d4e8a7f635",
    "WEBHOOK_SHARED_SECRET": "q8ZrT2mVxN5cLw1yKd7u",
    "CRON_SHARED_SECRET": "Jf3hGs9Pq0XbEn6Rt4Mv",
    "PUBLIC_URL": "https://calls.example.com",
}
SIGNED = {"WEBHOOK_SCHEMES": "hmac", "WEBHOOK_HMAC_SECRET": "u2Bq7Wn4Zk9Lr1Xe6Tc3"}


def production(**values: str | None) -> Settings:
    chosen = {"AUTOLYNX_ENV": "production", **GOOD, **values}
    return load_settings({name: value for name, value in chosen.items() if value is not None})


def findings(settings: Settings) -> dict[str, str]:
    """What has to be mended, or is warned of: the subject with sentence and remedy."""
    return {one.subject: f"{one.sentence} {one.mend}" for one in look_at_trust(settings) if one.mend}


def test_production_starts_with_good_secrets() -> None:
    assert production().environment == "production"
    assert production(**SIGNED, WEBHOOK_SHARED_SECRET=None).webhook_hmac_secrets == ("u2Bq7Wn4Zk9Lr1Xe6Tc3",)
    assert production(CRON_SHARED_SECRET=None, CRON_SECRET="Jf3hGs9Pq0XbEn6Rt4Mv").cron_secrets
    assert findings(production()) == {}


@pytest.mark.parametrize("name", ["VAPI_API_KEY", "WEBHOOK_SHARED_SECRET", "CRON_SHARED_SECRET"])
@pytest.mark.parametrize("value", [None, "", "short", "changemechangeme", "a" * 40])
def test_production_refuses_a_missing_or_weak_secret_by_name(name: str, value: str | None) -> None:
    with pytest.raises(ConfigurationError, match=name) as refused:
        production(**{name: value})
    assert not value or value not in refused.value.message


def test_production_names_everything_that_is_wrong_at_once() -> None:
    with pytest.raises(ConfigurationError) as refused:
        production(VAPI_API_KEY=None, WEBHOOK_SHARED_SECRET="changemechangeme", CRON_SHARED_SECRET="x" * 20)
    assert all(name in refused.value.message for name in GOOD if name != "PUBLIC_URL")


def test_each_of_several_secrets_has_to_be_strong() -> None:
    good = GOOD["WEBHOOK_SHARED_SECRET"]
    assert production(WEBHOOK_SHARED_SECRET=f"{good},Jf3hGs9Pq0XbEn6Rt4Mv").webhook_secrets
    with pytest.raises(ConfigurationError, match="WEBHOOK_SHARED_SECRET is too weak"):
        production(WEBHOOK_SHARED_SECRET=f"{good},changemechangeme")


def test_signatures_alone_need_their_key() -> None:
    with pytest.raises(ConfigurationError, match="WEBHOOK_HMAC_SECRET must be set"):
        production(WEBHOOK_SCHEMES="hmac", WEBHOOK_SHARED_SECRET=None)


@pytest.mark.parametrize("name", [rule.name for rule in SECRETS])
def test_every_secret_can_be_read_from_a_file(name: str, tmp_path: Path) -> None:
    value = "redis://:k3Jd8Qm2@h/0" if name == "REDIS_URL" else "k3Jd8Qm2Zx7Wv5Tn1Lr9"
    file = tmp_path / "secret"
    file.write_text(value + "\n", "utf-8")
    settings = load_settings({f"{name}_FILE": str(file), **({"SMTP_USER": "ada"} if name == "SMTP_PASSWORD" else {})})
    assert getattr(settings, name.lower()).get_secret_value() == value


def test_every_secret_setting_is_in_the_table() -> None:
    secret = {str(f.alias) for f in Settings.model_fields.values() if "SecretStr" in str(f.annotation)}
    assert secret == {rule.name for rule in SECRETS}


@pytest.mark.parametrize(
    ("values", "subject", "words"),
    [
        ({"WEBHOOK_SHARED_SECRET": "changemechangeme"}, "WEBHOOK_SHARED_SECRET", "openssl rand"),
        ({"WEBHOOK_SHARED_SECRET": None}, "WEBHOOK_SHARED_SECRET", "webhooks are refused"),
        ({"WEBHOOK_SHARED_SECRET": None}, "webhooks", "every webhook is refused"),
        ({"CRON_SHARED_SECRET": None}, "CRON_SHARED_SECRET", "cron cannot tick"),
        ({"WEBHOOK_REREAD": "off"}, "webhooks", "invent results"),
        ({"PUBLIC_URL": "http://calls.example.com"}, "PUBLIC_URL", "https"),
        ({"DATABASE_URL": "postgresql://u:postgres@db.example.com/x"}, "DATABASE_URL", "too weak"),
        ({"S3_SECRET_ACCESS_KEY": "minio"}, "S3_SECRET_ACCESS_KEY", "too weak"),
        ({"TRUSTED_PROXIES": "*"}, "TRUSTED_PROXIES", "believed"),
    ],
)
def test_doctor_finds_what_is_weak_or_missing_and_says_the_remedy(
    values: dict[str, str | None], subject: str, words: str
) -> None:
    chosen = {name: value for name, value in {**GOOD, **values}.items() if value is not None}
    found = findings(load_settings(chosen))
    assert words in found[subject]
    assert "changeme" not in str(found)
    assert "u:postgres@" not in str(found)


def test_doctor_insists_on_tls_in_production() -> None:
    (finding,) = [one for one in look_at_trust(production(PUBLIC_URL="http://10.0.0.1")) if one.mend]
    assert (finding.subject, finding.is_warning) == ("PUBLIC_URL", False)


def test_no_secret_shows_when_anything_is_printed() -> None:
    marked: dict[str, Any] = {rule.name: f"marked-{number:02}-Zx7Wv5Tn1Lr9" for number, rule in enumerate(SECRETS)}
    marked["DATABASE_URL"] = "postgresql://user:marked-url-Zx7Wv5Tn1Lr9@db.example.com/x"
    marked["REDIS_URL"] = "redis://:marked-redis-Zx7Wv5Tn1Lr9@cache.example.com/0"
    settings = load_settings({**marked, "SMTP_USER": "ada"})
    auth = webhook_auth(settings)
    provider = build_provider(settings, SystemClock())
    printed = [repr(settings), str(settings), settings.model_dump_json(), repr(auth), repr(vars(auth.hmac).keys())]
    printed += [repr(provider), repr(SECRETS), str(look_at_trust(settings))]
    assert re.findall(r"marked-\w+", "".join(printed)) == []
