"""Ask whether the locked dependencies are known to be vulnerable. Needs the network, and is no part of CI.

python -m tools.audit    exit code 0: nothing is known; 1: something must be brought up to date; 2: not all were asked

Python packages are looked up by name and version in OSV, the open database of vulnerabilities that pip-audit reads too;
what pages bring from npm by `npm audit`. A source that cannot be asked is named: that is no all-clear.
"""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from hatch_build import Unobtainable, run_npm

ROOT = Path(__file__).parents[1]
OSV = "https://api.osv.dev"
SECONDS = 30.0
MOST_AT_ONCE = 500
FOUND, UNASKED = 1, 2
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)


class Unasked(Exception):
    """A source that could not be asked."""


def locked(root: Path = ROOT) -> dict[str, str]:
    """Return every locked Python package with its version."""
    texts = [path.read_text("utf-8") for path in sorted((root / "requirements").glob("*.txt"))]
    return {name.lower(): version for text in texts for name, version in _PIN.findall(text)}


def look_up(client: httpx.Client, packages: Mapping[str, str]) -> list[str]:
    """Return a line for each known vulnerability of the packages. Raises Unasked."""
    named = sorted(packages.items())
    lines: list[str] = []
    for start in range(0, len(named), MOST_AT_ONCE):
        part = named[start : start + MOST_AT_ONCE]
        for (name, version), result in zip(part, _ask(client, part), strict=True):
            lines += [f"{name} {version}: {one['id']}" for one in result.get("vulns", [])]
    return lines


def _ask(client: httpx.Client, packages: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    queries = [{"package": {"name": name, "ecosystem": "PyPI"}, "version": version} for name, version in packages]
    try:
        answer = client.post("/v1/querybatch", json={"queries": queries}).raise_for_status()
        results: list[dict[str, Any]] = answer.json()["results"]
    except (httpx.HTTPError, ValueError, KeyError) as error:
        raise Unasked(f"the database of vulnerabilities cannot be asked from here ({type(error).__name__})") from None
    return results


def read_npm(returncode: int, output: str) -> list[str]:
    """Return a line for each finding of `npm audit --json`. Raises Unasked where that is no report."""
    try:
        report = json.loads(output)
        found = report["vulnerabilities"]
    except (ValueError, KeyError, TypeError):
        raise Unasked(f"the npm registry does not answer audits from here (npm ended with {returncode})") from None
    return [f"{name}: {one.get('severity', 'unknown')}" for name, one in sorted(found.items())]


def _npm() -> list[str]:
    try:
        done = run_npm("audit", "--json", "--package-lock-only", "--audit", folder=ROOT)
    except (Unobtainable, OSError, subprocess.TimeoutExpired) as problem:
        raise Unasked(f"npm could not be run ({problem})") from None
    return read_npm(done.returncode, done.stdout)


def main() -> int:
    """Ask both and say what they say."""
    packages, code = locked(), 0
    with httpx.Client(base_url=OSV, timeout=SECONDS) as client:
        checks: dict[str, Callable[[], list[str]]] = {
            f"{len(packages)} Python packages": partial(look_up, client, packages),
            "npm": _npm,
        }
        for what, ask in checks.items():
            try:
                lines = ask()
            except Unasked as problem:
                print(f"{what}: NOT CHECKED: {problem}.")
                code = code or UNASKED
                continue
            print(f"{what}: {len(lines) or 'nothing'} known.", *lines, sep="\n  ")
            code = FOUND if lines else code
    return code


if __name__ == "__main__":
    sys.exit(main())
