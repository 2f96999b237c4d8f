"""The command `vapisim`."""

import argparse
import asyncio
import json
import socket
import sys
from collections.abc import Sequence

from vapisim import __version__
from vapisim.faults import Faults, UnknownFaultError, describe
from vapisim.scenarios import SCENARIOS
from vapisim.server import Server, listen
from vapisim.signing import PRESETS, SCHEMES, UnknownAuthError, WebhookAuth
from vapisim.state import Settings
from vapisim.world import World

try:
    import uvloop
except ImportError:  # not available on Windows
    uvloop = None  # type: ignore[assignment]


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line and serve until told to stop."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        settings = read_settings(options)
    except (UnknownFaultError, UnknownAuthError) as problem:
        parser.error(str(problem))
    try:
        listener = listen(options.host, options.port)
    except OSError as problem:
        sys.stderr.write(f"vapisim: cannot listen on {options.host}:{options.port}: {problem.strerror}\n")
        return 1
    runner = uvloop.run if uvloop is not None else asyncio.run
    runner(_serve(settings, listener, exits_with_parent=options.exit_with_parent))
    return 0


async def _serve(settings: Settings, listener: socket.socket, *, exits_with_parent: bool) -> None:
    await Server(World(settings), listener).run_until_told(exits_with_parent=exits_with_parent)


def read_settings(options: argparse.Namespace) -> Settings:
    """Read settings from parsed options; refuses faults and credentials that it cannot understand."""
    faults = dict(map(_assignment, options.fault))
    Faults().changed(SCENARIOS[options.scenario].faults).changed(faults)
    return Settings(
        seed=options.seed,
        speed=options.speed,
        scenario=options.scenario,
        concurrency_limit=options.concurrency_limit,
        latency_seconds=options.latency,
        api_key=options.api_key,
        id_salt=options.id_salt,
        faults=faults,
        webhook_auth=_auth(options),
    )


def _auth(options: argparse.Namespace) -> WebhookAuth:
    wishes: dict[str, object] = {"scheme": options.webhook_auth, "secret": options.webhook_secret}
    if options.hmac_preset:
        wishes["preset"] = options.hmac_preset
    return WebhookAuth().changed(wishes | {"hmac": dict(map(_assignment, options.hmac))})


def _assignment(text: str) -> tuple[str, object]:
    """`name=value`; the value is JSON where it can be read as JSON, else the text itself."""
    name, _, value = text.partition("=")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _positive(text: str) -> float:
    number = float(text)
    if number <= 0:
        raise argparse.ArgumentTypeError("must be greater than 0")
    return number


def _parser() -> argparse.ArgumentParser:
    plays = "\n".join(f"  {play.name:16} {play.meaning}" for play in SCENARIOS.values())
    faults = "\n".join(f"  {name:28} {about['meaning']} [{about['kind']}]" for name, about in describe().items())
    parser = argparse.ArgumentParser(
        prog="vapisim",
        description="A stand-in for the Vapi voice API that dials nobody.",
        epilog=f"scenarios:\n{plays}\n\nfaults:\n{faults}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--version", action="version", version=__version__)
    add("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    add("--port", type=int, default=8900, help="port, 0 for a free one (default 8900)")
    add("--speed", type=_positive, default=20.0, help="virtual seconds per real second (default 20)")
    add("--seed", type=int, default=7, help="same seed, same fates (default 7)")
    add("--scenario", choices=tuple(SCENARIOS), default="busy-town")
    add("--concurrency-limit", type=int, default=10, help="lines of the account (default 10)")
    add(
        "--latency",
        type=float,
        default=0.3,
        metavar="SECONDS",
        help="virtual seconds before POST /call answers (0.3)",
    )
    add("--api-key", help="the only key to accept (default: any)")
    add(
        "--id-salt",
        default="",
        help="changes every id, nothing else; for runs against a database that is kept",
    )
    add("--fault", action="append", default=[], metavar="NAME=VALUE", help="repeatable; see below")
    add("--webhook-auth", choices=SCHEMES, default="none", help="how webhooks are authenticated")
    add("--webhook-secret", default="", help="secret for --webhook-auth")
    add("--hmac-preset", choices=tuple(PRESETS), help="header names and format of HMAC signatures")
    add("--hmac", action="append", default=[], metavar="OPTION=VALUE", help="one HMAC option, repeatable")
    add("--exit-with-parent", action="store_true", help="stop when standard input closes")
    return parser


if __name__ == "__main__":
    sys.exit(main())
