"""How often somebody may fail to sign in. The answer is the same for known and unknown emails, so that none is told."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from autolynx.errors import RateLimited
from autolynx.store import passwords
from autolynx.store.database import Connection

FORGOTTEN_AFTER_SECONDS = 15 * 60.0
BLOCKED_SECONDS = 15 * 60.0
KEPT_SECONDS = 24 * 3600.0


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What attempts are counted by, known by its hash alone, and how many may fail within a quarter of an hour."""

    key: bytes
    most: int


def by_email(email: str) -> Subject:
    """Count by the email that somebody wants to be."""
    return _subject("email", email, most=5)


def by_address(address: str) -> Subject:
    """Count by where the attempts come from: many people may sit behind one address."""
    return _subject("address", address, most=30)


def by_mail(email: str) -> Subject:
    """Count the mails that were asked for, for one address."""
    return _subject("mail", email, most=3)


async def claim(conn: Connection, subjects: Sequence[Subject], now: datetime) -> None:
    """Count an attempt before it is tried: many at once come no further than many in a row.

    Raises RateLimited while one of them has to wait. One that succeeds is taken back.
    """
    for known in await passwords.list_failures(conn, [subject.key for subject in subjects]):
        if known.blocked_until is not None and known.blocked_until > now:
            raise _refusal(math.ceil((known.blocked_until - now).total_seconds()))
    if await _count(conn, subjects, now):
        raise _refusal(math.ceil(BLOCKED_SECONDS))


async def forget(conn: Connection, subject: Subject) -> None:
    """Forget the attempts of one who has signed in."""
    await passwords.delete_failures(conn, subject.key)


async def take_back(conn: Connection, subject: Subject) -> None:
    """Take one attempt back that did not fail, of a subject whose others stay counted."""
    await passwords.save_one_fewer(conn, subject.key, most=subject.most)


async def _count(conn: Connection, subjects: Sequence[Subject], now: datetime) -> bool:
    """Count, and let whoever reaches a bound wait for a quarter of an hour; whether one is over its bound already."""
    forgotten_before = now - timedelta(seconds=FORGOTTEN_AFTER_SECONDS)
    is_over = False
    for subject in sorted(subjects, key=lambda one: one.key):
        failures = await passwords.count_failure(conn, subject.key, now=now, forgotten_before=forgotten_before)
        if failures >= subject.most:
            await passwords.save_block(conn, subject.key, now + timedelta(seconds=BLOCKED_SECONDS))
        is_over = is_over or failures > subject.most
    await passwords.delete_old_failures(conn, last_before=now - timedelta(seconds=KEPT_SECONDS))
    return is_over


def _refusal(wait: int) -> RateLimited:
    minutes = math.ceil(wait / 60)
    return RateLimited(
        f"Too many attempts. Try again in {minutes} minute{'' if minutes == 1 else 's'}.", retry_after_seconds=wait
    )


def _subject(kind: str, name: str, *, most: int) -> Subject:
    return Subject(key=hashlib.sha256(f"{kind}:{name}".encode("utf-8", "replace")).digest(), most=most)
