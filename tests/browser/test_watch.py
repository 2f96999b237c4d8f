"""The watch itself: what it must not miss."""

import pytest
from playwright.async_api import Page

from tests.support.accessibility import assert_accessible
from tests.support.page_watch import Watch

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        ("console.warn('careful')", "console warning: careful"),
        ("setTimeout(() => { throw new Error('nobody catches me') })", "uncaught: nobody catches me"),
        ("fetch('https://elsewhere.example/').catch(() => {})", "content policy: connect-src"),
        (
            "document.body.append(Object.assign(document.createElement('script'), {text: '1'}))",
            "content policy: script",
        ),
        ("document.body.setAttribute('style', 'color: red')", "content policy: style-src"),
        ("fetch('/nowhere')", "answer 404: GET"),
    ],
)
async def test_what_goes_wrong_behind_a_page_is_told(page: Page, watch: Watch, harm: str, told: str) -> None:
    await page.evaluate(f"() => {{ {harm} }}")
    for _ in range(100):
        if any(told in trouble for trouble in watch.troubles):
            break
        await page.wait_for_timeout(20)
    with pytest.raises(AssertionError, match="the browser noticed"):
        watch.verdict()
    assert any(told in trouble for trouble in watch.troubles), watch.troubles
    watch.announce(*watch.troubles)


async def test_a_barrier_is_told(page: Page) -> None:
    await page.evaluate("document.body.append(document.createElement('button'))")
    with pytest.raises(AssertionError, match="shuts people out"):
        await assert_accessible(page)
