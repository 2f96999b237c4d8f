"""What is published about Supabase Auth, as facts: routes, statuses, names; and what differs, with reasons.

From the OpenAPI description and the sources of the server (repository supabase/auth, summer of 2026).
"""

from collections.abc import Iterable
from typing import Any

from tests.support.supabase_standin.world import Exchange

BY_CODE = "the server's sources give this status with a code of its own; the description names the usual ones"
SEE_OTHER = "the sources redirect with 303 where the description says 302"
GATEWAY = "the gateway before the server refuses a missing or wrong apikey; the description names the header"

# Route -> statuses of the description.
STATUSES: dict[tuple[str, str], set[int]] = {
    ("POST", "/token"): {200, 400, 401, 403, 429, 500},
    ("POST", "/logout"): {204, 401},
    ("GET", "/verify"): {302},
    ("POST", "/verify"): {200, 429},
    ("GET", "/authorize"): {302},
    ("GET", "/callback"): {302},
    ("POST", "/signup"): {200, 400, 429},
    ("POST", "/magiclink"): {200, 400, 422, 429},
    ("POST", "/otp"): {200, 400, 422, 429},
    ("GET", "/user"): {200},
    ("PUT", "/user"): {200, 400, 429},
    ("GET", "/settings"): {200},
}
BESIDES: dict[tuple[str, str], dict[int, str]] = {
    ("POST", "/token"): {404: BY_CODE, 422: BY_CODE},
    ("POST", "/logout"): {400: BY_CODE, 403: BY_CODE},
    ("GET", "/verify"): {303: SEE_OTHER, 400: BY_CODE},
    ("POST", "/verify"): {400: BY_CODE, 403: BY_CODE},
    ("GET", "/authorize"): {400: BY_CODE},
    ("GET", "/callback"): {303: SEE_OTHER},
    ("POST", "/signup"): {422: BY_CODE},
    ("GET", "/user"): {401: BY_CODE, 403: BY_CODE},
    ("PUT", "/user"): {401: BY_CODE, 403: BY_CODE},
    ("GET", "/.well-known/jwks.json"): {200: "in the sources, and not in the description"},
}
SESSION = "access_token refresh_token token_type expires_in expires_at weak_password user"
USER = """id aud role email email_confirmed_at phone phone_confirmed_at confirmation_sent_at confirmed_at
recovery_sent_at new_email email_change_sent_at new_phone phone_change_sent_at reauthentication_sent_at last_sign_in_at
app_metadata user_metadata factors identities banned_until created_at updated_at deleted_at is_anonymous"""
IDENTITY = "identity_id id user_id identity_data provider last_sign_in_at created_at updated_at email"
SETTINGS = "disable_signup mailer_autoconfirm phone_autoconfirm sms_provider saml_enabled external"
ERROR = "error error_description code msg error_code weak_password"
NEWER_ERROR = "code message"  # from the sources: with X-Supabase-Api-Version from 2024-01-01 on
GATEWAY_ERROR = "message hint"
ALWAYS_IN_SESSION = "access_token refresh_token token_type expires_in expires_at user"
ALWAYS_IN_USER = "id aud role email phone app_metadata user_metadata identities created_at updated_at is_anonymous"


def differences(exchanges: Iterable[Exchange]) -> list[str]:
    """Return what the stand-in said that nobody published."""
    found = [f"{it.method} {it.path} {it.status}: {what}" for it in exchanges for what in _differences(it)]
    return list(dict.fromkeys(found))


def _differences(it: Exchange) -> list[str]:
    route = (it.method, it.path)
    if not it.path.startswith("/") or it.path.startswith("/outside/"):
        return []
    if it.status == 401 and isinstance(it.body, dict) and "hint" in it.body:
        return _names(it.body, GATEWAY_ERROR)
    if route not in STATUSES and route not in BESIDES:
        return [] if it.status in {404, 405} else ["no such route"]
    known = STATUSES.get(route, set()) | set(BESIDES.get(route, {}))
    return ([] if it.status in known else ["no such status"]) + _body(route, it.status, it.body)


def _body(route: tuple[str, str], status: int, body: Any) -> list[str]:
    if status >= 400:
        return _names(body, NEWER_ERROR if "message" in body else ERROR)
    if status in {204, 302, 303}:
        return [] if body is None else ["a body where there is none"]
    if route[1] == "/settings":
        return _names(body, SETTINGS)
    if "access_token" in body:
        return _names(body, SESSION, ALWAYS_IN_SESSION) + _user(body["user"])
    if route[1] in {"/user", "/signup"}:
        return _user(body)
    return _names(body, "keys" if route[1].endswith("jwks.json") else "message_id")


def _user(user: Any) -> list[str]:
    rows = [what for row in user["identities"] for what in _names(row, IDENTITY)]
    return _names(user, USER, ALWAYS_IN_USER) + rows


def _names(body: Any, known: str, always: str = "") -> list[str]:
    unknown = [f"{name} is not published" for name in body if name not in known.split()]
    return unknown + [f"{name} is missing" for name in always.split() if name not in body]
