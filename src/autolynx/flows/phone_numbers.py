"""The account's phone numbers: asked of the provider, and remembered for the pace that we dial at."""

from collections.abc import Sequence

from autolynx.domain.pacing import NumberPace
from autolynx.flows.once_more import once_more
from autolynx.provider.port import RemoteNumber
from autolynx.runtime import Runtime
from autolynx.store import phone_numbers


async def list_phone_numbers(runtime: Runtime) -> list[tuple[RemoteNumber, NumberPace]]:
    """Return every number with its pace here. The provider's free numbers get a daily limit. Raises ProviderError."""
    remotes = await runtime.provider.list_phone_numbers()
    paces = await _remember(runtime, remotes)
    return [(remote, paces[remote.phone_number_id]) for remote in remotes]


@once_more
async def _remember(runtime: Runtime, remotes: Sequence[RemoteNumber]) -> dict[str, NumberPace]:
    """Keep what the numbers are called. They are locked in the order of their ids, as everywhere."""
    now = runtime.clock.now()
    async with runtime.database.transaction() as conn:
        for remote in sorted(remotes, key=lambda one: one.phone_number_id):
            await phone_numbers.remember(
                conn,
                phone_number_id=remote.phone_number_id,
                label=remote.name or remote.number,
                provider=remote.provider,
                daily_limit=runtime.settings.free_number_daily_limit if remote.is_free else None,
                now=now,
            )
        return await phone_numbers.list_paces(conn, [remote.phone_number_id for remote in remotes])
