"""A receiver of webhooks that trusts nobody: every request is checked with the published library."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread

from standardwebhooks import Webhook, WebhookVerificationError


@dataclass
class Hook:
    """One endpoint: `requests` has (webhook-id, message id) of each request that was genuine.

    `stumbles` says of a webhook-id that is seen for the first time whether to answer 503 once.
    """

    url: str
    stumbles: Callable[[str], bool]
    secret: str = ""
    requests: list[tuple[str, str]] = field(default_factory=list)
    forged: int = 0
    stumbled: int = 0
    _seen: set[str] = field(default_factory=set)
    _lock: Lock = field(default_factory=Lock)

    @property
    def told(self) -> set[str]:
        """The ids of the messages that were told."""
        return {message_id for _, message_id in tuple(self.requests)}

    @property
    def ids(self) -> dict[str, set[str]]:
        """The webhook-ids under which each message was told."""
        found: dict[str, set[str]] = {}
        for webhook_id, message_id in tuple(self.requests):
            found.setdefault(message_id, set()).add(webhook_id)
        return found

    @property
    def doubles(self) -> int:
        """Requests whose webhook-id had been seen before, and not because the first was refused."""
        counted = Counter(webhook_id for webhook_id, _ in tuple(self.requests))
        return sum(number - 1 for number in counted.values()) - self.stumbled

    def take(self, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        """The answer to a request: its status and body."""
        members = json.loads(body)
        if "challenge" in members:
            return 200, json.dumps({"challenge": members["challenge"]}).encode()
        try:
            Webhook(self.secret).verify(body, headers)
        except WebhookVerificationError:
            self.forged += 1
            return 401, b""
        webhook_id = headers["webhook-id"]
        with self._lock:
            self.requests.append((webhook_id, members["data"]["messageId"]))
            first = webhook_id not in self._seen
            self._seen.add(webhook_id)
            if first and self.stumbles(webhook_id):
                self.stumbled += 1
                return 503, b""
        return 200, b""


@contextmanager
def hook(stumbles: Callable[[str], bool] = lambda _: False) -> Iterator[Hook]:
    """A receiver on loopback until the block ends. Tell it the `secret` before the first event."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status, answer = receiver.take({name.lower(): text for name, text in self.headers.items()}, body)
            self.send_response(status)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver = Hook(f"http://127.0.0.1:{server.server_port}/hook", stumbles)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
