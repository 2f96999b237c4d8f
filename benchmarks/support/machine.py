"""What a figure was measured on: printed beside it, because a figure without its machine means nothing."""

import os
import platform
from pathlib import Path

from autolynx.store.database import Database


async def describe(database: Database) -> str:
    """Return one line: processor, cores, load, Python, PostgreSQL and whether its commits are durable."""
    async with database.connection() as conn:
        row = await (
            await conn.execute(
                """SELECT current_setting('server_version') AS version, current_setting('fsync') = 'on'
                       AND current_setting('synchronous_commit') = 'on' AS is_durable"""
            )
        ).fetchone()
    assert row is not None
    commits = "durable commits" if row["is_durable"] else "commits NOT durable"
    load = f"load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "load unknown"
    return (
        f"machine    {processor()}, {os.cpu_count()} cores, {load}; Python {platform.python_version()}, "
        f"PostgreSQL {row['version'].split()[0]}, {commits}"
    )


def processor() -> str:
    """Return the processor's name."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def percentile(values: list[float], percent: float) -> float:
    """Return the value below which that share of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]
