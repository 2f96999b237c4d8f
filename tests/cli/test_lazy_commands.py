import subprocess
import sys

import pytest
from typer.testing import CliRunner

from autolynx.cli import app
from autolynx.cli.lazy import COMMANDS

HEAVY = "fastapi psycopg phonenumbers uvicorn httpx autolynx.bootstrap"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_the_table_can_be_called(name: str) -> None:
    answer = CliRunner().invoke(app, [name, "--help"], prog_name="autolynx")
    assert answer.exit_code == 0, answer.output
    assert f"Usage: autolynx {name}" in answer.output


def test_the_list_of_commands_imports_nothing_heavy() -> None:
    program = f"""
import sys
from typer.testing import CliRunner
from autolynx.cli import app
answer = CliRunner().invoke(app, ["--help"])
print(answer.exit_code, [name for name in "{HEAVY}".split() if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0 []"


def test_an_unknown_command_is_a_usage_error() -> None:
    answer = CliRunner().invoke(app, ["dance"])
    assert answer.exit_code == 2
    assert "No such command 'dance'" in answer.output
