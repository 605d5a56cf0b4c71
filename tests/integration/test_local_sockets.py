"""The laptop's WebSocket gateway: the events it hands on, what it allows, and what it cuts."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from threading import Barrier, Event, Lock
from typing import Any, TypeVar

import pytest
from botocore.exceptions import ClientError
from chalice.app import Chalice
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from infra.local.connection import SocketLimits
from infra.local.gateway import Gateway
from infra.local.management import ManagementClient
from infra.local.server import LoopbackServer
from infra.local.sockets import AT_ONCE, SocketGateway

WITHIN_S = 10.0
OK = {"statusCode": 200}
AS_ON_AWS = SocketLimits()

T = TypeVar("T")


@dataclass
class Desk:
    """Socket routes in the test's hands. `on_connect` and `on_message` may answer, wait or raise."""

    events: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    on_connect: Callable[[Mapping[str, Any]], Mapping[str, Any]] = lambda _: OK
    on_message: Callable[[Mapping[str, Any]], Mapping[str, Any]] = lambda _: OK
    lock: Lock = field(default_factory=Lock)

    def connect(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        self._keep("$connect", event)
        return self.on_connect(event)

    def message(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        self._keep("$default", event)
        return self.on_message(event)

    def disconnect(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        self._keep("$disconnect", event)
        return OK

    def _keep(self, route: str, event: Mapping[str, Any]) -> None:
        assert event["requestContext"]["routeKey"] == route
        with self.lock:
            self.events.append((route, event))

    def of(self, route: str, count: int = 1) -> list[Mapping[str, Any]]:
        """The events of a route, when there are `count`."""
        return wait_for(lambda: found if len(found := self._of(route)) >= count else None)

    def _of(self, route: str) -> list[Mapping[str, Any]]:
        with self.lock:
            return [event for kind, event in self.events if kind == route]


def wait_for(look: Callable[[], T | None]) -> T:
    deadline = time.monotonic() + WITHIN_S
    while (found := look()) is None:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    return found


@dataclass
class Place:
    """A gateway that is served."""

    url: str
    desk: Desk
    sockets: SocketGateway
    client: ManagementClient

    @contextmanager
    def socket(self, path: str = "/", **options: Any) -> Iterator[ClientConnection]:  # noqa: ANN401
        with connect(f"{self.url}{path}", compression=None, **options) as one:
            yield one

    def id_of(self, number: int = 0) -> str:
        event = self.desk.of("$connect", number + 1)[number]
        return str(event["requestContext"]["connectionId"])

    def post(self, text: str, number: int = 0) -> None:
        self.client.post_to_connection(ConnectionId=self.id_of(number), Data=text.encode())


@contextmanager
def served(limits: SocketLimits = AS_ON_AWS) -> Iterator[Place]:
    desk = Desk()
    sockets = SocketGateway(desk, limits=limits)
    gateway = Gateway(Chalice("sockets", configure_logs=False), sockets=sockets)
    with LoopbackServer() as server:
        server.start(gateway)
        yield Place(server.url.replace("http", "ws"), desk, sockets, ManagementClient(sockets))
    gateway.close()
    sockets.close()


@pytest.fixture
def place() -> Iterator[Place]:
    with served() as place:
        yield place


def code_of(error: pytest.ExceptionInfo[ClientError]) -> str:
    return error.value.response["Error"]["Code"]


def closed_with(one: ClientConnection) -> int | None:
    """The code by which the server closes, whatever else it sends before."""
    return close_code(lambda: [one.recv(WITHIN_S) for _ in range(1_000)])


def close_code(use: Callable[[], object]) -> int | None:
    """The code that the server closed with while `use` was using the connection."""
    with pytest.raises(ConnectionClosed) as closed:
        use()
    return None if closed.value.rcvd is None else closed.value.rcvd.code


# --- events ---


@pytest.mark.parametrize("path", ["/", "/live", "/socket.io/"])
def test_the_connect_event_is_the_one_lambda_gets(place: Place, path: str) -> None:
    with place.socket(f"{path}?EIO=4&transport=websocket&a=1&a=2", additional_headers={"X-A": "1"}):
        (event,) = place.desk.of("$connect")
    context = event["requestContext"]
    assert event["queryStringParameters"] == {"EIO": "4", "transport": "websocket", "a": "2"}
    assert event["multiValueQueryStringParameters"]["a"] == ["1", "2"]
    assert event["headers"]["x-a"] == "1"
    assert (context["eventType"], context["stage"], context["domainName"]) == (
        "CONNECT",
        "local",
        "127.0.0.1",
    )
    assert context["identity"]["sourceIp"] == "127.0.0.1"
    assert abs(context["connectedAt"] - time.time() * 1000) < 60_000
    assert context["apiId"]
    assert not {"path", "rawPath", "resource"} & (event.keys() | context.keys()), "AWS tells no path"


def test_messages_come_as_text_or_in_base64_and_the_end_comes_once(place: Place) -> None:
    with place.socket() as one:
        one.send("grüß dich")
        place.desk.of("$default", 1)
        one.send(b"\x00\xff")
        text, binary = place.desk.of("$default", 2)
        one.close(1000, "enough")
    assert (text["body"], text["isBase64Encoded"]) == ("grüß dich", False)
    assert (binary["body"], binary["isBase64Encoded"]) == ("AP8=", True)
    assert "headers" not in text
    (end,) = place.desk.of("$disconnect")
    context = end["requestContext"]
    assert (context["disconnectStatusCode"], context["disconnectReason"]) == (1000, "enough")
    assert context["connectionId"] == text["requestContext"]["connectionId"] == place.id_of()


def test_a_client_that_vanishes_is_told_of(place: Place) -> None:
    with place.socket() as one:
        one.socket.shutdown(socket.SHUT_RDWR)
        assert place.desk.of("$disconnect")


@pytest.mark.parametrize(
    ("answer", "status"),
    [({"statusCode": 403}, 403), ({"statusCode": 429}, 429), ({"statusCode": 302}, 502), ({}, 502)],
)
def test_an_answer_other_than_2xx_refuses_the_handshake(
    place: Place, answer: dict[str, int], status: int
) -> None:
    place.desk.on_connect = lambda _: answer
    with pytest.raises(InvalidStatus) as refused, place.socket():
        pass
    assert refused.value.response.status_code == status
    wait_for(lambda: place.sockets.connection_ids == () or None)
    assert [route for route, _ in place.desk.events] == ["$connect"], "what was never open does not end"


def test_a_function_that_fails_refuses_the_handshake(place: Place) -> None:
    def fail(_event: Mapping[str, Any]) -> Mapping[str, Any]:
        raise ZeroDivisionError

    place.desk.on_connect = fail
    with pytest.raises(InvalidStatus) as refused, place.socket():
        pass
    assert refused.value.response.status_code == 502


def test_a_message_that_fails_ends_nothing(place: Place) -> None:
    def fail(_event: Mapping[str, Any]) -> Mapping[str, Any]:
        raise ZeroDivisionError

    place.desk.on_message = fail
    with place.socket() as one:
        one.send("a")
        place.desk.of("$default")
        place.post("still here")
        assert one.recv(WITHIN_S) == "still here"


def test_a_subprotocol_that_the_function_chooses_is_agreed(place: Place) -> None:
    place.desk.on_connect = lambda _: {**OK, "headers": {"Sec-WebSocket-Protocol": "dm3"}}
    with place.socket(subprotocols=["other", "dm3"]) as one:
        assert one.subprotocol == "dm3"


def test_messages_of_one_connection_are_worked_at_the_same_time(place: Place) -> None:
    meeting = Barrier(AT_ONCE, timeout=WITHIN_S)
    met: list[int] = []

    def meet(_event: Mapping[str, Any]) -> Mapping[str, Any]:
        meeting.wait()
        met.append(1)
        return OK

    place.desk.on_message = meet
    with place.socket() as one:
        for number in range(AT_ONCE):
            one.send(str(number))
        wait_for(lambda: True if len(met) == AT_ONCE else None)


def test_one_connection_cannot_take_every_thread(place: Place) -> None:
    go_on = Event()

    def work(event: Mapping[str, Any]) -> Mapping[str, Any]:
        if event["body"] != "quick":
            go_on.wait(WITHIN_S)
        return OK

    place.desk.on_message = work
    with place.socket() as greedy, place.socket() as other:
        for number in range(4 * AT_ONCE):
            greedy.send(str(number))
        other.send("quick")
        wait_for(
            lambda: True if any(event["body"] == "quick" for event in place.desk.of("$default")) else None
        )
        assert len(place.desk.of("$default")) <= AT_ONCE + 1
        go_on.set()
        place.desk.of("$default", 4 * AT_ONCE + 1)


# --- posting ---


def test_what_is_posted_arrives_in_order(place: Place) -> None:
    with place.socket() as one:
        for number in range(100):
            place.post(f"número {number}")
        assert [one.recv(WITHIN_S) for _ in range(100)] == [f"número {number}" for number in range(100)]


def test_nothing_can_be_posted_before_connect_has_returned(place: Place) -> None:
    codes: list[str] = []

    def try_to_greet(event: Mapping[str, Any]) -> Mapping[str, Any]:
        connection_id = event["requestContext"]["connectionId"]
        with pytest.raises(place.client.exceptions.from_code("GoneException")) as gone:
            place.client.post_to_connection(ConnectionId=connection_id, Data=b"0{}")
        codes.append(code_of(gone))
        return OK

    place.desk.on_connect = try_to_greet
    with place.socket() as one:
        place.post("hello")
        assert one.recv(WITHIN_S) == "hello"
    assert codes == ["GoneException"]


@pytest.mark.parametrize("operation", ["post_to_connection", "delete_connection", "get_connection"])
def test_a_connection_that_ended_or_never_was_is_gone(place: Place, operation: str) -> None:
    with place.socket():
        ended = place.id_of()
    place.desk.of("$disconnect")
    more = {"Data": b"a"} if operation == "post_to_connection" else {}
    for connection_id in (ended, "never="):
        with pytest.raises(ClientError) as gone:
            getattr(place.client, operation)(ConnectionId=connection_id, **more)
        assert code_of(gone) == "GoneException"
        assert gone.value.response["ResponseMetadata"]["HTTPStatusCode"] == 410


def test_more_than_128_kib_cannot_be_posted_and_that_much_can(place: Place) -> None:
    with place.socket(max_size=None) as one:
        place.post("a" * 128 * 1024)
        assert len(one.recv(WITHIN_S)) == 128 * 1024
        with pytest.raises(ClientError) as refused:
            place.post("a" * (128 * 1024 + 1))
        assert code_of(refused) == "PayloadTooLargeException"


def test_a_connection_can_be_closed_and_tells_about_itself(place: Place) -> None:
    with place.socket(user_agent_header="tester") as one:
        told = place.client.get_connection(ConnectionId=place.id_of())
        assert told["Identity"] == {"SourceIp": "127.0.0.1", "UserAgent": "tester"}
        assert told["ConnectedAt"] <= told["LastActiveAt"]
        place.post("last words")
        place.client.delete_connection(ConnectionId=place.id_of())
        with pytest.raises(ClientError) as gone:
            place.post("too late")
        assert code_of(gone) == "GoneException"
        assert one.recv(WITHIN_S) == "last words"
        assert closed_with(one) == 1000
    (end,) = place.desk.of("$disconnect")
    assert end["requestContext"]["disconnectStatusCode"] == 1000


# --- limits ---


def test_a_frame_over_32_kib_closes_with_1009_and_one_of_that_size_does_not(place: Place) -> None:
    with place.socket() as one:
        one.send("a" * 32 * 1024)
        assert len(place.desk.of("$default")[0]["body"]) == 32 * 1024
        one.send("a" * (32 * 1024 + 1))
        assert closed_with(one) == 1009
    assert len(place.desk.of("$default")) == 1


@pytest.mark.parametrize("frames", [5, 40])
def test_a_message_over_128_kib_closes_with_1009_and_one_of_that_size_does_not(
    place: Place, frames: int
) -> None:
    with place.socket() as one:
        one.send(["a" * 32 * 1024] * 4)
        assert len(place.desk.of("$default")[0]["body"]) == 128 * 1024

        def send_and_listen() -> None:  # it is closed while one sends, or after it
            one.send(["a" * 32 * 1024] * frames)
            one.recv(WITHIN_S)

        assert close_code(send_and_listen) == 1009
    assert place.desk.of("$disconnect")


def test_an_idle_connection_is_cut_and_traffic_keeps_it() -> None:
    with served(SocketLimits(idle_s=0.6)) as place, place.socket() as one:
        for _ in range(3):
            time.sleep(0.4)
            one.send("client")
        for _ in range(3):
            time.sleep(0.4)
            place.post("server")
        assert closed_with(one) == 1001
        (end,) = place.desk.of("$disconnect")
        assert end["requestContext"]["disconnectReason"] == "Going away"


def test_the_longest_life_is_not_prolonged_by_traffic() -> None:
    with served(SocketLimits(lifetime_s=0.5)) as place, place.socket() as one:
        began_s = time.monotonic()

        def keep_sending() -> None:
            for _ in range(1_000):
                one.send("a")
                time.sleep(0.05)

        assert close_code(keep_sending) == 1001
        assert 0.4 < time.monotonic() - began_s < WITHIN_S


def test_a_client_that_reads_nothing_is_refused_more_then_cut_and_blocks_nobody() -> None:
    limits = SocketLimits(buffer_bytes=256 * 1024, stall_s=1.0)
    with served(limits) as place, socket.create_connection(_address(place.url)) as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.sendall(
            b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        assert slow.recv(12) == b"HTTP/1.1 101"
        with place.socket() as quick:
            codes = []
            for _ in range(400):
                try:
                    place.post("a" * 128 * 1024)
                except ClientError as error:
                    codes.append(error.response["Error"]["Code"])
                    break
                time.sleep(0.001)
            assert codes == ["LimitExceededException"]
            place.post("for you", 1)
            assert quick.recv(WITHIN_S) == "for you"
            (end,) = place.desk.of("$disconnect")
            assert end["requestContext"]["connectionId"] == place.id_of(0)
            with pytest.raises(ClientError) as gone:
                place.post("a")
            assert code_of(gone) == "GoneException"


def test_many_sockets_at_once_get_what_is_theirs(place: Place) -> None:
    place.desk.on_message = lambda event: (
        place.client.post_to_connection(
            ConnectionId=event["requestContext"]["connectionId"], Data=event["body"].encode()
        )
        and dict(OK)
    )
    with ExitStack() as open_ones:
        ones = [open_ones.enter_context(place.socket()) for _ in range(50)]
        for number, one in enumerate(ones):
            one.send(f"mine {number}")
        assert [one.recv(WITHIN_S) for one in ones] == [f"mine {number}" for number in range(50)]
    place.desk.of("$disconnect", 50)
    assert wait_for(lambda: place.sockets.connection_ids == () or None)


def test_a_gateway_without_sockets_refuses_them_and_one_that_leaves_tells_of_none() -> None:
    gateway = Gateway(Chalice("none", configure_logs=False))
    with LoopbackServer() as server:
        server.start(gateway)
        with pytest.raises(InvalidStatus) as refused, connect(server.url.replace("http", "ws")):
            pass
        assert refused.value.response.status_code == 403
    gateway.close()
    with served() as place, place.socket():
        place.desk.of("$connect")
        place.sockets.leave()
    assert [route for route, _ in place.desk.events] == ["$connect"]


def _address(url: str) -> tuple[str, int]:
    host, _, port = url.removeprefix("ws://").partition(":")
    return host, int(port)
