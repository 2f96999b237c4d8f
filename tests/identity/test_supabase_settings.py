from typing import Any

import jwt
import pytest

from autolynx.errors import ConfigurationError
from autolynx.settings import Settings, load_settings

URL = "https://abcdefghijklmnopqrst.supabase.co"
SECRET = "a-secret-of-the-test-that-is-long-enough"
WHOLE = {"SUPABASE_URL": URL, "SUPABASE_ANON_KEY": "sb_publishable_key-of-the-test"}
PRODUCTION = {
    "AUTOLYNX_ENV": "production",
    "VAPI_API_KEY": "k" * 40,
    "WEBHOOK_SHARED_SECRET": "w" * 40,
    "CRON_SHARED_SECRET": "c" * 40,
}


def key(role: str) -> str:
    return jwt.encode({"iss": "supabase", "role": role}, SECRET, algorithm="HS256")


def loaded(**values: str) -> Settings:
    return load_settings(values)


def test_without_supabase_nothing_is_asked_for() -> None:
    settings = loaded()
    assert (settings.supabase_url, settings.supabase_anon_key, settings.supabase_jwt_secret) == (None, None, None)


def test_url_and_key_are_enough() -> None:
    assert loaded(**{**WHOLE, "SUPABASE_URL": URL + "/"}).supabase_url == URL
    assert loaded(**{**WHOLE, "SUPABASE_ANON_KEY": key("anon")}).supabase_anon_key is not None


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"SUPABASE_URL": URL}, "SUPABASE_ANON_KEY must be set where SUPABASE_URL is"),
        ({**WHOLE, "SUPABASE_URL": "abc.supabase.co"}, "SUPABASE_URL: must be an http or https address"),
        ({**WHOLE, "SUPABASE_URL": URL + "/auth/v1"}, "SUPABASE_URL must be the address of the project alone"),
        ({**WHOLE, "SUPABASE_URL": URL + "?x=1"}, "SUPABASE_URL must be the address of the project alone"),
        ({**WHOLE, "SUPABASE_URL": "https://me:pw@db.example.com"}, "SUPABASE_URL must be the address of the"),
        ({**WHOLE, "SUPABASE_JWT_SECRET": "short"}, "SUPABASE_JWT_SECRET is too weak"),
        ({**WHOLE, "SUPABASE_ANON_KEY": "sb_secret_key"}, "SUPABASE_ANON_KEY holds the project's secret key"),
        ({**WHOLE, "SUPABASE_ANON_KEY": key("service_role")}, "SUPABASE_ANON_KEY holds the project's secret key"),
        ({**WHOLE, "SUPABASE_ANON_KEY": "two\nlines"}, "SUPABASE_ANON_KEY has characters that no key has"),
        ({**WHOLE, **PRODUCTION, "SUPABASE_URL": "http://db.example.com"}, "SUPABASE_URL must be an https address"),
    ],
)
def test_what_is_half_set_weak_or_wrong_is_refused_by_name(values: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load_settings(values)
    assert said in refused.value.message
    assert SECRET not in refused.value.message


def test_secrets_are_not_printed() -> None:
    settings: Any = loaded(**WHOLE, SUPABASE_JWT_SECRET=SECRET)
    assert SECRET not in repr(settings) + str(settings.model_dump())
    assert WHOLE["SUPABASE_ANON_KEY"] not in repr(settings)
