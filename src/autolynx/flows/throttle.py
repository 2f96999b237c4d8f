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


async def check(conn: Connection, subjects: Sequence[Subject], now: datetime) -> None:
    """Raise RateLimited while one of them has to wait."""
    for known in await passwords.list_failures(conn, [subject.key for subject in subjects]):
        if known.blocked_until is not None and known.blocked_until > now:
            wait = math.ceil((known.blocked_until - now).total_seconds())
            minutes = math.ceil(wait / 60)
            raise RateLimited(
                f"Too many attempts. Try again in {minutes} minute{'' if minutes == 1 else 's'}.",
                retry_after_seconds=wait,
            )


async def count(conn: Connection, subjects: Sequence[Subject], now: datetime) -> None:
    """Count one more attempt that failed; who reaches the bound waits for a quarter of an hour."""
    forgotten_before = now - timedelta(seconds=FORGOTTEN_AFTER_SECONDS)
    for subject in sorted(subjects, key=lambda one: one.key):
        failures = await passwords.count_failure(conn, subject.key, now=now, forgotten_before=forgotten_before)
        if failures >= subject.most:
            await passwords.save_block(conn, subject.key, now + timedelta(seconds=BLOCKED_SECONDS))
    await passwords.delete_old_failures(conn, last_before=now - timedelta(seconds=KEPT_SECONDS))


async def forget(conn: Connection, subject: Subject) -> None:
    """Forget the failures of one who has signed in."""
    await passwords.delete_failures(conn, subject.key)


def _subject(kind: str, name: str, *, most: int) -> Subject:
    return Subject(key=hashlib.sha256(f"{kind}:{name}".encode("utf-8", "replace")).digest(), most=most)
