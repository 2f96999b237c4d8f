"""The one list of routers. GUARDED ones need a caller; those under their own lock check it themselves."""

from fastapi import APIRouter

from autolynx.web import docs, hooks
from autolynx.web.api import (
    analytics,
    assistant_versions,
    assistants,
    calls,
    campaign_life,
    campaigns,
    contacts,
    dialing,
    exports,
    feed,
    follow_ups,
    health,
    history,
    incidents,
    metrics,
    phone_numbers,
    plans,
    scheduler,
    session,
    tokens,
    unsure,
    uploads,
)
from autolynx.web.pages import campaign, campaign_moves, entrance, live, new_campaign
from autolynx.web.pages import campaigns as campaign_list

GUARDED: tuple[APIRouter, ...] = (
    assistants.router,
    assistant_versions.router,
    phone_numbers.router,
    uploads.router,
    plans.router,
    campaigns.router,
    campaign_life.router,
    follow_ups.router,
    contacts.router,
    exports.router,
    feed.router,
    calls.router,
    history.router,
    dialing.router,
    unsure.router,
    incidents.router,
    scheduler.router,
    health.router,
    analytics.router,
    metrics.router,
    tokens.router,
)
OWN_LOCK: tuple[APIRouter, ...] = (
    hooks.router,
    scheduler.cron_router,
    session.router,
    docs.router,
    health.open_router,
    entrance.open_router,
)
# Guarded like the API, by the same guard; they stand in no document.
PAGES: tuple[APIRouter, ...] = (
    campaign_list.router,
    new_campaign.router,
    campaign.router,
    campaign_moves.router,
    live.router,
    entrance.router,
)
