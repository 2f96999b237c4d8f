"""One-time links that sign a browser in."""

from urllib.parse import urlencode
from uuid import UUID

from autolynx.flows.access import issue_ticket
from autolynx.runtime import Runtime

ENTRANCE = "/enter"


async def sign_in_link(runtime: Runtime, *, base_url: str, campaign_id: UUID | None = None) -> str:
    """Return an address that opens one browser session within 15 minutes, and is worthless after.

    It leads to the campaign's page where one is named, else to the list.
    """
    ticket = await issue_ticket(runtime)
    query = {"ticket": ticket.secret} | ({"campaign": str(campaign_id)} if campaign_id else {})
    return f"{base_url}{ENTRANCE}?{urlencode(query)}"
