"""The list of commands. The one place where modules are imported by name.

`autolynx --help` answers in a fraction of a second because a command's module, with the database driver and the web
framework behind it, is imported only when the command is called. The help texts in this table are what the list shows.
"""

from importlib import import_module
from typing import Any

from typer.core import TyperCommand, TyperGroup
from typer.main import get_command as build_command

COMMANDS = {
    "demo": "See everything at work, without an account: a simulated town is called.",
    "run": "Call a CSV from start to end and write the results.",
    "resume": "Go on with a campaign that was paused.",
    "serve": "Serve pages, API and webhooks, and keep campaigns going.",
    "tick": "Do one round of everything that is due, then say what was done.",
    "link": "Print a one-time link that signs somebody in.",
    "users": "Say who may come in, and as what.",
    "token": "Create, list and revoke API tokens.",
    "person": "Export or erase what is kept of one person.",
    "hold": "The red button: dial nothing new, anywhere, at once.",
    "release": "Dial again after a hold or after the account was mended.",
    "migrate": "Bring the database up to this release.",
    "doctor": "Check settings, database and provider, and say what to mend.",
}


class LazyGroup(TyperGroup):
    """A group whose commands are known by name and help text; their modules are imported when they are called."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the signature is click's
        """Return the names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - the signature is click's
        """Return a stand-in that carries the help text: enough for the list of commands."""
        return TyperCommand(cmd_name, help=COMMANDS[cmd_name]) if cmd_name in COMMANDS else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the real command, imported now, for the one that was called."""
        name, command, rest = super().resolve_command(ctx, args)
        if name in COMMANDS:
            app = import_module(f"autolynx.cli.{name}").app
            app.rich_markup_mode = None  # plain help, like the list's
            command = build_command(app)
            command.name = name
        return name, command, rest
