"""The account's phone numbers: asked of the provider, and remembered for the pace that we dial at."""

from autolynx.domain.pacing import NumberPace
from autolynx.provider.port import RemoteNumber
from autolynx.runtime import Runtime
from autolynx.store import phone_numbers


async def list_phone_numbers(runtime: Runtime) -> list[tuple[RemoteNumber, NumberPace]]:
    """Return every number with its pace here. The provider's free numbers get a daily limit. Raises ProviderError."""
    remotes = await runtime.provider.list_phone_numbers()
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
        paces = await phone_numbers.list_paces(conn, [remote.phone_number_id for remote in remotes])
    return [(remote, paces[remote.phone_number_id]) for remote in remotes]
