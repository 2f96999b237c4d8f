"""Secrets are compared in constant time alone, and every rule of ruff about security is on."""

import ast
import re
import tomllib

from tests.support.sources import APPLICATION, ROOT, Source, modules

AUTOLYNX = modules(APPLICATION)
SECRET = re.compile(r"(^|_)(secrets?|signatures?|digest|csrf|password|token|mac|api_key)$")
# Compared by == although they are called like secrets: each with the reason why that tells nobody anything.
PLAIN = {
    "domain/secret_strength.py": "judges the operator's own secret at the start",
    "provider/scrub.py": "looks for secrets in texts that are stored, which nobody waits for",
    "provider/wire_directory.py": "compares configurations from which secrets were taken out",
}
SECURITY = "S"


def name_of(node: ast.expr) -> str:
    """What a compared thing is called: a name, an attribute, a key, or what was called for it."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        return str(node.slice.value)
    if isinstance(node, ast.Call):
        return name_of(node.func).removeprefix("get_").removesuffix("_value")
    return ""


def compared(source: Source) -> list[str]:
    """Where something that is called like a secret is compared with something that is not a constant."""
    found = []
    for node in source.walk(ast.Compare):
        assert isinstance(node, ast.Compare)
        sides = [node.left, *node.comparators]
        is_equal = any(isinstance(op, ast.Eq | ast.NotEq | ast.In | ast.NotIn) for op in node.ops)
        is_with_constant = any(isinstance(side, ast.Constant) for side in sides)
        if is_equal and not is_with_constant and any(SECRET.search(name_of(side).lower()) for side in sides):
            found.append(source.at(node))
    return found


def test_secrets_are_compared_in_constant_time() -> None:
    found = [where for source in AUTOLYNX for where in compared(source)]
    assert [where for where in found if not any(plain in where for plain in PLAIN)] == []


def test_the_search_for_comparisons_finds_one() -> None:
    code = "if sent == settings.webhook_secret: pass\nif token in tokens: pass\nif hmac.compare_digest(a, b): pass"
    names = [
        name_of(side)
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Compare)
        for side in [node.left, *node.comparators]
    ]
    assert [name for name in names if SECRET.search(name)] == ["webhook_secret", "token"]


def test_whoever_checks_a_proof_uses_compare_digest() -> None:
    checked = {source.name for source in AUTOLYNX if "compare_digest" in source.text}
    assert any(name.endswith("web/auth.py") for name in checked)
    assert any(name.endswith("provider/webhook_auth.py") for name in checked)


def test_rules_about_security_are_on_and_each_that_is_off_says_why() -> None:
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    lint = tomllib.loads(text)["tool"]["ruff"]["lint"]
    assert lint["select"] == ["ALL"]
    off = {rule for rule in lint["ignore"] if rule.startswith(SECURITY) and rule[1:2].isdigit()}
    assert off == {"S608"}
    assert re.search(r'"S608",\s+# \w', text)
    for pattern, rules in lint["per-file-ignores"].items():
        if "src/autolynx" in pattern:
            assert [rule for rule in rules if re.match(r"S\d", rule)] == []


def test_every_exception_from_a_rule_about_security_gives_its_reason() -> None:
    bare = [
        f"{source.name}:{number}"
        for source in AUTOLYNX
        for number, line in enumerate(source.text.splitlines(), 1)
        if re.search(r"# noqa: [A-Z0-9, ]*\bS\d+[A-Z0-9, ]*\s*$", line)
    ]
    assert bare == []
