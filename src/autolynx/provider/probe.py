"""Whether an address of ours answers from where we stand: what a check-up can find out without the provider's help."""

from ipaddress import ip_address
from urllib.parse import urlsplit

import httpx

PROBE_SECONDS = 10.0
PRIVATE_NAMES = ("localhost", ".local", ".internal", ".localdomain", ".test", ".invalid", ".example")


def is_private_address(url: str) -> bool:
    """Whether nobody on the Internet can reach that host, as far as its name or number tells."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    try:
        return not ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith(PRIVATE_NAMES)


async def probe_webhook(url: str) -> str | None:
    """Post an unauthenticated webhook there; None when it is refused as it must be, else what is wrong, in words."""
    try:
        async with httpx.AsyncClient(timeout=PROBE_SECONDS) as client:
            answer = await client.post(url, json={"message": {"type": "probe"}})
    except httpx.HTTPError as error:
        return f"nobody answers there ({type(error).__name__})"
    if answer.status_code == 401:
        return None
    if answer.is_success:
        return f"it accepted a webhook without a secret (HTTP {answer.status_code}): is that AutoLynx?"
    return f"it answered HTTP {answer.status_code} instead of refusing a webhook without a secret"
