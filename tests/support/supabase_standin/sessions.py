"""Sessions of the stand-in: access tokens, and refresh tokens that are each good for one use."""

import secrets
import string
from datetime import timedelta
from typing import Any

import jwt

from tests.support.supabase_standin.world import RefreshToken, Refusal, Session, User, World, stamp

REUSE_INTERVAL = timedelta(seconds=10)
ALPHABET = string.ascii_lowercase + string.digits


def begin_session(world: World, user: User, method: str) -> dict[str, Any]:
    """Sign a person in; returns the answer."""
    session = Session(user=user, methods=[(method, int(world.now.timestamp()))])
    world.sessions.append(session)
    user.last_sign_in_at = world.now
    return show_session(world, session, _next_token(world, session, parent=""))


def refresh_session(world: World, refresh_token: str) -> dict[str, Any]:
    """Go on with a session, or end it where a used token comes back too late."""
    if len(refresh_token) != 12 or not set(refresh_token) <= set(ALPHABET):
        raise Refusal(400, "validation_failed", "no refresh token has this form")
    session, token = _find(world, refresh_token)
    if session.user.is_banned:
        raise Refusal(400, "user_banned", "the user is banned")
    if not token.is_revoked:
        token.is_revoked, token.updated_at = True, world.now
        return show_session(world, session, _next_token(world, session, parent=token.token))
    active = next((other for other in session.tokens if not other.is_revoked), None)
    if active is not None and active.parent == token.token:  # the answer to its first use got lost
        return show_session(world, session, active)
    if world.now > token.updated_at + REUSE_INTERVAL:
        for other in session.tokens:
            other.is_revoked = True
        raise Refusal(400, "refresh_token_already_used", "the refresh token was used before")
    token.updated_at = world.now
    return show_session(world, session, _next_token(world, session, parent=token.token))


def end_sessions(world: World, session: Session, scope: str) -> None:
    """Sign out: this session, all others, or all."""
    gone = {
        "global": lambda other: other.user is session.user,
        "local": lambda other: other is session,
        "others": lambda other: other.user is session.user and other is not session,
    }
    if scope not in gone:
        raise Refusal(400, "validation_failed", "no such scope")
    world.sessions = [other for other in world.sessions if not gone[scope](other)]


def bearer_session(world: World, authorization: str) -> Session:
    """Return the session of whoever asks."""
    word, _, token = authorization.partition(" ")
    if word.lower() != "bearer" or not token or " " in token:
        raise Refusal(401, "no_authorization", "an access token is needed")
    try:
        claims = world.keys.read(token)
    except (jwt.PyJWTError, KeyError):
        raise Refusal(403, "bad_jwt", "the access token was not signed here") from None
    if claims["exp"] <= world.now.timestamp():
        raise Refusal(403, "bad_jwt", "the access token has expired")
    if not any(user.id == claims.get("sub") for user in world.users):
        raise Refusal(403, "user_not_found", "there is no such user")
    session = next((session for session in world.sessions if session.id == claims.get("session_id")), None)
    if session is None:
        raise Refusal(403, "session_not_found", "there is no such session")
    if session.user.is_banned:
        raise Refusal(403, "user_banned", "the user is banned")
    return session


def show_session(world: World, session: Session, token: RefreshToken) -> dict[str, Any]:
    """Return the answer to a sign-in or refresh."""
    ends = int(world.now.timestamp()) + world.access_seconds
    return {
        "access_token": world.keys.sign(claims_of(world, session)),
        "token_type": "bearer",
        "expires_in": world.access_seconds,
        "expires_at": ends,
        "refresh_token": token.token,
        "user": show_user(session.user),
    }


def claims_of(world: World, session: Session) -> dict[str, Any]:
    """Return what an access token of a session says."""
    user, moment = session.user, int(world.now.timestamp())
    return {
        "iss": f"{world.url}/auth/v1",
        "sub": user.id,
        "aud": "authenticated",
        "exp": moment + world.access_seconds,
        "iat": moment,
        "email": user.email,
        "phone": "",
        "app_metadata": _app_metadata(user),
        "user_metadata": user.user_metadata,
        "role": "authenticated",
        "aal": "aal1",
        "amr": [{"method": method, "timestamp": at} for method, at in reversed(session.methods)],
        "session_id": session.id,
        "is_anonymous": user.is_anonymous,
    }


def show_user(user: User) -> dict[str, Any]:
    """Return a user as the server shows one; what has not happened is left out."""
    moments = {
        "email_confirmed_at": user.email_confirmed_at,
        "confirmed_at": user.email_confirmed_at,
        "confirmation_sent_at": user.confirmation_sent_at,
        "recovery_sent_at": user.recovery_sent_at,
        "last_sign_in_at": user.last_sign_in_at,
    }
    return {
        "id": user.id,
        "aud": "authenticated",
        "role": "authenticated",
        "email": user.email,
        "phone": "",
        **{name: stamp(moment) for name, moment in moments.items() if moment},
        "app_metadata": _app_metadata(user),
        "user_metadata": user.user_metadata,
        "identities": user.identities,
        "created_at": stamp(user.created_at),
        "updated_at": stamp(user.created_at),
        "is_anonymous": user.is_anonymous,
    }


def _app_metadata(user: User) -> dict[str, Any]:
    providers = [row["provider"] for row in user.identities]
    return {"provider": providers[0], "providers": providers} if providers else {}


def _next_token(world: World, session: Session, *, parent: str) -> RefreshToken:
    token = RefreshToken(
        token="".join(secrets.choice(ALPHABET) for _ in range(12)), parent=parent, updated_at=world.now
    )
    session.tokens.append(token)
    return token


def _find(world: World, refresh_token: str) -> tuple[Session, RefreshToken]:
    found = [(session, token) for session in world.sessions for token in session.tokens if token.token == refresh_token]
    if not found:
        raise Refusal(400, "refresh_token_not_found", "there is no such refresh token")
    return found[0]
