"""npm for the house: whether it is there, the files of the pages, and what only browser tests need.

python -m tools.npm           exit code 0 where npm is at hand, 1 where Node.js has to come from its wheel
python -m tools.npm take      lay the files that the pages need into the package, as an installation does
"""

import sys
import tempfile
from pathlib import Path

from hatch_build import Unobtainable, install, npm_on_path, stamp, take, write

ROOT = Path(__file__).parents[1]


def axe_source() -> str:
    """Return the script of axe-core, the judge of accessibility. Raises Unobtainable where npm cannot bring it."""
    kept = ROOT / ".venv" / f"axe.{stamp(ROOT)[:12]}.min.js"
    if not kept.is_file():
        with tempfile.TemporaryDirectory(prefix="autolynx-npm-") as scratch:
            found = install(ROOT, Path(scratch)) / "axe-core" / "axe.min.js"
            kept.parent.mkdir(exist_ok=True)
            write(kept, found.read_bytes())
    return kept.read_text("utf-8")


def main() -> int:
    """Do what the first argument says; return the exit code."""
    if sys.argv[1:] != ["take"]:
        return 0 if npm_on_path() else 1
    try:
        take(ROOT)
    except Unobtainable as problem:
        print(f"AutoLynx: {problem}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
