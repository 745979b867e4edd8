"""Which addresses of the internet we go to when a stranger names them."""

import ipaddress

from plyr.atproto.errors import UrlRefused

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_NEVER = tuple(
    ipaddress.ip_network(network)
    for network in (
        "100.64.0.0/10",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "198.18.0.0/15",
        "64:ff9b:1::/48",
        "2001::/23",
        "2002::/16",
        "fec0::/10",
    )
)


def is_public(address: str) -> bool:
    """Tell whether an IP address belongs to the open internet.

    shape:  IPv6 forms that carry an IPv4 address (mapped, NAT64) are judged by what they carry; tunnels
            (6to4, Teredo), private, loopback, link-local, shared (CGNAT), multicast and reserved are not public
    errors: none; what is no address is not public
    """
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_public(str(ip.ipv4_mapped))
        if ip in _NAT64:
            return is_public(str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)))
    if any(ip.version == network.version and ip in network for network in _NEVER):
        return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)


def is_loopback(address: str) -> bool:
    """Tell whether an IP address is this machine; IPv4 addresses mapped into IPv6 are not."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def names_loopback(host: str) -> bool:
    """Tell whether a URL's host is written as this machine: `localhost`, 127.0.0.0/8 or ::1."""
    return host == "localhost" or is_loopback(host)


def require_allowed(host: str, addresses: list[str], *, allow_loopback: bool) -> None:
    """Refuse a host unless every address it resolves to may be visited.

    errors: UrlRefused when one of them is inside a network; with `allow_loopback`, a host written as
            this machine may be this machine, and nothing else may
    """
    if allow_loopback and names_loopback(host):
        fine = all(is_loopback(address) for address in addresses)
    else:
        fine = all(is_public(address) for address in addresses)
    if not fine or not addresses:
        raise UrlRefused(f"{host} is not an address on the open internet, so it was not asked")
