"""`autolynx release`."""

import typer

from autolynx.bootstrap import open_runtime
from autolynx.cli.configuring import configured
from autolynx.cli.loop import run_async
from autolynx.flows.audit_trail import note
from autolynx.flows.dialing import release_dialling
from autolynx.origin import CONSOLE
from autolynx.settings import Settings

app = typer.Typer(add_completion=False)


@app.command()
def release() -> None:
    """Dial again: lifts the hold, the account's trouble, every rest and every hold on a number."""
    run_async(_release(configured(log_level="warning")))
    print("Dialling is released. A running server goes on within its next tick.")


async def _release(settings: Settings) -> None:
    async with open_runtime(settings, may_ask_provider=False) as runtime:
        await release_dialling(runtime)
        await note(runtime, "dialing.released", actor=CONSOLE)
