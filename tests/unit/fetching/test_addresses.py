from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.fetching.addresses import Address, is_loopback, is_public
from tests.unit.fetching.notations import IPV4_NOT_PUBLIC, IPV6_NOT_PUBLIC

PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.1",
    "192.88.98.1",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2001:200::1",
    "2001:4860:4860::8888",
    "2606:4700:4700::1111",
    "2a00:1450:4001::200e",
    "3ffd::1",
]


@pytest.mark.parametrize("text", IPV4_NOT_PUBLIC + IPV6_NOT_PUBLIC)
def test_addresses_that_are_not_public(text: str) -> None:
    assert not is_public(ip_address(text))


@pytest.mark.parametrize("text", PUBLIC)
def test_addresses_that_are_public(text: str) -> None:
    assert is_public(ip_address(text))


def test_an_address_of_one_interface_is_not_public() -> None:
    assert not is_public(IPv6Address("2606:4700:4700::1111%eth0"))


@given(st.ip_addresses(v=4) | st.ip_addresses(v=6))
@settings(max_examples=500)
def test_nothing_is_public_that_python_takes_for_special(address: Address) -> None:
    special = (
        address.is_private
        or address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or address.is_reserved
    )
    assert not (special and is_public(address))


@given(st.ip_addresses(v=4))
@settings(max_examples=200)
def test_no_form_with_an_embedded_address_is_public(inner: IPv4Address) -> None:
    number = int(inner)
    forms = [
        number,
        0xFFFF << 32 | number,
        0x64FF9B << 96 | number,
        0x64FF9B0001 << 80 | number,
        0x2002 << 112 | number << 80 | 1,
        0x20010000 << 96 | number ^ 0xFFFFFFFF,
        0x2600 << 112 | 0x5EFE << 32 | number,
        0x2600 << 112 | 0x02005EFE << 32 | number,
    ]
    assert not any(is_public(IPv6Address(form)) for form in forms)


@pytest.mark.parametrize(
    ("text", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("::ffff:127.0.0.1", False),
        ("::127.0.0.1", False),
        ("128.0.0.1", False),
        ("10.0.0.1", False),
        ("::", False),
    ],
)
def test_loopback_is_this_machine_written_as_itself(text: str, loopback: bool) -> None:
    assert is_loopback(ip_address(text)) is loopback
