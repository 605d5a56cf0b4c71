"""Vets the text of a URL that somebody else chose, before anything is asked.

Source: RFC 3986, of which only the plain core is taken. What two parsers could read differently is refused,
not interpreted: credentials, backslashes, spaces, control characters, hosts that are not in ASCII, and every
notation of an IPv4 address but four decimal numbers (what `inet_aton` makes of `127.1`, `0x7f.1`,
`0177.0.0.1` or `2130706433` is loopback). A name that is not in ASCII is written in its `xn--` form.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final
from urllib.parse import quote

from chalicelib.fetching.addresses import Address
from chalicelib.protocol.errors import UnsafeLink

# A GET request of CCIP-Read carries its whole question in the URL.
MAX_URL_CHARACTERS: Final = 16_384
MAX_HOST_CHARACTERS: Final = 253

_URL: Final = re.compile(
    r"(?P<scheme>https?)://"
    r"(?:\[(?P<ipv6>[0-9a-f:.]{2,45})\]|(?P<name>[a-z0-9._-]+))"
    r"(?::(?P<port>[1-9][0-9]{0,4}))?"
    r"(?P<path>(?:[/?][^#]*)?)"
    r"(?:\#.*)?",
    re.IGNORECASE | re.ASCII | re.VERBOSE | re.DOTALL,
)
_LABEL: Final = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
# A host whose last label looks like a number is an address to some resolver (WHATWG URL, "ends in a number").
_NUMBER_AT_THE_END: Final = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}
_FIRST_UNPRIVILEGED_PORT: Final = 1024
_MAX_PORT: Final = 65_535
_KEPT_IN_PATHS: Final = "!#$%&'()*+,/:;=?@[]~"


@dataclass(frozen=True, slots=True)
class Target:
    """What a URL says: where to, and what to ask for there.

    `host` is a name in lower-case ASCII, or the text of `address`. `path` begins with a slash and has the
    query in it; the fragment is not sent.
    """

    scheme: str
    host: str
    port: int
    path: str
    address: Address | None

    @property
    def authority(self) -> str:
        """The value of the `Host` header."""
        host = f"[{self.host}]" if isinstance(self.address, IPv6Address) else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


def vet(url: str) -> Target:
    """What `url` says, if it is plain. Raises `UnsafeLink`.

    `http:` is not refused here: whether it may be used depends on the address it leads to.
    """
    if len(url) > MAX_URL_CHARACTERS:
        raise UnsafeLink("The link is too long.")
    match = _URL.fullmatch(url)
    # Letters that are not in ASCII occur in paths; spaces and control characters of any kind do not.
    if match is None or "\\" in url or " " in url or not url.isprintable():
        raise UnsafeLink("The link is not a plain https: URL.")
    scheme = match["scheme"].lower()
    host, address = _host(match["ipv6"], (match["name"] or "").lower())
    path = quote(match["path"], safe=_KEPT_IN_PATHS, errors="replace")
    return Target(scheme, host, _port(scheme, match["port"]), "/" + path.removeprefix("/"), address)


def _host(ipv6: str | None, name: str) -> tuple[str, Address | None]:
    try:
        if ipv6 is not None:
            address: Address = IPv6Address(ipv6)
            return str(address), address
        if _NUMBER_AT_THE_END.fullmatch(name):
            address = IPv4Address(name)
            return str(address), address
    except AddressValueError:
        raise UnsafeLink("The link has an address in an unusual notation.") from None
    if len(name) > MAX_HOST_CHARACTERS or not _NAME.fullmatch(name):
        raise UnsafeLink("The link has a host that is no name.")
    return name, None


def _port(scheme: str, text: str | None) -> int:
    """The port: the scheme's own, or one that no classical service has."""
    default = _DEFAULT_PORTS[scheme]
    port = int(text) if text else default
    if port != default and not _FIRST_UNPRIVILEGED_PORT <= port <= _MAX_PORT:
        raise UnsafeLink("The link has a port that is not called.")
    return port
