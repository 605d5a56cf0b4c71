"""Which network addresses are public, that is, may be called because somebody else said so.

Sources: the IANA registries of special-purpose IPv4 and IPv6 addresses; RFC 4291 (IPv6 forms), RFC 5214
(ISATAP), RFC 6052 and 8215 (NAT64), RFC 3056 and 7526 (6to4), RFC 4380 (Teredo). Python's `is_global` is
not asked: what it says differs between versions, and it takes addresses for global in which another is
embedded. For IPv6 only what is handed out for global use counts, so everything else is refused unnamed:
unspecified, loopback, IPv4-mapped and -compatible, NAT64, unique local, link-local, site-local, multicast.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final, TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address

_IPV4_REFUSED: Final = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network, the unspecified address
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by the customers of a carrier (CGNAT)
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # the platform behind a virtual machine on Azure
        "169.254.0.0/16",  # link-local, with 169.254.169.254, where clouds hand out credentials
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112: sinks for queries about private addresses
        "192.52.193.0/24",  # AMT relays
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, the broadcast address
    )
)
_IPV6_GLOBAL: Final = IPv6Network("2000::/3")
_IPV6_REFUSED: Final = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments: Teredo, benchmarks, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, with any IPv4 address inside
        "2620:4f:8000::/48",  # AS112
        "3ffe::/16",  # the former 6bone
        "3fff::/20",  # documentation
    )
)
# ISATAP: a router hands the packet on to the IPv4 address in the last four bytes, under any prefix.
_ISATAP: Final = (b"\x00\x00\x5e\xfe", b"\x02\x00\x5e\xfe")


def is_public(address: Address) -> bool:
    """Whether `address` is one machine on the public internet, as far as an address can tell."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _IPV4_REFUSED)
    if address.scope_id is not None or address not in _IPV6_GLOBAL:
        return False
    return address.packed[8:12] not in _ISATAP and not any(address in network for network in _IPV6_REFUSED)


def is_loopback(address: Address) -> bool:
    """Whether `address` is this machine, written as itself: `127.0.0.0/8` or `::1`."""
    return address.is_loopback and getattr(address, "ipv4_mapped", None) is None
