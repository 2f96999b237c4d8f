"""Who may touch what: time, the environment, the database, the network. Import directions are import-linter's."""

import ast
import re
import subprocess
import sys
from pathlib import Path

from tests.support.sources import APPLICATION, ROOT, SIMULATOR, Source, modules

AUTOLYNX = modules(APPLICATION)
OURS = [*AUTOLYNX, *modules(SIMULATOR)]

ENVIRONMENT = {"os.environ", "os.getenv", "os.environb", "os.getenvb", "os.putenv"}
TIME_OF_DAY = {
    "datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns",
    "datetime.datetime.now", "datetime.datetime.utcnow", "datetime.date.today", "time.localtime", "time.gmtime",
}  # fmt: skip
SQL = re.compile(
    r"^\s*(SELECT\s.+\sFROM\s|INSERT\s+INTO\s|UPDATE\s+\w+\s+(\w+\s+)?SET\s|DELETE\s+FROM\s|WITH\s+\w+\s+AS\s*\(|COPY\s+\w+\s*\()",
    re.DOTALL,
)
SQL_TIME = re.compile(
    r"\b(now\(\)|current_timestamp|clock_timestamp\(\)|localtimestamp|statement_timestamp\(\))", re.IGNORECASE
)


def uses(sources: list[Source], names: set[str]) -> list[str]:
    """Where one of the dotted names is used, or imported by itself."""
    return [
        f"{source.at(node)} {name}"
        for source in sources
        for node, name in [*source.dotted_names(), *source.imported()]
        if name in names
    ]


def imports(sources: list[Source], package: str) -> list[str]:
    return [
        f"{source.at(node)} {name}"
        for source in sources
        for node, name in source.imported()
        if name == package or name.startswith(f"{package}.")
    ]


def outside(*areas: str) -> list[Source]:
    """The application's modules but those of these areas; each area exists."""
    assert set(areas) <= {source.area for source in AUTOLYNX}
    return [source for source in AUTOLYNX if source.area not in areas]


def strings(source: Source) -> list[tuple[ast.AST, str]]:
    """Every text in the code but docstrings; of f-strings the fixed parts, joined."""
    documented = source.walk(ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    skipped = {id(node.body[0].value) for node in documented if node.body and isinstance(node.body[0], ast.Expr)}  # type: ignore[attr-defined]
    found: list[tuple[ast.AST, str]] = []
    for node in source.walk(ast.JoinedStr):
        assert isinstance(node, ast.JoinedStr)
        skipped |= {id(part) for part in node.values}
        found.append((node, "".join(str(p.value) if isinstance(p, ast.Constant) else "x" for p in node.values)))
    plain = [node for node in source.walk(ast.Constant) if isinstance(node, ast.Constant)]
    return found + [(n, n.value) for n in plain if isinstance(n.value, str) and id(n) not in skipped]


def test_imports_go_one_way() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_environment_is_read_in_settings_alone() -> None:
    assert uses(outside("settings"), ENVIRONMENT) == []


def test_the_time_of_day_comes_from_the_clock() -> None:
    assert uses(outside("runtime"), TIME_OF_DAY) == []


def test_sql_never_asks_the_server_for_the_time() -> None:
    in_code = [source.at(node) for source in AUTOLYNX for node, text in strings(source) if SQL_TIME.search(text)]
    migrations = sorted((ROOT / "supabase" / "migrations").glob("*.sql"))
    assert in_code + [path.name for path in migrations if SQL_TIME.search(path.read_text("utf-8"))] == []


def test_only_the_store_knows_psycopg() -> None:
    assert imports(outside("store"), "psycopg") + imports(outside("store"), "psycopg_pool") == []


def test_only_the_store_speaks_sql() -> None:
    found = [source.at(node) for source in outside("store") for node, text in strings(source) if SQL.search(text)]
    assert found == []
    in_store = [node for source in AUTOLYNX if source.area == "store" for node, t in strings(source) if SQL.search(t)]
    assert len(in_store) > 20, "the pattern no longer recognises SQL"


def test_only_provider_identity_and_archive_speak_http() -> None:
    assert imports(outside("provider", "identity", "archive"), "httpx") == []


def test_the_domain_knows_neither_io_nor_chance() -> None:
    domain = [source for source in AUTOLYNX if source.area == "domain"]
    impure = ["os", "asyncio", "random", "secrets", "uuid.uuid4", "logging", "structlog", "pathlib", "time", "socket"]
    assert [found for package in impure for found in imports(domain, package)] == []


def test_the_application_and_the_simulator_share_nothing() -> None:
    assert imports(AUTOLYNX, "vapisim") + imports(modules(SIMULATOR), "autolynx") == []


def test_imports_are_absolute() -> None:
    assert [source.at(node) for source in OURS for node, name in source.imported() if name.startswith(".")] == []


def test_imports_stand_at_the_top() -> None:
    functions = [(s, f) for s in OURS for f in s.walk(ast.FunctionDef, ast.AsyncFunctionDef)]
    assert [s.at(n) for s, f in functions for n in ast.walk(f) if isinstance(n, ast.Import | ast.ImportFrom)] == []


def test_no_import_hides_from_the_running_program() -> None:
    assert [s.at(node) for s in OURS for node, name in s.dotted_names() if name.endswith("TYPE_CHECKING")] == []


def test_only_the_command_line_prints() -> None:
    calls = [(source, node) for source in outside("cli") for node in source.walk(ast.Call)]
    assert [source.at(node) for source, node in calls if ast.unparse(node).startswith("print(")] == []
