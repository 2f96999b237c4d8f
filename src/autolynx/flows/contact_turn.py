"""What a call leaves its contact as: done, due again, or for a person to decide. A part of settling."""

from datetime import datetime

from autolynx.domain.advance import Advance
from autolynx.domain.call import Call
from autolynx.domain.contact import LAST_WORDS, ContactState, Standing, standing_after
from autolynx.domain.retry import retry_at
from autolynx.store import settling
from autolynx.store.database import Connection
from autolynx.store.settling import Locked


async def judge_contact(
    conn: Connection, locked: Locked, step: Advance, *, now: datetime, time_scale: float
) -> Standing | None:
    """Return what a call that changed leaves its contact as, None where the contact stays as it is.

    Whoever calls this holds the campaign, and writes it. Says what a person has to know about it.
    """
    call = step.call
    if step.is_revived and (_another_is_calling(locked) or _was_dialled_for_it(locked)):
        await _report_double_dial(conn, locked, now=now)
    standing = _standing(locked, call, now=now, time_scale=time_scale)
    if not _applies(locked, call, standing):
        return None
    if standing.state is ContactState.UNSURE:
        await settling.raise_incident(
            conn,
            kind="unsure",
            sentence="Nobody can say whether this contact was called: a person has to decide.",
            now=now,
            call=call,
        )
    return standing


def _standing(locked: Locked, call: Call, *, now: datetime, time_scale: float) -> Standing:
    made = locked.dialled_besides + 1
    again_at = retry_at(call, locked.campaign.options, made=made, now=now, time_scale=time_scale)
    return standing_after(
        call,
        now=now,
        releases=locked.releases,
        retry_at=None if locked.was_reached_besides else again_at,
        is_used_up=_is_used_up(locked) or locked.was_reached_besides,
        time_scale=time_scale,
    )


def _another_is_calling(locked: Locked) -> bool:
    """Whether the contact is on another call: the contact's row is fresh under the lock, so it is what we believe."""
    return locked.other_is_active or (locked.contact_state is ContactState.CALLING and not locked.call.status.is_active)


def _was_dialled_for_it(locked: Locked) -> bool:
    """Whether a later call went out because this one seemed not to, or this one makes more dials than were allowed."""
    return locked.was_dialled_later or _is_used_up(locked)


def _is_used_up(locked: Locked) -> bool:
    """Whether the other calls of the contact are all that it may have."""
    return locked.dialled_besides >= locked.campaign.options.max_attempts + locked.extra_attempts


def _applies(locked: Locked, call: Call, standing: Standing) -> bool:
    """Whether the contact takes this standing: the latest call speaks; an older one only if it did happen after all."""
    if standing.state is locked.contact_state or _another_is_calling(locked):
        return False
    if locked.contact_reason in LAST_WORDS:
        return False
    decided = locked.contact_state in {ContactState.DONE, ContactState.EXCLUDED}
    if decided and standing.state is not ContactState.CALLING:
        # The end of an earlier call stands; only a call that turns out not to have been dialled, or to have reached
        # nobody while attempts are left, gives the contact another turn.
        is_left = locked.call.is_in_doubt
        is_done = locked.contact_state is ContactState.DONE
        return standing.state is ContactState.DUE and locked.is_latest and is_done and not is_left
    if locked.is_latest:
        return True
    return call.counts_as_attempt and locked.contact_state is ContactState.DUE and standing.state is ContactState.DONE


async def _report_double_dial(conn: Connection, locked: Locked, *, now: datetime) -> None:
    await settling.raise_incident(
        conn,
        kind="double_dial",
        sentence="A call taken for never dialled did reach the provider, and its contact had been claimed again.",
        now=now,
        call=locked.call,
    )
