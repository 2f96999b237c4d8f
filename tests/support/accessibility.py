"""What axe-core finds on a page. It runs in a world of its own, where no content policy binds it."""

import json
import shutil
import subprocess
import tarfile
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from playwright.async_api import Page

AXE = "axe-core@4.14.1"
GRAVE = {"serious", "critical"}
OPTIONS = {"preload": False, "resultTypes": ["violations"]}


@cache
def axe_source() -> str:
    """Return the script of axe-core, as npm brings it."""
    npm = shutil.which("npm")
    assert npm is not None, "npm is needed to bring axe-core"
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([npm, "pack", "--silent", AXE], cwd=folder, check=True, capture_output=True)
        (packed,) = Path(folder).iterdir()
        with tarfile.open(packed) as archive:
            member = archive.extractfile("package/axe.min.js")
            assert member is not None
            return member.read().decode()


async def find_barriers(page: Page) -> list[dict[str, Any]]:
    """Return every finding of axe-core on the page as it stands."""
    session = await page.context.new_cdp_session(page)
    try:
        tree = await session.send("Page.getFrameTree")
        world = await session.send(
            "Page.createIsolatedWorld", {"frameId": tree["frameTree"]["frame"]["id"], "worldName": "axe"}
        )
        place = {"contextId": world["executionContextId"], "returnByValue": True}
        await session.send("Runtime.evaluate", {"expression": f"{axe_source()};0", **place})
        asked = f"axe.run(document, {json.dumps(OPTIONS)}).then((found) => found.violations)"
        answer = await session.send("Runtime.evaluate", {"expression": asked, "awaitPromise": True, **place})
    finally:
        await session.detach()
    assert "exceptionDetails" not in answer, answer["exceptionDetails"]
    found: list[dict[str, Any]] = answer["result"]["value"]
    return found


async def assert_accessible(page: Page) -> None:
    """Fail with every serious or critical finding: what, where, and how to mend it."""
    grave = [
        f"{finding['impact']}: {finding['help']} ({finding['id']})\n  {node['html'][:200]}\n  {node['failureSummary']}"
        for finding in await find_barriers(page)
        if finding["impact"] in GRAVE
        for node in finding["nodes"]
    ]
    assert grave == [], f"{page.url} shuts people out:\n" + "\n".join(grave)
