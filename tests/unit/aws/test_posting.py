from __future__ import annotations

import pytest

from chalicelib.aws.posting import ApiGatewayPoster
from chalicelib.notify.ports import Gone
from chalicelib.protocol.errors import InternalError, TooBig, Unavailable
from tests.support.aws_faults import CRASHES, AwsFaults, Crash, Fault
from tests.support.carriers import IMPATIENT, answering, carrier, refusing
from tests.support.hostile_server import hostile_server
from tests.support.ports import LOOPBACK, free_port

SERVICE = "apigatewaymanagementapi"
URL = "https://abc123.execute-api.us-east-1.amazonaws.com/live"
SOCKET = "L0SM9cOFvHcCIhw="

ANSWERS = [
    ("GoneException", 410, Gone),
    ("PayloadTooLargeException", 413, TooBig),
    ("LimitExceededException", 429, Unavailable),
    ("ForbiddenException", 403, Unavailable),
    ("InternalServerError", 500, Unavailable),
    ("BadRequestException", 400, InternalError),
]


def _poster(url: str = URL) -> ApiGatewayPoster:
    return ApiGatewayPoster(carrier(SERVICE, url, patience=IMPATIENT))


def test_a_frame_is_posted_as_it_is() -> None:
    gateway = carrier(SERVICE, URL)
    expected = {"ConnectionId": SOCKET, "Data": '42["message",{"ü":1}]'.encode()}
    with answering(gateway, "post_to_connection", {}, expected):
        ApiGatewayPoster(gateway).post(SOCKET, '42["message",{"ü":1}]')


@pytest.mark.parametrize(("code", "status", "raised"), ANSWERS)
def test_a_refused_post_is_told(code: str, status: int, raised: type[Exception]) -> None:
    gateway = carrier(SERVICE, URL)
    with refusing(gateway, "post_to_connection", code, status=status), pytest.raises(raised) as caught:
        ApiGatewayPoster(gateway).post(SOCKET, "text")
    assert caught.value.__cause__ is None


def test_a_socket_is_closed() -> None:
    gateway = carrier(SERVICE, URL)
    with answering(gateway, "delete_connection", {}, {"ConnectionId": SOCKET}):
        ApiGatewayPoster(gateway).close(SOCKET)


@pytest.mark.parametrize(("code", "status", "raised"), [row for row in ANSWERS if row[2] is not Gone])
def test_a_refused_close_is_told(code: str, status: int, raised: type[Exception]) -> None:
    gateway = carrier(SERVICE, URL)
    with refusing(gateway, "delete_connection", code, status=status), pytest.raises(raised):
        ApiGatewayPoster(gateway).close(SOCKET)


def test_a_socket_that_is_gone_need_not_be_closed() -> None:
    gateway = carrier(SERVICE, URL)
    with refusing(gateway, "delete_connection", "GoneException", status=410):
        ApiGatewayPoster(gateway).close(SOCKET)


@pytest.mark.parametrize("head", [b"", b"x-amzn-ErrorType: GoneException\r\n"])
@pytest.mark.parametrize("body", [b"", b'{"message": "GoneException"}', b"<html>no JSON</html>"])
def test_gone_is_told_by_the_status_alone(head: bytes, body: bytes) -> None:
    answer = b"HTTP/1.1 410 Gone\r\n%bContent-Length: %d\r\n\r\n%b" % (head, len(body), body)
    with hostile_server(answer) as url:
        poster = _poster(url)
        with pytest.raises(Gone):
            poster.post(SOCKET, "text")
        poster.close(SOCKET)


def test_too_large_is_told_by_the_status_alone() -> None:
    with hostile_server(b"HTTP/1.1 413 Payload Too Large\r\nContent-Length: 0\r\n\r\n") as url:
        poster = _poster(url)
        with pytest.raises(TooBig):
            poster.post(SOCKET, "text")


@pytest.mark.parametrize("answer", [b"", b"220 this is no HTTP\r\n\r\n"])
def test_a_gateway_that_does_not_answer_is_unavailable(
    answer: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with hostile_server(answer) as url:
        poster = _poster(url)
        with pytest.raises(Unavailable) as caught:
            poster.post(SOCKET, "text")
        with pytest.raises(Unavailable):
            poster.close(SOCKET)
    assert caught.value.__cause__ is None
    assert "L0SM9" not in caplog.text + str([record.__dict__["fields"] for record in caplog.records])


def test_nobody_there_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        _poster(f"http://{LOOPBACK}:{free_port()}").post(SOCKET, "text")


@pytest.mark.parametrize("fault", Fault)
def test_a_fault_is_told(moto: None, fault: Fault) -> None:
    gateway = carrier(SERVICE, URL)
    faults = AwsFaults()
    faults.attach(gateway)
    poster = ApiGatewayPoster(gateway)
    faults.strike(1, fault)
    with pytest.raises(Crash if fault in CRASHES else Unavailable):
        poster.post(SOCKET, "text")
    assert faults.seen == ["PostToConnection"]
    faults.strike(1, fault)
    with pytest.raises(Crash if fault in CRASHES else Unavailable):
        poster.close(SOCKET)
    assert faults.seen == ["DeleteConnection"]
    faults.strike(None)
    poster.post(SOCKET, "text")
    poster.close(SOCKET)
