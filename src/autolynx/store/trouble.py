"""Which errors of the driver pass by themselves, and what they are called in our words."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from autolynx.errors import DatabaseCollision, DatabaseUnavailable, DataRefused

CONNECTION_LOST = "The connection to PostgreSQL was lost; try again."
LIMIT_REACHED = "PostgreSQL did not finish within the time limit; try again."
COLLISION = "Two transactions collided and this one was undone; try again."
# SQLSTATEs that say "not now", as distinct from "never".
COLLISIONS = {"40001", "40P01"}
TIME_LIMITS = {"57014", "55P03"}
SERVER_GOES = {"57P01", "57P02", "57P03", "57P05", "25P03", "25P04"}
LOST_CLASSES = ("08", "53")  # connection exceptions, and a server short of room or connections


@contextmanager
def translated() -> Iterator[None]:
    """Turn the driver's transient errors into DatabaseUnavailable; everything else passes unchanged."""
    try:
        yield
    except psycopg.Error as error:
        trouble = _trouble(error)
        if trouble is None:
            raise
        raise trouble from error


@contextmanager
def refused_data() -> Iterator[None]:
    """Turn the driver's complaint about data into DataRefused, naming only its kind: the value may be private."""
    try:
        yield
    except (psycopg.DataError, psycopg.IntegrityError, psycopg.ProgrammingError) as error:
        raise DataRefused(type(error).__name__) from error


def _trouble(error: psycopg.Error) -> DatabaseUnavailable | None:
    """Return our error for a transient one of the driver, None for one that will not pass by itself."""
    state = error.sqlstate or ""
    if state in COLLISIONS:
        return DatabaseCollision(COLLISION)
    if state in TIME_LIMITS:
        return DatabaseUnavailable(LIMIT_REACHED)
    has_no_state = not state and isinstance(error, psycopg.OperationalError)
    is_lost = has_no_state and not isinstance(error, psycopg.errors.PipelineAborted)
    if is_lost or state in SERVER_GOES or state.startswith(LOST_CLASSES):
        return DatabaseUnavailable(CONNECTION_LOST)
    return None
