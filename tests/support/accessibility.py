"""What axe-core finds on a page. It runs in a world of its own, where no content policy binds it."""

import json
import os
from functools import cache
from typing import Any

import pytest
from playwright.async_api import Page

from hatch_build import Unobtainable
from tools.npm import axe_source

GRAVE = {"serious", "critical"}
OPTIONS = {"preload": False, "resultTypes": ["violations"]}


@cache
def _axe() -> str:
    """Return the script of axe-core. Without it the tests are skipped, but in CI they fail."""
    try:
        return axe_source()
    except Unobtainable as problem:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"axe-core is not at hand: {problem}")


async def find_barriers(page: Page) -> list[dict[str, Any]]:
    """Return every finding of axe-core on the page as it stands."""
    session = await page.context.new_cdp_session(page)
    try:
        tree = await session.send("Page.getFrameTree")
        world = await session.send(
            "Page.createIsolatedWorld", {"frameId": tree["frameTree"]["frame"]["id"], "worldName": "axe"}
        )
        place = {"contextId": world["executionContextId"], "returnByValue": True}
        await session.send("Runtime.evaluate", {"expression": f"{_axe()};0", **place})
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
