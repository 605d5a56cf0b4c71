"""Addresses that must not be called, and the ways there are to write them."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

IPV4_NOT_PUBLIC = (
    "0.0.0.0",  # noqa: S104 - an address to refuse, not to bind
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.100.100.200",  # metadata of Alibaba Cloud
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",  # the platform of Azure
    "169.254.0.1",
    "169.254.169.254",  # metadata of AWS, Google, Azure and others
    "169.254.170.2",  # credentials of containers on AWS
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.192",  # metadata of Oracle
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "192.168.255.255",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.7",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
)

IPV6_NOT_PUBLIC = (
    "::",
    "::1",
    "::127.0.0.1",  # IPv4-compatible
    "::8.8.8.8",
    "::ffff:127.0.0.1",  # IPv4-mapped
    "::ffff:169.254.169.254",
    "::ffff:8.8.8.8",
    "::ffff:0:127.0.0.1",  # IPv4-translated
    "64:ff9b::7f00:1",  # NAT64
    "64:ff9b::a9fe:a9fe",
    "64:ff9b::8.8.8.8",
    "64:ff9b:1::7f00:1",  # NAT64 for local use
    "100::1",  # discard
    "2001::1",  # Teredo
    "2001:0:7f00:1::",
    "2001:2::1",  # benchmark
    "2001:10::1",  # ORCHID
    "2001:20::1",
    "2001:db8::1",  # documentation
    "2002:7f00:1::1",  # 6to4 of 127.0.0.1
    "2002:a9fe:a9fe::",
    "2600::5efe:7f00:1",  # ISATAP of 127.0.0.1, under a public prefix
    "2600::200:5efe:a9fe:a9fe",
    "3fff::1",  # documentation
    "5f00::1",  # segment routing
    "fc00::1",  # unique local
    "fd00:ec2::254",  # metadata of AWS
    "fd20:ce::254",  # metadata of Google
    "fe80::1",  # link-local
    "fe80::a9fe:a9fe",
    "fec0::1",  # site-local
    "ff02::1",  # multicast
    "4000::1",  # not handed out to anybody
)


def ipv4_notations(address: str) -> tuple[str, ...]:
    """Hosts that some parser reads as the IPv4 `address`, the plain notation left out."""
    number = int(IPv4Address(address))
    parts = [number >> 24, number >> 16 & 255, number >> 8 & 255, number & 255]
    return (
        str(number),
        hex(number),
        hex(number).upper().replace("0X", "0x"),
        oct(number).replace("0o", "0"),
        f"00{oct(number)[2:]}",
        str(number + 2**32),  # what overflows in a 32-bit parser
        f"{parts[0]}.{number & 0xFFFFFF}",
        f"{parts[0]}.{parts[1]}.{number & 0xFFFF}",
        f"0x{parts[0]:x}.{number & 0xFFFFFF}",
        ".".join(f"0x{part:x}" for part in parts),
        ".".join(f"0x{part:08x}" for part in parts),
        ".".join(f"0{part:o}" for part in parts),
        ".".join(f"0{part:03o}" for part in parts),
        ".".join(f"{part:03d}" for part in parts),
        f"{parts[0]}.0x{parts[1]:x}.0{parts[2]:o}.{parts[3]}",
        f"{address}.",
        f"{number}.",
        f"{address}..",
        f"{address}%00",
        f"%{ord(address[0]):x}{address[1:]}",
        address.replace(".", "%2e"),
        address.replace(".", "\u3002"),
        address.replace(".", "\uff0e"),
        "".join(chr(ord(sign) + 0xFEE0) if sign.isdigit() else sign for sign in address),
        "".join(chr(0x2460 + int(sign) - 1) if sign in "123456789" else sign for sign in address),
    )


def ipv6_notations(address: str) -> tuple[str, ...]:
    """Hosts, in brackets, that some parser reads as the IPv6 `address`."""
    parsed = IPv6Address(address)
    return tuple(
        f"[{text}]"
        for text in dict.fromkeys(
            (
                address,
                parsed.exploded,
                parsed.compressed.upper(),
                f"{address}%25eth0",
                f"{address}%eth0",
                f"0{parsed.exploded}",
            )
        )
    )
