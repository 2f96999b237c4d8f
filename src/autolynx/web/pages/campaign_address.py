"""Reading a campaign's id from an address."""

from uuid import UUID

from autolynx.errors import NotFound


def campaign_id_of(text: str) -> UUID:
    """Return the id in an address. Raises NotFound for what is none."""
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("There is no campaign of that id. It may have been deleted.") from None
