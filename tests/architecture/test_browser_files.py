"""What the pages take from others: locked, pure, fetched when the package is built, in the wheel with its licence."""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from autolynx.web import served_assets
from hatch_build import FILES, MANIFEST, VENDOR, is_fresh
from tests.support.sources import ROOT

LOCK: dict[str, dict[str, Any]] = json.loads((ROOT / "package-lock.json").read_text("utf-8"))["packages"]
WANTED: dict[str, Any] = json.loads((ROOT / "package.json").read_text("utf-8"))
# A stand-in for npm: lays files as the real one does, and writes down what it was told.
NPM = """#!/bin/sh
if [ "$1" = --version ]; then echo "$NPM_VERSION"; exit; fi
echo "$@" >>"$NPM_LOG"
if [ -n "$NPM_COMPLAINT" ]; then echo "npm error code $NPM_COMPLAINT" >&2; exit 1; fi
for file in $NPM_FILES; do
    mkdir -p "node_modules/${file%/*}"
    printf 'made by %s\\n//# sourceMappingURL=gone.map' "$file" >"node_modules/$file"
done
"""


class Source:
    """A copy of what the build needs of the source folder, and a PATH with nothing but a stand-in for npm."""

    def __init__(self, folder: Path, *, version: str = "10.9.0", complaint: str = "") -> None:
        self.root = folder / "source"
        (self.root / "tools").mkdir(parents=True)
        for name in ("hatch_build.py", "tools/npm.py", *MANIFEST):
            shutil.copyfile(ROOT / name, self.root / name)
        self.vendor = self.root / VENDOR
        self.log = folder / "npm.log"
        programs = folder / "bin"
        programs.mkdir()
        (programs / "mkdir").symlink_to(shutil.which("mkdir") or "/bin/mkdir")
        (programs / "npm").write_text(NPM)
        (programs / "npm").chmod(0o755)
        self.environment = {
            "PATH": str(programs),
            "NPM_LOG": str(self.log),
            "NPM_VERSION": version,
            "NPM_COMPLAINT": complaint,
            "NPM_FILES": " ".join(FILES.values()),
        }

    def take(self) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "tools.npm", "take"]
        return subprocess.run(command, cwd=self.root, env=self.environment, capture_output=True, text=True, check=False)

    def runs(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []


def test_the_lock_names_no_address_and_bears_a_hash_for_every_package() -> None:
    packages = {name: one for name, one in LOCK.items() if name}
    assert packages
    assert [name for name, one in packages.items() if "resolved" in one] == []
    assert [name for name, one in packages.items() if not re.match(r"sha512-.{80,}", one["integrity"])] == []


def test_no_package_is_native_or_wants_to_run_something_when_it_is_installed() -> None:
    for name, one in LOCK.items():
        assert not {"os", "cpu", "libc", "hasInstallScript", "optional"} & set(one), name


def test_the_lock_is_that_of_the_wishes_and_each_wish_is_one_version() -> None:
    for group in ("dependencies", "devDependencies"):
        assert LOCK[""][group] == WANTED[group], "run `npm install --package-lock-only`"
        for name, version in WANTED[group].items():
            assert re.fullmatch(r"\d+\.\d+\.\d+", version), name
            assert LOCK[f"node_modules/{name}"]["version"] == version


def test_the_application_asks_for_what_the_build_brings() -> None:
    assert {f"vendor/{name}" for name in FILES if name.endswith(".js")} == set(served_assets.VENDOR)
    assert is_fresh(ROOT), "run `python -m tools.npm take`"


def test_the_scripts_of_others_point_to_no_source_map() -> None:
    for name in served_assets.VENDOR:
        assert b"sourceMappingURL" not in (served_assets.FOLDER / name).read_bytes(), name


def test_what_npm_lays_is_taken_once_and_again_when_the_lock_changes(tmp_path: Path) -> None:
    source = Source(tmp_path)
    for _ in range(2):
        assert source.take().returncode == 0
    assert [run.split()[0] for run in source.runs()] == ["ci"]
    assert {"--ignore-scripts", "--omit=dev"} <= set(source.runs()[0].split())
    assert {path.name for path in source.vendor.iterdir()} == {*FILES, ".stamp"}
    assert (source.vendor / "htmx.min.js").read_text() == "made by htmx.org/dist/htmx.min.js\n"

    (source.vendor / "left-over.js").write_text("of an older release")
    (source.root / "package-lock.json").write_text("{}")
    assert source.take().returncode == 0
    assert len(source.runs()) == 2
    assert not (source.vendor / "left-over.js").exists()

    (source.vendor / "htmx.min.js").unlink()
    assert source.take().returncode == 0
    assert len(source.runs()) == 3


@pytest.mark.parametrize(
    ("complaint", "words"),
    [
        ("ENOTFOUND", "npm could not get the files of the pages (ENOTFOUND); look at the network"),
        ("EINTEGRITY", "npm got a package that is not the one in package-lock.json"),
    ],
)
def test_a_failing_npm_is_told_in_one_sentence_and_leaves_nothing_half_done(
    tmp_path: Path, complaint: str, words: str
) -> None:
    source = Source(tmp_path, complaint=complaint)
    done = source.take()
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith(f"AutoLynx: {words}")
    assert done.stdout.count("\n") == 1
    assert not source.vendor.exists()


@pytest.mark.skipif(shutil.which("npm") is None, reason="the wheel of Node.js is installed where there is no npm")
def test_an_npm_that_cannot_read_the_lock_counts_as_none(tmp_path: Path) -> None:
    done = Source(tmp_path, version="6.14.4").take()
    assert done.returncode == 1
    assert "there is no npm 7 or newer; install Node.js" in done.stdout


def test_the_wheel_holds_the_files_with_their_licences_and_is_built_from_the_sdist_without_npm(tmp_path: Path) -> None:
    build(ROOT, "sdist", tmp_path)
    with tarfile.open(next(tmp_path.glob("*.tar.gz"))) as archive:
        archive.extraction_filter = getattr(tarfile, "data_filter", None)  # the first patches of 3.11 have none
        archive.extractall(tmp_path)  # noqa: S202 - our own archive
    unpacked = next(path for path in tmp_path.iterdir() if path.is_dir())
    build(unpacked, "wheel", tmp_path)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        names = set(wheel.namelist())
        assert {f"autolynx/web/assets/vendor/{name}" for name in FILES} <= names
        assert b"MIT" in wheel.read("autolynx/web/assets/vendor/chart.LICENSE.txt")
    own = {path.relative_to(ROOT / "src").as_posix() for path in served_assets.FOLDER.rglob("*.*")}
    assert {name for name in own if not name.endswith("/.stamp")} <= names


def build(root: Path, target: str, into: Path) -> None:
    """Build as pip does, with nothing on the PATH."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", str(into)]
    environment = {name: value for name, value in os.environ.items() if name != "PATH"} | {"PATH": str(into)}
    subprocess.run(command, cwd=root, env=environment, check=True, capture_output=True)
