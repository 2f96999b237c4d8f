"""Figures for monitoring, in the format of Prometheus."""

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from autolynx.store import metrics
from autolynx.store.metrics import Metrics
from autolynx.web.auth import CallerDep
from autolynx.web.context import RuntimeDep

router = APIRouter(prefix="/api", tags=["health"])


@router.get(
    "/metrics",
    summary="Show figures for monitoring",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}, "description": "Figures in the format of Prometheus."}},
)
async def show_metrics(runtime: RuntimeDep, _actor: CallerDep) -> Response:
    """Return lines, campaigns, incidents and the state of the inbox, read from the database at this moment."""
    async with runtime.database.connection() as conn:
        found = await metrics.get(conn)
    return Response(generate_latest(_collect(found)), media_type=CONTENT_TYPE_LATEST)


def _collect(found: Metrics) -> CollectorRegistry:
    """Fill a registry of this request's own: the database is the truth for every process, so nothing is kept here."""
    registry = CollectorRegistry()

    def gauge(name: str, meaning: str, value: float) -> None:
        Gauge(f"autolynx_{name}", meaning, registry=registry).set(value)

    def gauges(name: str, meaning: str, label: str, values: dict[str, int]) -> None:
        family = Gauge(f"autolynx_{name}", meaning, [label], registry=registry)
        for key, value in values.items():
            family.labels(key).set(value)

    gauge("lines_held", "Calls that hold a line.", found.lines_held)
    gauge("unsure_contacts", "Contacts that wait for a person's decision.", found.unsure)
    gauge("provider_failures", "Failures of the provider in a row.", found.provider_failures)
    gauge("dialing_held", "1 while the red button holds dialling.", found.is_held)
    gauge("account_in_trouble", "1 while the provider refuses the account.", found.is_in_trouble)
    gauges("campaigns", "Campaigns by status.", "status", found.campaigns)
    gauges("incidents", "Incidents since the beginning, by kind.", "kind", found.incidents)
    gauges("inbox", "Webhooks that wait, are parked or were given up, by state.", "state", found.inbox)
    if found.last_tick_at is not None:
        gauge("last_tick_timestamp_seconds", "When the last tick ended.", found.last_tick_at.timestamp())
    return registry
