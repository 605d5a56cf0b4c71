from __future__ import annotations

from contextlib import suppress
from ipaddress import ip_address
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.fetching.addresses import is_public
from chalicelib.fetching.urls import MAX_URL_CHARACTERS, Target, vet
from chalicelib.protocol.errors import UnsafeLink
from tests.unit.fetching.notations import (
    IPV4_NOT_PUBLIC,
    IPV6_NOT_PUBLIC,
    ipv4_notations,
    ipv6_notations,
)


@pytest.mark.parametrize(
    ("url", "target", "authority"),
    [
        ("https://example.com", Target("https", "example.com", 443, "/", None), "example.com"),
        ("HTTPS://Example.COM/A?b=C#d", Target("https", "example.com", 443, "/A?b=C", None), "example.com"),
        ("https://example.com?q", Target("https", "example.com", 443, "/?q", None), "example.com"),
        ("https://example.com#f", Target("https", "example.com", 443, "/", None), "example.com"),
        ("https://example.com:8443/", Target("https", "example.com", 8443, "/", None), "example.com:8443"),
        ("https://example.com:443/", Target("https", "example.com", 443, "/", None), "example.com"),
        ("http://example.com/", Target("http", "example.com", 80, "/", None), "example.com"),
        (
            "https://xn--bcher-kva.example/",
            Target("https", "xn--bcher-kva.example", 443, "/", None),
            "xn--bcher-kva.example",
        ),
        ("https://_a.b-c.example/", Target("https", "_a.b-c.example", 443, "/", None), "_a.b-c.example"),
        ("https://8.8.8.8/", Target("https", "8.8.8.8", 443, "/", ip_address("8.8.8.8")), "8.8.8.8"),
        (
            "https://[2606:4700::0001]:8443/x",
            Target("https", "2606:4700::1", 8443, "/x", ip_address("2606:4700::1")),
            "[2606:4700::1]:8443",
        ),
        ("https://example.com//a/../b", Target("https", "example.com", 443, "//a/../b", None), "example.com"),
        (
            'https://example.com/é"{}|%20%zz',
            Target("https", "example.com", 443, "/%C3%A9%22%7B%7D%7C%20%zz", None),
            "example.com",
        ),
    ],
)
def test_plain_urls(url: str, target: Target, authority: str) -> None:
    assert vet(url) == target
    assert vet(url).authority == authority


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https:",
        "https://",
        "https:///path",
        "https:/example.com",
        "https:example.com",
        "//example.com",
        "example.com",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:6379/_x",
        "data:text/plain,x",
        "javascript:alert(1)",
        "x-batch-gateway:true",
        "https+unix://%2fvar%2frun%2fdocker.sock/",
        " https://example.com/",
        "https://example.com/ ",
        "https://exa mple.com/",
        "https://example.com/a b",
        "https://example.com/a\tb",
        "https://example.com/a\nb",
        "https://example.com/\r\nHost: x",
        "https://example.com/\x00",
        "https://example.com/\x7f",
        "https://example.com/\u2028",
        "https://example.com/\u00a0",
        "https://example.com/\u200b",
        "https://example.com/\ud800",
        "https://exam\tple.com/",
        "htt\nps://example.com/",
    ],
)
def test_what_is_no_plain_url(url: str) -> None:
    with pytest.raises(UnsafeLink):
        vet(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://user@example.com/",
        "https://user:password@example.com/",
        "https://@example.com/",
        "https://:@example.com/",
        "https://example.com@127.0.0.1/",
        "https://127.0.0.1@example.com/",
        "https://example.com%40127.0.0.1/",
        "https://example.com:443@127.0.0.1/",
        "https://a@b@127.0.0.1/",
        "https://example.com\\@127.0.0.1/",
        "https://example.com\\.evil.example/",
        "https:\\\\example.com\\",
        "https:/\\example.com",
        "https://example.com#@127.0.0.1:80@x/ y",
        "https://[::1]@example.com/",
        "https://example.com;127.0.0.1/",
        "https://example.com,127.0.0.1/",
        "https://127.0.0.1:80\\@example.com/",
    ],
)
def test_tricks_with_credentials_and_separators(url: str) -> None:
    with pytest.raises(UnsafeLink):
        vet(url)


