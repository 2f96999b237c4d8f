"""Rules about the files of the repository: migrations, lock files, and what no file may mention."""

import re
import tomllib
from itertools import pairwise

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.sources import ROOT, texts

MIGRATIONS = sorted((ROOT / "supabase" / "migrations").iterdir())
MIGRATION_NAME = re.compile(r"^[0-9]{14}_[a-z0-9_]+\.sql$")
OWN_TRANSACTION = re.compile(
    r"^\s*(BEGIN|START TRANSACTION|COMMIT|ROLLBACK)\s*;|\bCONCURRENTLY\b", re.IGNORECASE | re.MULTILINE
)
PIN = re.compile(r"^([a-z0-9._-]+)==(\S+)(?: ; (.+?))? \\$", re.MULTILINE)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
LOCKS = {
    "runtime": ["project"],
    "embedded": ["project", "embedded"],
    "dev": ["project", "embedded", "dev"],
}
# A folder of one machine, or the address of a package registry. (Written so that this line is neither.)
FOREIGN_PLACES = re.compile(r"(?<![\w.~])/(?:root|home|Users|work)/\w|://[^ /\"']*(?:pypi|pythonhosted|npmjs|debian)\b")


def wanted(parts: list[str]) -> list[Requirement]:
    """What pyproject.toml asks for: the project's own dependencies, extras by name, and the build tool."""
    project, groups = PROJECT["project"], PROJECT["dependency-groups"]
    lines = list(groups["build"])
    for part in parts:
        lines += project["dependencies"] if part == "project" else project["optional-dependencies"][part]
    return [Requirement(line) for line in lines]


def pins(name: str) -> dict[str, str]:
    text = (ROOT / "requirements" / f"{name}.txt").read_text("utf-8")
    return {canonicalize_name(package): version for package, version, _ in PIN.findall(text)}


def test_a_migration_is_named_by_its_time_and_what_it_does() -> None:
    assert MIGRATIONS
    assert [path.name for path in MIGRATIONS if not MIGRATION_NAME.match(path.name)] == []


def test_migrations_have_different_times() -> None:
    versions = [path.name.partition("_")[0] for path in MIGRATIONS]
    assert all(earlier < later for earlier, later in pairwise(versions))


def test_a_migration_is_one_transaction_of_the_one_who_applies_it() -> None:
    assert [path.name for path in MIGRATIONS if OWN_TRANSACTION.search(path.read_text("utf-8"))] == []


def test_a_lock_file_names_no_registry() -> None:
    for path in (ROOT / "requirements").iterdir():
        text = path.read_text("utf-8")
        assert "://" not in text, path.name
        assert not re.search(
            r"^\s*(-i|-f|--index-url|--extra-index-url|--find-links|--trusted-host)\b", text, re.MULTILINE
        ), path.name


def test_every_line_of_a_lock_file_is_pinned_with_a_hash() -> None:
    for path in (ROOT / "requirements").iterdir():
        text = "\n".join(line for line in path.read_text("utf-8").splitlines() if not line.lstrip().startswith("#"))
        blocks = re.split(r"\n(?=\S)", text.strip())
        assert len(blocks) == len(PIN.findall(text + "\n")), path.name
        assert [block.partition("\n")[0] for block in blocks if "--hash=sha256:" not in block] == [], path.name


def test_the_lock_files_hold_what_the_project_asks_for() -> None:
    for name, parts in LOCKS.items():
        pinned = pins(name)
        lacking = [
            str(requirement)
            for requirement in wanted(parts)
            if not requirement.specifier.contains(pinned.get(canonicalize_name(requirement.name), "0"))
        ]
        assert lacking == [], f"requirements/{name}.txt is older than pyproject.toml: run `make lock`"


def test_the_lock_files_agree_on_every_version() -> None:
    everything = pins("dev")
    for name in LOCKS:
        assert pins(name).items() <= everything.items(), name


def test_no_file_names_a_folder_of_one_machine_or_a_registry() -> None:
    files = [*texts(".py", ".md", ".toml", ".txt", ".sql", ".sh", ".yml", ".yaml", ".json", ".html", ".js", ".css")]
    files += [ROOT / "Makefile", ROOT / ".ci" / "run"]
    found = [
        f"{path.relative_to(ROOT)}: {m[0]}" for path in files if (m := FOREIGN_PLACES.search(path.read_text("utf-8")))
    ]
    assert found == []
