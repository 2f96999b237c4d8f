"""Reading a campaign's id from an address."""

from uuid import UUID

from autolynx.errors import NotFound
from autolynx.web.readers import read_id


def campaign_id_of(text: str) -> UUID:
    """Return the id in an address. Raises NotFound for what is none."""
    known = read_id(text)
    if known is None:
        raise NotFound("There is no campaign of that id. It may have been deleted.")
    return known
