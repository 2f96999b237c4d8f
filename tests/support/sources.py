"""The repository's own files, as the tests of its rules read them."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
APPLICATION = ROOT / "src" / "autolynx"
SIMULATOR = ROOT / "src" / "vapisim"
NOT_OURS = {".git", ".venv", "__pycache__", "node_modules", "dist", "build", "data", "vendor"}


@dataclass(frozen=True)
class Source:
    """One Python module."""

    path: Path

    @cached_property
    def text(self) -> str:
        return self.path.read_text("utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, filename=str(self.path))

    @property
    def name(self) -> str:
        """Its path from the repository, as a person would write it: src/autolynx/runtime.py."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def area(self) -> str:
        """The package below autolynx or vapisim that it belongs to, or its own name: store, web, settings, ..."""
        return self.path.relative_to(ROOT / "src").with_suffix("").parts[1]

    def at(self, node: ast.AST) -> str:
        return f"{self.name}:{getattr(node, 'lineno', 1)}"

    def walk(self, *kinds: type[ast.AST]) -> Iterator[ast.AST]:
        return (node for node in ast.walk(self.tree) if isinstance(node, kinds))

    def dotted_names(self) -> Iterator[tuple[ast.AST, str]]:
        """Every name and attribute as it is written: `os.environ`, `clock.now`, `datetime.now`."""
        for node in self.walk(ast.Attribute, ast.Name):
            yield node, ast.unparse(node)

    def imported(self) -> Iterator[tuple[ast.AST, str]]:
        """Every module that is imported, and every name from a module: `os`, `os.environ`."""
        for node in self.walk(ast.Import, ast.ImportFrom):
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    yield node, f"{'.' * node.level}{node.module or ''}.{alias.name}"
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    yield node, alias.name


def modules(*folders: Path) -> list[Source]:
    """The Python modules below these folders, in the order of their names. Fails where there is none."""
    found = [Source(path) for folder in folders for path in sorted(folder.rglob("*.py"))]
    assert found, f"no Python modules below {folders}"
    return found


def texts(*suffixes: str) -> list[Path]:
    """The repository's files with these suffixes, whoever made them, installed and generated folders left out."""
    return [
        path
        for path in sorted(ROOT.rglob("*"))
        if path.suffix in suffixes and path.is_file() and not NOT_OURS & set(path.relative_to(ROOT).parts)
    ]
