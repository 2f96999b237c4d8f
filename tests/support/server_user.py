"""A program that shares the embedded server of a folder until its standard input ends.

Arguments: the data folder, the version and, for root, the account to become. Prints the URL once it is up.
"""

import asyncio
import os
import pwd
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from autolynx.store.embedded import EmbeddedPostgres


async def main() -> None:
    # Named here because another account may not be able to load the module later.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())
    async with EmbeddedPostgres(Path(sys.argv[1]), version=int(sys.argv[2])) as server:
        print(server.url, flush=True)  # noqa: T201
        await asyncio.to_thread(sys.stdin.read)


if len(sys.argv) > 3:
    account = pwd.getpwnam(sys.argv[3])
    os.setgroups([])
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)
asyncio.run(main())
