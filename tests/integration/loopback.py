"""What is outside of a relay, on this machine: servers that are told things, and sockets that listen."""

from __future__ import annotations

import json
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

WITHIN_S = 20.0


@dataclass(frozen=True, slots=True)
class Post:
    """A request as it came, without its first line, which only says where it went."""

    path: str
    headers: str
    body: bytes


@dataclass
class Receiver:
    """A server for webhooks and pushes that keeps what it gets.

    It echoes challenges, and answers everything else with the status of its path, 200 by default.
    """

    statuses: dict[str, int] = field(default_factory=dict)
    posts: list[Post] = field(default_factory=list)

    def __post_init__(self) -> None:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"] or 0))
                receiver.posts.append(Post(self.path, str(self.headers), body))
                answer, status = b"", receiver.statuses.get(self.path, 200)
                if b'"webhook.challenge"' in body:
                    answer, status = json.dumps({"challenge": json.loads(body)["challenge"]}).encode(), 200
                self.send_response(status)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def at(self, path: str) -> list[Post]:
        """What came to a path."""
        return [post for post in tuple(self.posts) if post.path == path]

    def events(self, path: str) -> list[Post]:
        """What came to a path and was no challenge."""
        return [post for post in self.at(path) if b'"webhook.challenge"' not in post.body]

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Listener:
    """An open socket that keeps every frame, until the server or `stop` closes it. It answers no pings."""

    def __init__(self, url: str) -> None:
        self._open = ExitStack()
        self._socket: ClientConnection = self._open.enter_context(
            connect(url, compression=None, max_size=None)
        )
        self.frames: list[str] = []
        self._thread = Thread(target=self._listen)
        self._thread.start()

    def send(self, frame: str) -> None:
        with suppress(ConnectionClosed):
            self._socket.send(frame)

    def has(self, part: str) -> bool:
        """Whether a frame with this in it has come."""
        return any(part in frame for frame in tuple(self.frames))

    @property
    def closed(self) -> bool:
        """Whether the socket is closed."""
        return not self._thread.is_alive()

    def stop(self) -> None:
        self._open.close()
        self._thread.join()

    def _listen(self) -> None:
        with suppress(ConnectionClosed):
            while True:
                self.frames.append(str(self._socket.recv()))
