"""Signing in with accounts of our own: by password, by a mailed link, and with a new password after a reset."""

from urllib.parse import urlencode
from uuid import UUID

from autolynx.domain.actor import NOBODY
from autolynx.domain.email import checked_email
from autolynx.errors import Conflict, Unauthorized, ValidationProblem
from autolynx.flows import throttle
from autolynx.flows.access import hash_secret
from autolynx.flows.sessions import SPENT, Session, begin_session, insert_once, note_refusal
from autolynx.identity.local import check_password
from autolynx.log import log
from autolynx.runtime import Runtime
from autolynx.store import audit, passwords, people, tokens
from autolynx.store.people import Person
from autolynx.store.tokens import TokenKind

WRONG = "Email or password is not right."
ENTRANCE = "/enter"
RESET = "/sign-in/new-password"
KEPT_OUTSIDE = "There are no passwords here: people sign in with their accounts at Supabase, and set passwords there."


async def sign_in(runtime: Runtime, email: str, password: str, *, address: str) -> Session:
    """Begin a session by email and password.

    Raises Unauthorized, in the same words and after the same time for every reason, and RateLimited after too many
    failures for that email or from that address. Raises Conflict where accounts are kept outside.
    """
    check_passwords_are_here(runtime)
    now, email = runtime.clock.now(), folded_email(email)
    async with runtime.database.transaction() as conn:
        await throttle.claim(conn, (throttle.by_email(email), throttle.by_address(address)), now)
        person = await people.find_by_email(conn, email)
        known = await passwords.find_hash(conn, person.id if person else NOBODY)  # as much work for nobody
        known = known if person is not None and person.allowlisted else None
    if await runtime.passwords.verify(known, password) and person is not None and known is not None:
        session = await _begin(runtime, person, known, password, address=address)
        if session is not None:
            return session
    async with runtime.database.connection() as conn:
        await note_refusal(conn, now=now)
    raise Unauthorized(WRONG)


async def _begin(runtime: Runtime, person: Person, known: str, password: str, *, address: str) -> Session | None:
    """Begin the session, unless the person was removed or the password changed while it was checked."""
    now = runtime.clock.now()
    fresh = await runtime.passwords.hash(password) if runtime.passwords.is_outdated(known) else None
    async with runtime.database.transaction() as conn:
        person = await people.lock(conn, person.id)
        if not person.allowlisted or await passwords.find_hash(conn, person.id) != known:
            return None
        if fresh is not None:
            await passwords.save_hash(conn, person.id, fresh, now)
        await throttle.forget(conn, throttle.by_email(person.email))
        await throttle.take_back(conn, throttle.by_address(address))
        return await begin_session(conn, person, now=now, how="password")


async def send_link(runtime: Runtime, email: str, kind: TokenKind) -> None:
    """Mail a sign-in link (TICKET) or one to a new password (RESET) to somebody on the list; to others nothing.

    Meant to run after the answer was given, so that its time tells nothing. At most three for each quarter of an hour.
    Raises MailFailed, and Conflict where accounts are kept outside.
    """
    check_passwords_are_here(runtime)
    if runtime.mailer is None:
        return
    now, email = runtime.clock.now(), folded_email(email)
    mails = throttle.by_mail(email)
    async with runtime.database.transaction() as conn:
        await throttle.claim(conn, [mails], now)
        person = await people.find_by_email(conn, email)
        if person is None or not person.allowlisted:
            log.info("link.not_sent", reason="not on the list")
            return
        made = await insert_once(conn, person, kind, now=now)
        await audit.append(conn, now=now, actor=person.email, action=f"{kind}.mailed", subject=str(made.token.id))
    place = ENTRANCE if kind is TokenKind.TICKET else RESET
    link = f"{runtime.settings.public_url}{place}?{urlencode({'ticket': made.secret})}"
    subject, text = _mail(kind, link)
    await runtime.mailer.send(to=person.email, subject=subject, text=text)


