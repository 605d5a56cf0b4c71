from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import http_ece
import pytest

from chalicelib.fetching.guarded_fetcher import GuardedFetcher
from chalicelib.fetching.ports import Answer
from chalicelib.notify.channels.web_push import WebPushCarrier, sealed
from chalicelib.notify.events import Channel
from chalicelib.notify.ports import Gone, Refused
from chalicelib.notify.preferences import WakeUpChannel
from chalicelib.notify.recipients import Subscription
from chalicelib.protocol.errors import TooBig, Unavailable, UnsafeLink
from tests.unit.notify.channels.test_vapid import verified
from tests.unit.notify.desk_world import BOB, VAPID, Browser
from tests.unit.relay.ports import HandClock

BROWSER = Browser()


@dataclass
class Asked:
    """A fetcher that remembers what it was asked, and answers or fails as it is told."""

    status: int = 201
    failure: Exception | None = None
    requests: list[tuple[str, str, Mapping[str, str], bytes]] = field(default_factory=list)

    def fetch(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        max_bytes: int,
        deadline_s: float,
    ) -> Answer:
        assert max_bytes > 0
        assert 0 < deadline_s <= 30
        self.requests.append((url, method, headers or {}, body or b""))
        if self.failure is not None:
            raise self.failure
        return Answer(self.status, {}, b"")


def subscribed(browser: Browser = BROWSER) -> WakeUpChannel:
    return WakeUpChannel(Channel.PUSH, browser.subscription, verified=True)


def opened(browser: Browser, body: bytes) -> bytes:
    """What the browser makes of a push before its service worker sees it."""
    plain: bytes = http_ece.decrypt(
        body, private_key=browser.key, auth_secret=browser.secret, version="aes128gcm"
    )
    return plain


def push(asked: Asked, recipient: WakeUpChannel | None = None) -> None:
    WebPushCarrier(asked, VAPID, HandClock()).wake(BOB.inbox, recipient or subscribed())


def test_the_browser_opens_what_its_service_worker_shows() -> None:
    asked = Asked()
    push(asked)
    ((url, method, headers, body),) = asked.requests
    assert (url, method) == (BROWSER.endpoint, "POST")
    shown = json.loads(opened(BROWSER, body))
    assert shown.keys() == {"title", "body"}
    assert headers["content-encoding"] == "aes128gcm"
    assert headers.keys() == {"authorization", "content-encoding", "content-type", "ttl", "urgency", "topic"}
    assert int(headers["ttl"]) > 0
    assert headers["urgency"] in {"very-low", "low", "normal", "high"}
    assert len(headers["topic"]) <= 32


def test_the_push_service_knows_the_relay_by_its_key() -> None:
    asked = Asked()
    push(asked)
    claims = verified(asked.requests[0][2]["authorization"], "https://push.example")
    assert claims["sub"] == VAPID.subject


def test_nobody_else_opens_it_and_no_two_are_alike() -> None:
    asked = Asked()
    push(asked)
    push(asked)
    first, second = (body for *_, body in asked.requests)
    assert first != second
    with pytest.raises(http_ece.ECEException):
        opened(Browser(seed=8), first)


def test_the_smallest_record_size_that_browsers_take_is_kept() -> None:
    """RFC 8291, section 4: one record, of at most 4,096 bytes."""
    body = sealed(b"x" * 3_000, Subscription.parse(BROWSER.subscription))
    assert len(body) <= 4_096
    assert opened(BROWSER, body) == b"x" * 3_000


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_taken(status: int) -> None:
    push(Asked(status))


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        *((status, Gone) for status in (404, 410)),
        *((status, Unavailable) for status in (408, 425, 429, 500, 502, 503, 504)),
        *((status, Refused) for status in (400, 401, 403, 413)),
    ],
)
def test_not_taken(status: int, failure: type[Exception]) -> None:
    with pytest.raises(failure):
        push(Asked(status))


@pytest.mark.parametrize(
    ("raised", "failure"),
    [(Unavailable(), Unavailable), (UnsafeLink(), Refused), (TooBig(), Refused)],
)
def test_what_the_fetcher_says(raised: Exception, failure: type[Exception]) -> None:
    with pytest.raises(failure):
        push(Asked(failure=raised))


def test_a_recipient_that_is_no_subscription_is_asked_nothing() -> None:
    asked = Asked()
    with pytest.raises(Refused):
        push(asked, WakeUpChannel(Channel.PUSH, "{}"))
    assert asked.requests == []


class TestOverTheNetwork:
    @pytest.fixture
    def server(self) -> Iterator[HTTPServer]:
        """A push service on loopback that answers what its path says."""

        class Service(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.server.bodies.append(self.rfile.read(int(self.headers["content-length"])))  # type: ignore[attr-defined]
                self.send_response(int(self.path.strip("/")))
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_args: object) -> None:
                """Say nothing."""

        server = HTTPServer(("127.0.0.1", 0), Service)
        server.bodies = []  # type: ignore[attr-defined]
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
        server.server_close()

    def browser(self, server: HTTPServer, status: int) -> Browser:
        return Browser(f"http://127.0.0.1:{server.server_port}/{status}")

    def test_a_push_service_on_this_machine(self, server: HTTPServer) -> None:
        carrier = WebPushCarrier(GuardedFetcher(allow_local=True), VAPID, HandClock())
        browser = self.browser(server, 201)
        carrier.wake(BOB.inbox, subscribed(browser))
        assert json.loads(opened(browser, server.bodies[0]))["title"] == "New message"  # type: ignore[attr-defined]
        with pytest.raises(Gone):
            carrier.wake(BOB.inbox, subscribed(self.browser(server, 410)))
        with pytest.raises(Unavailable):
            carrier.wake(BOB.inbox, subscribed(self.browser(server, 503)))
        with pytest.raises(Refused):  # it would redirect each time, and never be followed
            carrier.wake(BOB.inbox, subscribed(self.browser(server, 302)))

    def test_an_endpoint_inside_the_operator_s_network_is_never_called(self, server: HTTPServer) -> None:
        carrier = WebPushCarrier(GuardedFetcher(), VAPID, HandClock())
        with pytest.raises(Refused):
            carrier.wake(BOB.inbox, subscribed(self.browser(server, 201)))
        for host in ("169.254.169.254", "10.0.0.1", "[::1]"):
            with pytest.raises(Refused):
                carrier.wake(BOB.inbox, subscribed(Browser(f"https://{host}/latest")))
        assert server.bodies == []  # type: ignore[attr-defined]
