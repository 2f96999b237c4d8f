"""Builds the ASGI application: every router once, one error envelope, one outer layer."""

from collections.abc import Sequence
from functools import cache
from importlib.metadata import version

from fastapi import APIRouter, Depends, FastAPI
from starlette.routing import BaseRoute

from autolynx.flows.engine import Engine
from autolynx.flows.live_feed import LiveFeed
from autolynx.flows.phone_line import PhoneLines
from autolynx.flows.refill import Refiller
from autolynx.flows.tick import Ticker
from autolynx.runtime import Runtime
from autolynx.web.admission import Admission, Table
from autolynx.web.auth import Guard, get_caller
from autolynx.web.compression import Compression
from autolynx.web.context import Launching
from autolynx.web.entries import ENTRIES
from autolynx.web.hooks import install_receiver
from autolynx.web.limiter import Limiter
from autolynx.web.limits import CallerLimits, StrangerLimits
from autolynx.web.openapi import DescribedApp
from autolynx.web.outer import Outer
from autolynx.web.pages.problem import show_problem
from autolynx.web.problems import install_handlers
from autolynx.web.refusals import MOST_TICKETS_PER_MINUTE, MOST_WEBHOOKS_PER_MINUTE, Refusals
from autolynx.web.routers import GUARDED, OWN_LOCK, PAGES
from autolynx.web.served_assets import packaged_assets


def build_app(runtime: Runtime, *, refiller: Refiller | None = None, ticker: Ticker | None = None) -> FastAPI:
    """Return the application around a runtime.

    In a function there is no refiller and no ticker: routes then refill within a budget before they answer.
    """
    app = DescribedApp(
        title="AutoLynx",
        version=version("autolynx"),
        description="CSV-driven outbound calling: upload a list, choose an assistant, press Start.",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.runtime = runtime
    app.state.launching = Launching(runtime=runtime, refiller=refiller, ticker=ticker)
    app.state.refused_webhooks = Refusals(most_per_minute=MOST_WEBHOOKS_PER_MINUTE)
    app.state.refused_tickets = Refusals(most_per_minute=MOST_TICKETS_PER_MINUTE)
    app.state.limiter = Limiter.of(runtime.settings)
    app.state.phone_lines = PhoneLines(runtime)
    app.state.show_problem = show_problem
    app.state.admission = Table(ENTRIES)
    install_handlers(app)
    app.add_middleware(Admission)
    app.add_middleware(CallerLimits)
    app.add_middleware(Guard)
    app.add_middleware(StrangerLimits)
    app.add_middleware(Compression)
    app.add_middleware(Outer)  # the last one added stands outside
    install_receiver(app)  # first, because routes are tried in order: webhooks are by far the most frequent requests
    app.router.routes.extend(_included())
    app.mount("/assets", packaged_assets(), name="assets")
    return app


def build_web(engine: Engine) -> FastAPI:
    """Build the application around an engine."""
    return build_app(engine.runtime, refiller=engine.refiller, ticker=engine.ticker)


def count_watchers(app: FastAPI) -> int:
    """Return how many live streams an application serves."""
    feed = _live_feed(app)
    return feed.watchers if feed else 0


async def close_web(app: FastAPI) -> None:
    """End the live streams of an application, which would otherwise keep its server from stopping, and let go."""
    feed = _live_feed(app)
    if feed is not None:
        await feed.close()
    limiter: Limiter | None = getattr(app.state, "limiter", None)
    if limiter is not None:
        await limiter.close()


def _live_feed(app: FastAPI) -> LiveFeed | None:
    """Return the feed, which exists since somebody first watched."""
    return getattr(app.state, "live_feed", None)


@cache
def _included() -> Sequence[BaseRoute]:
    """Include every router, once in a process: what a route works with hangs on the application that is asked.

    What FastAPI works out of a signature is worked out by the first request, and takes as long as a hundred others.
    """
    house = APIRouter(redirect_slashes=False)
    for router in OWN_LOCK:
        house.include_router(router)
    for router in GUARDED:
        house.include_router(router, dependencies=[Depends(get_caller)])
    for router in PAGES:
        house.include_router(router)
    return tuple(house.routes)
