"""The command `autolynx`. One module per command; they are imported when they are called for, see `lazy`."""

import sys

import typer

from autolynx.cli.lazy import LazyGroup
from autolynx.errors import AutolynxError, kind_of

app = typer.Typer(
    cls=LazyGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def autolynx() -> None:
    """Call a whole list by a voice assistant: nobody twice, no idle lines, a CSV in, a CSV out."""


def main() -> None:
    """Run the command line. What a person can mend is told in one sentence, with the exit code of its kind."""
    try:
        app(prog_name="autolynx")
    except AutolynxError as error:
        print(f"autolynx: {error.message}", file=sys.stderr)
        sys.exit(kind_of(error).exit_code)
