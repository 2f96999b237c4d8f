"""The documentation is checked like code: what it names exists, and what exists is named."""

import json
import re
import tomllib
from itertools import count
from pathlib import Path

import pytest
from pydantic_core import PydanticUndefined

from autolynx.domain.call import CallStatus
from autolynx.errors import KINDS
from autolynx.settings import Settings
from tests.support.sources import ROOT, texts
from tools import reference, states
from tools.pages import BLOCK, outdated, pages, rendered

PAGES = texts(".md")
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
SECTIONS = ["Context", "Decision", "Consequences", "Alternatives", "What enforces it"]
KINDS_OF_CHANGE = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
OUR_FOLDERS = ("src/", "tests/", "docs/", "tools/", "supabase/", "deploy/", "benchmarks/", "requirements/", "examples/")


def text_of(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def first_cells(table: str) -> list[list[str]]:
    """The cells of every row of the tables in a text, without heads and rules."""
    rows = [line.strip().strip("|") for line in table.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)] for row in rows]
    return [row for row in cells if not set(row[0]) <= set("-: ") and row[0].startswith("`")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_page_links_to_what_is_there(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)|<img src=\"([^\"]+)\"", page.read_text("utf-8"))
    local = [one or other for one, other in targets if "://" not in (one or other)]
    assert [target for target in local if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_page_names_files_and_commands_that_are_there(page: Path) -> None:
    text = page.read_text("utf-8")
    quoted = re.findall(r"`([^`\n]+)`", text)
    files = [word for word in quoted if word.startswith(OUR_FOLDERS) and not re.search(r"[<*{ ]", word)]
    goals = set(re.findall(r"^(?:\$ )?make ([a-z]+)|`make ([a-z]+)", text, re.MULTILINE))
    known = set(re.findall(r"^([a-z]+):", text_of("Makefile"), re.MULTILINE))
    assert [name for name in files if not (ROOT / name).exists()] == []
    assert {name for pair in goals for name in pair if name} <= known


def test_the_generated_pages_are_those_of_this_code() -> None:
    assert [path.name for path in outdated()] == [], "run `make fix`"


def test_a_generated_block_that_went_stale_is_noticed() -> None:
    path, blocks = next(iter(pages().items()))
    stale = BLOCK.sub(lambda match: f"{match[1]}old\n{match[3]}", path.read_text("utf-8"))
    assert stale not in {path.read_text("utf-8"), rendered(stale, blocks)}
    assert rendered(stale, blocks) == rendered(path.read_text("utf-8"), blocks)
    with pytest.raises(ValueError, match="the page has the blocks"):
        rendered("", blocks)


def test_every_status_of_a_call_is_reached_and_none_is_left_again_for_an_active_one() -> None:
    arrows = states.call_arrows()
    assert {CallStatus(end) for _, end, _ in arrows} == set(CallStatus) - {CallStatus.QUEUED}
    assert [arrow for arrow in arrows if not CallStatus(arrow[0]).is_active and CallStatus(arrow[1]).is_active] == []


def test_every_setting_is_documented_with_its_default() -> None:
    documented = {row[0].strip("`"): row[1].strip("`") for row in first_cells(text_of("docs/settings.md"))}
    assert documented == {str(field.alias): _written(field.default) for field in Settings.model_fields.values()}


def _written(default: object) -> str:
    """A default as an operator would write it into the environment; '' where there is none."""
    if default is None or default is PydanticUndefined:
        return ""
    if isinstance(default, tuple):
        return ",".join(str(part) for part in default)
    return f"{default:g}" if isinstance(default, float) else str(default)


def test_every_route_is_documented() -> None:
    routes = [name for name, _ in reference.routes()]
    assert len(routes) == len(set(routes))
    table = text_of("docs/api.md").partition("## Routes")[2]
    assert [row[0].strip("`") for row in first_cells(table)] == routes


def test_every_route_says_in_a_few_words_what_it_does() -> None:
    assert [name for name, route in reference.routes() if not route.summary or not route.description] == []


def test_every_kind_of_error_is_documented_with_its_status() -> None:
    table = text_of("docs/api.md").partition("## Routes")[0]
    documented = {row[0].strip("`"): row[1] for row in first_cells(table)}
    assert documented == {kind.code: str(kind.http_status) for kind in KINDS.values()}


def test_every_command_is_documented_with_a_sentence() -> None:
    page = text_of("docs/cli.md")
    assert [words for words, _ in reference.commands() if f"### `autolynx {words}" not in page] == []
    assert [words for words, command in reference.commands() if not command.help] == []


def test_decisions_are_numbered_without_a_gap() -> None:
    assert DECISIONS
    assert [path.name[:5] for path in DECISIONS] == [f"{n:04}-" for n, _ in zip(count(1), DECISIONS, strict=False)]


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_says_why_and_what_enforces_it(path: Path) -> None:
    text = path.read_text("utf-8")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS
    assert text.startswith(f"# {int(path.name[:4])}. ")
    assert "`" in text.partition("## What enforces it")[2], "name the test, constraint or check"


def test_the_changelog_keeps_its_form() -> None:
    text = text_of("CHANGELOG.md")
    heads = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert heads[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", head) for head in heads[1:])
    assert set(re.findall(r"^### (.+)$", text, re.MULTILINE)) <= KINDS_OF_CHANGE


def test_every_dependency_is_listed_with_a_reason() -> None:
    told = tomllib.loads(text_of("pyproject.toml"))
    project, package = told["project"], json.loads(text_of("package.json"))
    wanted = [
        *project["dependencies"],
        *(line for extra in project["optional-dependencies"].values() for line in extra),
        *told["dependency-groups"]["judge"],
        *told["dependency-groups"]["node"],
        *package["dependencies"],
        *package["devDependencies"],
    ]
    names = {re.split(r"[\[>=<;~! ]", line)[0] for line in wanted}
    section = text_of("README.md").partition("## What it is built from")[2].partition("\n## ")[0]
    reasons = {name: row[1] for row in first_cells(section) for name in re.findall(r"`([^`]+)`", row[0])}
    assert reasons.keys() == names
    assert all(len(reason.split()) > 3 for reason in reasons.values())


def test_every_make_goal_says_what_it_is_for() -> None:
    goals = re.findall(r"^([a-z]+):(.*)$", text_of("Makefile"), re.MULTILINE)
    assert [name for name, rest in goals if "## " not in rest] == []
    phony = re.search(r"^\.PHONY: (.+)$", text_of("Makefile"), re.MULTILINE)
    assert phony
    assert sorted(phony[1].split()) == sorted(name for name, _ in goals)
