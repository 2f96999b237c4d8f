"""The reference of routes and commands, read off the application itself."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

from fastapi.routing import APIRoute
from typer.core import TyperGroup
from typer.main import get_command

from autolynx.cli.lazy import COMMANDS
from autolynx.web.routers import GUARDED, OWN_LOCK


def routes() -> list[tuple[str, APIRoute]]:
    """Return every documented route as `METHOD /path` with what the router knows about it, in the order of paths."""
    found = [
        (f"{method} {route.path}", route)
        for router in (*GUARDED, *OWN_LOCK)
        for route in router.routes
        if isinstance(route, APIRoute) and route.include_in_schema
        for method in sorted(route.methods or ())
    ]
    return sorted(found, key=lambda one: (one[1].path, one[0]))


def route_table() -> str:
    """Return the routes as a table."""
    rows = [
        f"| `{name}` | {route.status_code or 200} | {route.summary}. {_first_line(route.description)} |"
        for name, route in routes()
    ]
    return "\n".join(["| Route | Answers | Does |", "|---|---|---|", *rows])


def command_sections() -> str:
    """Return a section per command: what it does, its arguments and options."""
    return "\n\n".join(_section(words, command) for words, command in commands())


def commands() -> Iterator[tuple[str, Any]]:
    """Yield every command with the words that call it: `token create`."""
    for name in COMMANDS:
        yield from _below(name, get_command(import_module(f"autolynx.cli.{name}").app))


def _below(words: str, command: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(command, TyperGroup):
        yield words, command
        return
    for name, inner in command.commands.items():
        yield from _below(f"{words} {name}", inner)


def _section(words: str, command: Any) -> str:
    arguments = [param for param in command.params if not _is_option(param)]
    options = [param for param in command.params if _is_option(param) and param.name != "help"]
    usage = " ".join([f"autolynx {words}", *(param.name.upper() for param in arguments)])
    lines = [f"### `{usage}`", "", _one_paragraph(command.help)]
    rows = [_row(param, f"`{param.name.upper()}`") for param in arguments]
    rows += [_row(param, ", ".join(f"`{name}`" for name in (*param.opts, *param.secondary_opts))) for param in options]
    if rows:
        lines += ["", "| Argument or option | Default | Meaning |", "|---|---|---|", *rows]
    return "\n".join(lines)


def _is_option(param: Any) -> bool:
    return bool(param.param_type_name == "option")


def _row(param: Any, names: str) -> str:
    has_default = param.default is not None and param.default is not False and not callable(param.default)
    default = "required" if param.required else f"`{param.default}`" if has_default else ""
    return f"| {names} | {default} | {_one_paragraph(param.help)} |"


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]


def _one_paragraph(text: str | None) -> str:
    return " ".join((text or "").split("\n\n")[0].split()).replace("|", "\\|")
