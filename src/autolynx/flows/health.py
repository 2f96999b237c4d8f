"""How the whole is: the database, the clockwork, dialling and the inbox, each in one sentence."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from autolynx.domain.pacing import Account
from autolynx.errors import DatabaseUnavailable
from autolynx.runtime import Runtime
from autolynx.store import gate, inbox

LATE_CADENCES = 3  # a clockwork that missed so many ticks has stopped
OVERDUE_SECONDS = 600.0


class HealthStatus(StrEnum):
    """How a part, or the whole, is."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"  # it works, and somebody should look
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True, kw_only=True)
class Check:
    """One part of the whole."""

    name: str
    status: HealthStatus
    message: str


@dataclass(frozen=True, kw_only=True)
class Health:
    """The whole: as bad as its worst part."""

    status: HealthStatus
    checks: tuple[Check, ...]
    checked_at: datetime


async def check_health(runtime: Runtime) -> Health:
    """Look at every part; costs two short queries and asks nobody outside."""
    now = runtime.clock.now()
    try:
        async with runtime.database.connection() as conn:
            account = await gate.get(conn)
            overdue_before = now - timedelta(seconds=runtime.settings.scaled(OVERDUE_SECONDS))
            overdue = await inbox.count_overdue(conn, due_before=overdue_before)
    except DatabaseUnavailable as error:
        down = Check(name="database", status=HealthStatus.UNHEALTHY, message=error.message)
        return Health(status=HealthStatus.UNHEALTHY, checks=(down,), checked_at=now)
    checks = (
        Check(name="database", status=HealthStatus.HEALTHY, message="PostgreSQL answers."),
        _clockwork(runtime, account, now),
        _dialling(runtime, account, now),
        _inbox(overdue),
    )
    worst = max((check.status for check in checks), key=list(HealthStatus).index)
    return Health(status=worst, checks=checks, checked_at=now)


def _clockwork(runtime: Runtime, account: Account, now: datetime) -> Check:
    cadence = runtime.settings.scaled(runtime.settings.default_cron_cadence)
    if account.last_tick_at is None:
        return Check(name="ticks", status=HealthStatus.DEGRADED, message="No tick has run yet; check the cron job.")
    if now - account.last_tick_at > timedelta(seconds=LATE_CADENCES * cadence):
        return Check(name="ticks", status=HealthStatus.DEGRADED, message="Ticks have stopped; check the cron job.")
    return Check(name="ticks", status=HealthStatus.HEALTHY, message="Ticks run on time.")


def _dialling(runtime: Runtime, account: Account, now: datetime) -> Check:
    if account.held_at is not None:
        message = "Dialling is on hold; release it when you are ready."
        return Check(name="dialing", status=HealthStatus.DEGRADED, message=message)
    if account.trouble is not None:
        return Check(name="dialing", status=HealthStatus.DEGRADED, message=account.trouble)
    if account.failures >= runtime.settings.breaker_threshold:
        message = "The provider keeps failing; it is probed until it answers again."
        return Check(name="dialing", status=HealthStatus.DEGRADED, message=message)
    if account.not_before is not None and now < account.not_before:
        message = account.rest_reason or "The account rests for a moment."
        return Check(name="dialing", status=HealthStatus.HEALTHY, message=message)
    return Check(name="dialing", status=HealthStatus.HEALTHY, message="Calls may be placed.")


def _inbox(overdue: int) -> Check:
    if overdue:
        message = f"{overdue} webhooks wait to be settled for more than ten minutes."
        return Check(name="inbox", status=HealthStatus.DEGRADED, message=message)
    return Check(name="inbox", status=HealthStatus.HEALTHY, message="Every webhook is settled.")
