"""Where a request or a socket comes from: the network address that quotas are charged to.

API Gateway says who called it. That is the caller, or CloudFront; then the distribution's function has
written the caller's address into a header. Anyone can write headers, so it is believed only beside the secret
that the distribution alone knows and puts over whatever a caller may have sent under that name.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any, Final

ORIGIN_HEADER: Final = "x-dm3-origin"
VIEWER_HEADER: Final = "x-dm3-viewer"


def is_behind(headers: Mapping[str, str], secret: str | None) -> bool:
    """Whether a request came through the distribution that knows `secret` (None: there is none)."""
    sent = _lower(headers).get(ORIGIN_HEADER, "")
    return bool(secret) and hmac.compare_digest(sent.encode(), str(secret).encode())


def source_of(headers: Mapping[str, str], context: Mapping[str, Any], secret: str | None) -> str:
    """The caller's address, such as "192.0.2.7" or "2001:db8::7"; empty if nothing tells it.

    `headers` in any case and `context` are those of an event of API Gateway (`requestContext`), of REST or of
    a socket's `$connect`. `secret` is what the distribution sends along, None where there is none.
    """
    if is_behind(headers, secret):
        try:
            return str(ip_address(_lower(headers).get(VIEWER_HEADER, "")))
        except ValueError:
            pass  # A distribution without its function: all its callers share what CloudFront calls from.
    return str((context.get("identity") or {}).get("sourceIp") or "")


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
