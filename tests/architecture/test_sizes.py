import ast

from tests.support.sources import APPLICATION, ROOT, SIMULATOR, modules

LONGEST_FUNCTION = 40
LONGEST_MODULE = 300
MOST_BY_POSITION = 4
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


def test_many_arguments_are_named_by_the_caller() -> None:
    by_position = {
        source.at(node): len([a for a in node.args.posonlyargs + node.args.args if a.arg not in {"self", "cls"}])
        for source in OURS
        for node in source.walk(ast.FunctionDef, ast.AsyncFunctionDef)
        if not node.decorator_list  # the signatures of routes and commands are read by their frameworks
    }
    assert {where: count for where, count in by_position.items() if count > MOST_BY_POSITION} == {}


def test_no_module_is_a_drawer_for_everything() -> None:
    drawers = {"utils", "util", "common", "helpers", "helper", "service", "services", "manager", "misc", "base"}
    assert [source.name for source in OURS if source.path.stem in drawers or source.path.parent.name in drawers] == []
