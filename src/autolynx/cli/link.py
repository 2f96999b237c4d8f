"""`autolynx link`."""

import typer

from autolynx.bootstrap import open_runtime
from autolynx.cli.configuring import configured
from autolynx.cli.loop import run_async
from autolynx.cli.signing_in import sign_in_link
from autolynx.settings import Settings

app = typer.Typer(add_completion=False)


@app.command()
def link() -> None:
    """Print a one-time link that signs a browser in. It works once, within 15 minutes."""
    print(run_async(_link(configured(log_level="warning"))))


async def _link(settings: Settings) -> str:
    async with open_runtime(settings, may_ask_provider=False) as runtime:
        return await sign_in_link(runtime, base_url=settings.public_url)
