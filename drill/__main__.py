"""`python -m drill`: what a sceptic runs. Exit code 1 where a promise was broken."""

import argparse
import asyncio
import logging
import sys
from dataclasses import fields, replace

from autolynx.log import configure_logging
from drill.conductor import run_drill
from drill.plan import Plan


def main() -> int:
    """Run one drill per seed and print the verdicts."""
    options = _parser().parse_args()
    names = {field.name for field in fields(Plan)}
    plan = Plan(**{name: value for name, value in vars(options).items() if name in names and value is not None})
    configure_logging("error", as_json=False)
    logging.getLogger("psycopg").setLevel(logging.CRITICAL)  # that the database is away is what we play
    is_good = True
    for number in range(options.seeds):
        verdict = asyncio.run(run_drill(replace(plan, seed=plan.seed + number)))
        print("\n".join(verdict.lines()), flush=True)
        is_good = is_good and verdict.is_good
    print("every promise held" if is_good else "PROMISES WERE BROKEN")
    return 0 if is_good else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="drill", description="A campaign in which everything fails; nobody is called."
    )
    defaults = Plan()
    for field in fields(Plan):
        value = getattr(defaults, field.name)
        parser.add_argument(f"--{field.name}", type=type(value), help=f"default {value}")
    parser.add_argument("--seeds", type=int, default=1, help="so many drills, with this seed and the following ones")
    return parser


if __name__ == "__main__":
    sys.exit(main())
