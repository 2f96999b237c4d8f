"""One-time links that sign a browser in."""

from uuid import UUID

from autolynx.domain.permission import Role
from autolynx.flows.people import add_person, find_person, list_people
from autolynx.flows.sessions import issue_ticket
from autolynx.flows.sign_in import link_to
from autolynx.runtime import Runtime
from autolynx.settings import VAPI_API
from autolynx.store.people import Person

SIMULATION = "you@localhost"  # the one who watches a simulated town
NOBODY = "Nobody is on the list yet. Add yourself: autolynx users add you@example.com --role admin"


async def sign_in_link(runtime: Runtime, person: Person, *, base_url: str, campaign_id: UUID | None = None) -> str:
    """Return an address that signs that person in once, within 15 minutes, and is worthless after.

    It leads to the campaign's page where one is named, else to the list.
    """
    ticket = await issue_ticket(runtime, person)
    said = {"campaign": str(campaign_id)} if campaign_id else {}
    return link_to(base_url, ticket, **said)


async def person_at_console(runtime: Runtime) -> Person | None:
    """Return the person whom the command line signs in where no email is given; None where nobody is on the list.

    That is who ADMIN_EMAIL names, else the first admin. In a simulated town there is always somebody.
    """
    named = runtime.settings.admin_email
    known = await find_person(runtime, named) if named else None
    if known is not None:
        return known
    admins = [one for one in await list_people(runtime) if one.role is Role.ADMIN]
    if admins:
        return min(admins, key=lambda one: one.created_at)
    if runtime.settings.vapi_base_url == VAPI_API:
        return None
    return await add_person(runtime, SIMULATION, role=Role.ADMIN)
