"""`autolynx link`."""

import typer

from autolynx.bootstrap import open_runtime
from autolynx.cli.configuring import configured
from autolynx.cli.loop import run_async
from autolynx.cli.signing_in import NOBODY, person_at_console, sign_in_link
from autolynx.errors import NotFound
from autolynx.flows.people import find_person
from autolynx.settings import Settings

app = typer.Typer(add_completion=False)


@app.command()
def link(email: str = typer.Argument("", help="Whom it signs in; the first admin unless given.")) -> None:
    """Print a one-time link that signs somebody on the list in. It works once, within 15 minutes."""
    print(run_async(_link(configured(log_level="warning"), email)))


async def _link(settings: Settings, email: str) -> str:
    async with open_runtime(settings, may_ask_provider=False) as runtime:
        person = await find_person(runtime, email) if email else await person_at_console(runtime)
        if person is None and email:
            raise NotFound(f"This person is not on the list. Add them: autolynx users add {email}")
        if person is None:
            raise NotFound(NOBODY)
        return await sign_in_link(runtime, person, base_url=settings.public_url)
