"""`autolynx person`."""

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import typer

from autolynx.bootstrap import open_runtime
from autolynx.cli.configuring import configured
from autolynx.cli.loop import run_async
from autolynx.errors import ValidationProblem
from autolynx.flows import persons
from autolynx.flows.persons import Erasure
from autolynx.flows.removals import remove_due
from autolynx.origin import CONSOLE
from autolynx.runtime import Runtime

REMOVING_SECONDS = 60.0
PHONE = typer.Argument(None, help="The person's phone number; asked for unless given, and so kept out of histories.")

T = TypeVar("T")
app = typer.Typer(help="Export or erase what is kept of one person.", no_args_is_help=True, add_completion=False)


@app.command()
def export(
    phone: str | None = PHONE,
    output: Path | None = typer.Option(None, help="Where the JSON goes; standard output unless given."),
) -> None:
    """Write all that is kept of a person as JSON: contacts, calls, what was said, what the provider sent."""
    number = phone or str(typer.prompt("Phone number", err=True))
    found = _with_runtime(lambda runtime: persons.export_person(runtime, number, actor=CONSOLE))
    text = json.dumps(found, default=str, indent=2, ensure_ascii=False)
    if output is None:
        print(text)
        return
    output.write_text(text + "\n", encoding="utf-8")
    print(f"Written to {output}: {len(found['contacts'])} contact(s).")


@app.command()
def erase(
    phone: str | None = PHONE,
    at_provider: bool = typer.Option(False, "--at-provider", help="Ask the provider to delete its data as well."),
    never_call_again: bool = typer.Option(
        False, "--never-call-again", help="Keep a keyed hash of the number, by which later lists leave it out."
    ),
    yes: bool = typer.Option(False, "--yes", help="Do not ask whether it is meant."),
) -> None:
    """Erase what is kept of a person. Counts and costs stay, of nobody. It cannot be undone."""
    number = phone or str(typer.prompt("Phone number", err=True))
    if not yes and not typer.confirm("Erase all that is kept of this person? It cannot be undone."):
        raise ValidationProblem("Nothing was erased.")
    done = _with_runtime(
        lambda runtime: _erase(runtime, number, at_provider=at_provider, never_again=never_call_again),
        may_ask_provider=at_provider,
    )
    erased = done.erased
    print(f"Erased: {erased.contacts} contact(s), {erased.calls} call(s), {erased.bodies} body(ies) of the provider.")
    if done.unread_uploads:
        print(f"{done.unread_uploads} upload(s) are not read through and may name the person: gone within a day.")


@app.command()
def allow(phone: str | None = PHONE) -> None:
    """Let a person be called again who had asked never to be."""
    number = phone or str(typer.prompt("Phone number", err=True))
    _with_runtime(lambda runtime: persons.allow_again(runtime, number, actor=CONSOLE))
    print("Lists that are loaded from now on call this number again.")


async def _erase(runtime: Runtime, phone: str, *, at_provider: bool, never_again: bool) -> Erasure:
    """Erase, and delete at once what lies outside of the database; what fails, a tick tries again."""
    done = await persons.erase_person(runtime, phone, at_provider=at_provider, never_again=never_again, actor=CONSOLE)
    await remove_due(runtime, deadline=runtime.clock.now() + timedelta(seconds=REMOVING_SECONDS))
    return done


def _with_runtime(work: Callable[[Runtime], Awaitable[T]], *, may_ask_provider: bool = False) -> T:
    async def run() -> T:
        settings = configured(log_level="warning")
        async with open_runtime(settings, may_ask_provider=may_ask_provider) as runtime:
            return await work(runtime)

    return run_async(run())
