"""A runtime with what moves by itself around it, as a process opens it and the web server is built on it."""

from dataclasses import dataclass

from autolynx.flows.refill import Refiller
from autolynx.flows.tick import Ticker
from autolynx.runtime import Runtime


@dataclass(frozen=True, kw_only=True)
class Engine:
    """A runtime and what moves by itself around it; in a function nothing does."""

    runtime: Runtime
    refiller: Refiller | None
    ticker: Ticker | None
