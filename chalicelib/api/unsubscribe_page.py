"""The pages behind the link of an e-mail: one question, one button, nothing loaded, nothing kept.

The page does not say whose channel it is: a link may have been passed on.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from types import MappingProxyType
from typing import Final

from chalicelib.api.answers import Answer, retry_headers
from chalicelib.protocol.errors import Dm3Error, NotFound

HTML: Final = "text/html; charset=utf-8"

HEADERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Cache-Control": "no-store",
        "Content-Security-Policy": (
            "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        ),
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "X-Robots-Tag": "noindex, nofollow",
    }
)
"""The address of the page is a secret: it goes into no cache, no index and no referrer."""


def question() -> Answer:
    """The button. It posts to the page's own address, wherever that is."""
    return _page(
        200,
        "No more notifications?",
        '<form method="post"><button type="submit">Turn off these notifications</button></form>',
    )


def done() -> Answer:
    """It is done, now or before."""
    return _page(
        200, "Done", "<p>These notifications are off. You can turn them on again in your dm3 app.</p>"
    )


def refusal(error: Dm3Error) -> Answer:
    """What went wrong, for a person."""
    sentence = "This link is not one of this relay." if isinstance(error, NotFound) else error.message
    return _page(error.status, "Not done", f"<p>{escape(sentence)}</p>", retry_headers(error), error.code)


def _page(
    status: int, title: str, content: str, more: Mapping[str, str] | None = None, code: int | None = None
) -> Answer:
    page = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width"></head>'
        f"<body><h1>{title}</h1>{content}</body></html>"
    )
    return Answer(status, page, HTML, {**HEADERS, **(more or {})}, code)