async def reset_password(runtime: Runtime, ticket: str, password: str) -> Session:
    """Set a new password by a reset, which is spent by it; every other session ends, and one begins.

    Raises ValidationProblem, before anything is spent, Unauthorized, and Conflict where accounts are kept outside.
    """
    check_passwords_are_here(runtime)
    now = runtime.clock.now()
    async with runtime.database.connection() as conn:
        holder = await tokens.find(conn, hash_secret(ticket))
    if holder is None or holder.person is None or not holder.token.is_valid(now):
        raise Unauthorized(SPENT)
    check_password(password, email=holder.person.email)
    password_hash = await runtime.passwords.hash(password)
    async with runtime.database.transaction() as conn:
        spent = await tokens.claim_ticket(conn, hash_secret(ticket), TokenKind.RESET, now)
        person = await people.lock(conn, holder.person.id)
        if spent is None or not person.allowlisted:
            raise Unauthorized(SPENT)
        await passwords.save_hash(conn, person.id, password_hash, now)
        kinds = (TokenKind.SESSION, TokenKind.TICKET, TokenKind.RESET)
        await tokens.revoke_all(conn, person.id, now, kinds=kinds)
        await throttle.forget(conn, throttle.by_email(person.email))
        await audit.append(conn, now=now, actor=person.email, action="password.changed", subject=str(person.id))
        return await begin_session(conn, person, now=now, how="reset")


async def set_password(runtime: Runtime, person: Person, password: str, *, actor: str = "console") -> None:
    """Set a person's password; their sessions end. Raises ValidationProblem, Conflict where accounts are outside."""
    check_passwords_are_here(runtime)
    check_password(password, email=person.email)
    password_hash = await runtime.passwords.hash(password)
    now = runtime.clock.now()
    async with runtime.database.transaction() as conn:
        await passwords.save_hash(conn, person.id, password_hash, now)
        await tokens.revoke_all(conn, person.id, now, kinds=(TokenKind.SESSION, TokenKind.RESET))
        await audit.append(conn, now=now, actor=actor, action="password.changed", subject=str(person.id))


async def change_password(runtime: Runtime, user_id: UUID, *, current: str, new: str, session_id: UUID | None) -> None:
    """Let a person set their password, or change the one they have; their other sessions end.

    Raises Unauthorized where the current one is wrong, ValidationProblem, RateLimited after too many tries, and
    Conflict where accounts are kept outside.
    """
    check_passwords_are_here(runtime)
    now = runtime.clock.now()
    async with runtime.database.transaction() as conn:
        person = await people.get(conn, user_id)
        known = await passwords.find_hash(conn, user_id)
        if known is not None:
            await throttle.claim(conn, [throttle.by_email(person.email)], now)
    if known is not None and not await runtime.passwords.verify(known, current):
        raise Unauthorized("current: that is not your password.")
    async with runtime.database.connection() as conn:
        await throttle.forget(conn, throttle.by_email(person.email))
    check_password(new, email=person.email)
    password_hash = await runtime.passwords.hash(new)
    async with runtime.database.transaction() as conn:
        await passwords.save_hash(conn, user_id, password_hash, now)
        await tokens.revoke_all(conn, user_id, now, kinds=(TokenKind.SESSION, TokenKind.RESET), but=session_id)
        await audit.append(conn, now=now, actor=person.email, action="password.changed", subject=str(user_id))


def check_passwords_are_here(runtime: Runtime) -> None:
    """Raise Conflict where people have their accounts at an identity server."""
    if runtime.identity is not None:
        raise Conflict(KEPT_OUTSIDE)


def folded_email(email: str) -> str:
    """Return the email in the form in which it is kept; what is none is nobody's, and told like any other."""
    try:
        return checked_email(email)
    except ValidationProblem:
        return email[:254].lower()


def _mail(kind: TokenKind, link: str) -> tuple[str, str]:
    if kind is TokenKind.TICKET:
        subject, what = "Your link to sign in to AutoLynx", "Open this link to sign in:"
    else:
        subject, what = "Your link to a new AutoLynx password", "Open this link to choose a new password:"
    text = f"{what}\n\n{link}\n\nIt works once, within 15 minutes. If you did not ask for it, nothing has to be done.\n"
    return subject, text
