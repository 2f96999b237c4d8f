"""From where a request comes, when proxies stand between. Their word counts only where a setting says so."""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.requests import HTTPConnection
from starlette.types import Scope

EVERYBODY = "*"
_SCHEMES = frozenset({"http", "https"})


def as_seen_by_proxies(scope: Scope, trusted: Sequence[str]) -> Scope:
    """Return the scope with the client's own address and scheme, as the trusted proxies tell them.

    Of X-Forwarded-For the last entry counts that is not a trusted proxy itself: what stands before it anybody may have
    written. Whoever comes from elsewhere is taken for what it is, whatever it says.
    """
    peer = scope.get("client")
    if not trusted or peer is None or not is_trusted(peer[0], tuple(trusted)):
        return scope
    told = HTTPConnection(scope).headers
    changed: Scope = {**scope}
    address = _client(told.getlist("x-forwarded-for"), tuple(trusted))
    if address is not None:
        changed["client"] = (address, 0)
    scheme = told.get("x-forwarded-proto", "").rpartition(",")[2].strip().lower()
    if scheme in _SCHEMES:
        changed["scheme"] = scheme
    return changed


def is_trusted(host: str, trusted: tuple[str, ...]) -> bool:
    """Whether an address is that of a trusted proxy."""
    if EVERYBODY in trusted:
        return True
    address = _address(host)
    return address is not None and any(address in network for network in _networks(trusted))


def _client(headers: Sequence[str], trusted: tuple[str, ...]) -> str | None:
    """Return who the proxies say it is; None where they say nothing that can be read."""
    hops = [hop.strip() for header in headers for hop in header.split(",")]
    addresses = [address for hop in reversed(hops) if (address := _address(_without_port(hop))) is not None]
    strangers = [address for address in addresses if not is_trusted(str(address), trusted)]
    found = strangers[0] if strangers else addresses[-1] if addresses else None
    return str(found) if found is not None else None


def _without_port(hop: str) -> str:
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


@lru_cache(maxsize=16)
def _networks(trusted: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(network, strict=False) for network in trusted)
