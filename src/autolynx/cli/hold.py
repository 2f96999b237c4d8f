"""`autolynx hold`."""

import typer

from autolynx.bootstrap import open_runtime
from autolynx.cli.configuring import configured
from autolynx.cli.loop import run_async
from autolynx.flows.audit_trail import note
from autolynx.flows.dialing import hold_dialling
from autolynx.origin import CONSOLE
from autolynx.settings import Settings

app = typer.Typer(add_completion=False)


@app.command()
def hold(
    reason: str = typer.Option("Held by an operator.", help="Why; shown wherever dialling rests."),
    hang_up: bool = typer.Option(False, "--hang-up", help="End the calls that are live as well."),
) -> None:
    """Dial nothing new, anywhere, at once. Live calls go on unless --hang-up is given."""
    ended = run_async(_hold(configured(log_level="warning"), reason=reason, hangs_up=hang_up))
    print("Dialling is held. Go on by: autolynx release")
    if hang_up:
        print(f"{ended} live call(s) were hung up; those that still ring are, as soon as they connect.")


async def _hold(settings: Settings, *, reason: str, hangs_up: bool) -> int:
    async with open_runtime(settings, may_ask_provider=hangs_up) as runtime:
        ended = await hold_dialling(runtime, reason=reason, hangs_up=hangs_up)
        await note(runtime, "dialing.held", actor=CONSOLE, details={"hangUp": hangs_up})
        return ended
