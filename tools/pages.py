"""Write the generated blocks of the documentation, or check with --check that they are those of this code.

A block stands between `<!-- generated: NAME -->` and `<!-- end -->`; the words around it are written by hand.
"""

import re
import sys
from collections.abc import Mapping
from pathlib import Path

from tools import reference, states

DOCS = Path(__file__).parents[1] / "docs"
BLOCK = re.compile(r"(<!-- generated: (.+?) -->\n).*?(<!-- end -->)", re.DOTALL)


def pages() -> dict[Path, Mapping[str, str]]:
    """Return, for each page with generated parts, its blocks by name."""
    return {
        DOCS / "states.md": states.blocks(),
        DOCS / "api.md": {"routes": reference.route_table()},
        DOCS / "cli.md": {"commands": reference.command_sections()},
    }


def rendered(text: str, blocks: Mapping[str, str]) -> str:
    """Return a page's text with its blocks filled anew. Raises ValueError unless it has exactly these blocks."""
    names = [match[2] for match in BLOCK.finditer(text)]
    if sorted(names) != sorted(blocks):
        raise ValueError(f"the page has the blocks {sorted(names)}, the generator {sorted(blocks)}")
    return BLOCK.sub(lambda match: f"{match[1]}{blocks[match[2]]}\n{match[3]}", text)


def outdated() -> dict[Path, str]:
    """Return the pages that differ from the code, with the text they should have."""
    wanted = {path: rendered(path.read_text("utf-8"), blocks) for path, blocks in pages().items()}
    return {path: text for path, text in wanted.items() if text != path.read_text("utf-8")}


def main() -> int:
    """Write or check; return the exit code."""
    found = outdated()
    if "--check" in sys.argv[1:]:
        for path in found:
            print(f"{path.name} is not what the code says: run `make fix`.")
        return 1 if found else 0
    for path, text in found.items():
        path.write_text(text, "utf-8")
        print(f"wrote {path.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
