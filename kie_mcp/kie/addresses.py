"""Which addresses and names are on the public internet, and which are somebody's own network.

Source: the IANA special-purpose address registries, as ``ipaddress`` has them; RFC 6761, 6762, 8375 for names.
"""

from __future__ import annotations

import ipaddress
import socket

from kie_mcp.config import is_loopback_host

_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
"""All that is given out of IPv6 for use on the internet (RFC 4291, 2.4)."""
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""IPv4 addresses as networks that have IPv6 alone write them (RFC 6052)."""
_PROTOCOLS = ipaddress.IPv4Network("192.0.0.0/24")
"""For the protocols of networks themselves (RFC 6890), which older Pythons take for global in part."""
_EXAMPLES = ipaddress.IPv6Network("3fff::/20")
"""For documentation (RFC 9637), which older Pythons take for global."""
_HOST_OF_AZURE = ipaddress.IPv4Address("168.63.129.16")
"""What the machines of Azure have their settings from; public by its number alone."""
_OWN_DOMAINS = (".localhost", ".local", ".internal", ".home.arpa")


def is_local_address(address: str) -> bool:
    """Whether an IP address is anything but a public unicast one. Raises ``ValueError`` for no address.

    An IPv6 address that stands for one of IPv4 counts as that one.
    """
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv4Address):
        return not parsed.is_global or parsed.is_multicast or parsed in _PROTOCOLS or parsed == _HOST_OF_AZURE
    inner = parsed.ipv4_mapped or parsed.sixtofour
    if parsed in _NAT64:
        inner = ipaddress.IPv4Address(parsed.packed[-4:])
    if inner is not None:
        return is_local_address(str(inner))
    return parsed not in _GLOBAL_UNICAST or parsed in _EXAMPLES or not parsed.is_global


def is_local_host(host: str) -> bool:
    """Whether the host of a URL is surely on this machine or in its network, going by how it is written.

    Numbers are read as the system's resolver does: ``2130706433`` and ``0x7f.1`` are 127.0.0.1. A name without
    a dot is nobody's on the internet. Any other name may still lead anywhere.
    """
    name = host.lower().rstrip(".")
    if is_loopback_host(name) or name.endswith(_OWN_DOMAINS):
        return True
    try:
        return is_local_address(name)
    except ValueError:
        pass
    try:
        return is_local_address(socket.inet_ntoa(socket.inet_aton(name)))
    except (OSError, ValueError):  # a name; ValueError for a NUL or what is beyond ASCII
        return "." not in name