@pytest.mark.parametrize("url", ["https://example.com#@127.0.0.1/", "https://example.com?@127.0.0.1/"])
def test_a_host_ends_where_the_query_or_the_fragment_begins(url: str) -> None:
    assert vet(url).host == "example.com"


@pytest.mark.parametrize(
    "port",
    [
        "0",
        "00443",
        "0443",
        "1",
        "22",
        "25",
        "80",
        "1023",
        "65536",
        "99999",
        "443443",
        "",
        "-1",
        "+443",
        "4_4",
    ],
)
def test_ports_that_are_not_called(port: str) -> None:
    with pytest.raises(UnsafeLink):
        vet(f"https://example.com:{port}/")


@pytest.mark.parametrize("port", [443, 1024, 8443, 65_535])
def test_ports_that_are_called(port: int) -> None:
    assert vet(f"https://example.com:{port}/").port == port


@pytest.mark.parametrize(
    "host",
    [
        ".",
        "..",
        ".example.com",
        "example..com",
        "example.com.",
        "localhost.",
        "-example.com",
        "example-.com",
        "a" * 64 + ".com",
        ".".join(["a" * 60] * 5),
        "bücher.example",
        "例え.テスト",
        "exa\u00admple.com",  # soft hyphen
        "examp\u0142e.com",
        "\u212aelvin.example",  # KELVIN SIGN, which lower-cases to an ASCII letter
        "\u017fecure.example",  # LONG S, likewise for upper case
        "ⓔxample.com",
        "%65xample.com",
        "exam%00ple.com",
        "example.com%2f@127.0.0.1",
        "exa*mple.com",
        "[example.com]",
        "[]",
        "[::1",
        "::1",
        "[::1]x",
        "[::g]",
        "[1:2:3:4:5:6:7:8:9]",
        "[::1.2.3]",
        "[v1.fe80::]",
        "[127.0.0.1]",
        "example.com.0x7f",
        "example.com.1",
        "1.2.3",
        "1.2.3.4.5",
        "256.256.256.256",
        "0x",
    ],
)
def test_hosts_that_are_no_names(host: str) -> None:
    with pytest.raises(UnsafeLink):
        vet(f"https://{host}/")


@pytest.mark.parametrize("address", [*IPV4_NOT_PUBLIC, "8.8.8.8"])
def test_every_other_notation_of_an_ipv4_address_is_refused(address: str) -> None:
    taken = []
    for host in ipv4_notations(address):
        with suppress(UnsafeLink):
            taken.append((host, vet(f"https://{host}/").address))
    # Three digits each is the plain notation where no part has fewer.
    assert all(host == str(found) for host, found in taken)


@pytest.mark.parametrize("address", IPV6_NOT_PUBLIC)
def test_every_notation_of_an_ipv6_address_is_recognised_or_refused(address: str) -> None:
    for host in ipv6_notations(address):
        with suppress(UnsafeLink):
            found = vet(f"https://{host}/").address
            assert found == ip_address(address)
            assert not is_public(found)


def test_a_url_has_a_longest_length() -> None:
    longest = "https://example.com/".ljust(MAX_URL_CHARACTERS, "a")
    assert vet(longest).path.endswith("a")
    with pytest.raises(UnsafeLink):
        vet(longest + "a")


@given(
    st.text(max_size=60) | st.text("htps:/@\\[]#?.%0x17f\t ", max_size=40).map(lambda end: "https://" + end)
)
@settings(max_examples=500)
def test_any_text_is_refused_or_read_as_the_standard_library_reads_it(text: str) -> None:
    try:
        target = vet(text)
    except UnsafeLink:
        return
    parts = urlsplit(text)
    assert parts.scheme == target.scheme
    assert parts.username is None
    assert (parts.hostname or "").strip("[]") == target.host or ip_address(
        parts.hostname or ""
    ) == target.address
    assert (parts.port or (443 if target.scheme == "https" else 80)) == target.port
    assert target.path.startswith("/")
    assert target.path.isascii()
    assert not set(target.path) & set(" \r\n\t\x00")
