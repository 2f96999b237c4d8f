"""The recording of a call, as a stream: opened at the provider afresh, because its addresses live only shortly."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from autolynx.errors import NotFound, ProviderError
from autolynx.provider.port import Recording
from autolynx.runtime import Runtime
from autolynx.store import call_reports

GONE = 404


@asynccontextmanager
async def open_recording(runtime: Runtime, call_id: UUID) -> AsyncIterator[Recording]:
    """Open the recording of a call. No database connection is held while it is read.

    Raises NotFound where there is no call or no recording (any more), ProviderError where it cannot be asked for.
    """
    async with runtime.database.connection() as conn:
        call = await call_reports.get_call(conn, call_id)
    if call.provider_call_id is None or not call.has_recording:
        raise NotFound("There is no recording of this call.")
    try:
        async with runtime.provider.open_recording(call.provider_call_id) as recording:
            yield recording
    except ProviderError as error:
        if error.status == GONE:
            raise NotFound("The voice provider has no recording of this call any more.") from None
        raise
