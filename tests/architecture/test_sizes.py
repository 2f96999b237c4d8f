import ast

from tests.support.sources import APPLICATION, ROOT, SIMULATOR, modules

LONGEST_FUNCTION = 40
LONGEST_MODULE = 300
OURS = modules(APPLICATION, SIMULATOR, ROOT / "tools")


def test_a_function_has_at_most_forty_lines() -> None:
    lengths = {
        source.at(node): (node.end_lineno or 0) - node.lineno + 1
        for source in OURS
        for node in source.walk(ast.FunctionDef, ast.AsyncFunctionDef)
    }
    assert {where: length for where, length in lengths.items() if length > LONGEST_FUNCTION} == {}


def test_a_module_has_at_most_three_hundred_lines() -> None:
    lengths = {source.name: source.text.count("\n") for source in OURS}
    assert {name: length for name, length in lengths.items() if length > LONGEST_MODULE} == {}


def test_no_module_is_a_drawer_for_everything() -> None:
    drawers = {"utils", "util", "common", "helpers", "helper", "service", "services", "manager", "misc", "base"}
    assert [source.name for source in OURS if source.path.stem in drawers or source.path.parent.name in drawers] == []
