"""`autolynx migrate`."""

import typer

from autolynx.bootstrap import bring_up_to_date, open_bare_runtime
from autolynx.cli.configuring import configured
from autolynx.cli.loop import run_async
from autolynx.settings import Settings
from autolynx.store.migrate import Migration

app = typer.Typer(add_completion=False)


@app.command()
def migrate_database() -> None:
    """Bring the database up to this release. Doing it twice changes nothing."""
    applied = run_async(_migrate(configured(log_level="warning")))
    for migration in applied:
        print(f"Applied {migration.version}_{migration.name}.")
    if not applied:
        print("The database is up to date.")


async def _migrate(settings: Settings) -> list[Migration]:
    async with open_bare_runtime(settings) as runtime:
        return await bring_up_to_date(runtime)
