"""One word per thing: the words that would be a second one for campaign, contact, call or assistant stay out."""

import ast
import re
from collections.abc import Iterator

from tests.support.sources import APPLICATION, ROOT, SIMULATOR, Source, modules

FOREIGN = {"lead", "leads", "job", "jobs", "agent", "agents", "dialer", "dialers"}
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
COLUMN = re.compile(
    r"^\s+(\w+) (?:uuid|text|integer|smallint|bigint|boolean|jsonb|timestamptz|numeric|date|bytea)\b", re.MULTILINE
)
TABLE = re.compile(r"CREATE (?:UNIQUE )?(?:TABLE|INDEX|TYPE|FUNCTION|TRIGGER|VIEW)(?: IF NOT EXISTS)? (\w+)")
NAMED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def names(source: Source) -> Iterator[tuple[str, str]]:
    """Every name that a module gives to something, and where."""
    for node in source.walk(*NAMED, ast.arg, ast.Name, ast.Attribute, ast.keyword):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield source.at(node), node.name
            case ast.arg():
                yield source.at(node), node.arg
            case ast.Name(ctx=ast.Store()):
                yield source.at(node), node.id
            case ast.Attribute(ctx=ast.Store()):
                yield source.at(node), node.attr
    yield source.name, source.path.stem


def words(name: str) -> set[str]:
    return {word.lower() for word in WORD.findall(name)}


def test_names_are_taken_apart_into_words() -> None:
    assert words("job_id") | words("nextLead") | words("HTTPAgent") == {"job", "id", "next", "lead", "http", "agent"}
    assert not words("misleading_jobless") & FOREIGN


def test_the_code_uses_one_word_per_thing() -> None:
    found = [
        f"{where} {name}" for s in modules(APPLICATION, SIMULATOR) for where, name in names(s) if words(name) & FOREIGN
    ]
    assert found == []


def test_tables_and_columns_use_one_word_per_thing() -> None:
    schema = "\n".join(path.read_text("utf-8") for path in (ROOT / "supabase" / "migrations").glob("*.sql"))
    tables, columns = TABLE.findall(schema), COLUMN.findall(schema)
    assert {"campaigns", "contacts", "calls"} <= set(tables)
    assert {"campaign_id", "cost_usd"} <= set(columns)
    assert [name for name in [*tables, *columns] if words(name) & FOREIGN] == []
