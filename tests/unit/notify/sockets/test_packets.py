from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.notify.sockets import packets
from chalicelib.notify.sockets.packets import Kind, Malformed, Packet
from chalicelib.notify.sockets.terms import MESSAGE_BYTES


@pytest.mark.parametrize(
    ("text", "packet"),
    [
        ("1", Packet(Kind.CLOSE)),
        ("2", Packet(Kind.NOTHING)),
        ("2probe", Packet(Kind.NOTHING)),
        ("3", Packet(Kind.PONG)),
        ("5", Packet(Kind.NOTHING)),
        ("6", Packet(Kind.NOTHING)),
        ("40", Packet(Kind.CONNECT)),
        ('40{"token":"x"}', Packet(Kind.CONNECT, data={"token": "x"})),
        ('40/admin,{"a":1}', Packet(Kind.CONNECT, "/admin", {"a": 1})),
        ("40/admin", Packet(Kind.CONNECT, "/admin")),
        ("40/admin?x=1,", Packet(Kind.CONNECT, "/admin")),
        ("41", Packet(Kind.DISCONNECT)),
        ("41/admin,", Packet(Kind.DISCONNECT, "/admin")),
        ('42["a"]', Packet(Kind.EVENT, data=["a"])),
        ('420["a",null]', Packet(Kind.EVENT, data=["a", None], ack=0)),
        ('42/admin,12["a"]', Packet(Kind.EVENT, "/admin", ["a"], 12)),
        (f'42{2**53}["a"]', Packet(Kind.EVENT, data=["a"], ack=2**53)),
        ("430[]", Packet(Kind.NOTHING, data=[], ack=0)),
    ],
)
def test_a_clients_packets_are_read(text: str, packet: Packet) -> None:
    assert packets.read(text) == packet


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "7",
        "²",
        "٤0",
        "0{}",
        "b4AAAA",
        "b",
        "4",
        "4 0",
        '45["a"]',
        '451-["a",{"_placeholder":true,"num":0}]',
        '461-[{"_placeholder":true,"num":0}]',
        '421-["a"]',
        '4299999999999-["a"]',
        '44{"message":"x"}',
        "47",
        "40[]",
        "40null[]",
        '40"x"',
        "41{}",
        "42",
        "42{}",
        "42[]",
        "42[null]",
        "42[{}]",
        "420",
        '42["a"',
        "42[NaN]",
        "43",
        "43{}",
        f'42{2**53 + 1}["a"]',
        f'42{"1" * 100}["a"]',
        f'42{"1" * 101}["a"]',
        f'42{"1" * 10_000}["a"]',
        '42²["a"]',
        f"42{'[' * 20_000}",
        f"42[{'[' * 70}{']' * 70}]",
        f'42["{"x" * MESSAGE_BYTES}"]',
    ],
)
def test_anything_else_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        packets.read(text)


@given(st.text() | st.text(alphabet='0123456-,/b[]{}":²٣\ud800', max_size=30).map("4".__add__))
def test_whatever_the_text_nothing_else_is_raised(text: str) -> None:
    try:
        packets.read(text)
    except Malformed:
        return


def test_numbers_of_any_length_are_read() -> None:
    packet = packets.read(f'42["a",{"9" * 5_000}]')
    assert packet.data == ["a", float("inf")]


def test_the_first_packet_says_the_terms() -> None:
    assert packets.open_packet("s1") == (
        '0{"maxPayload":32768,"pingInterval":240000,"pingTimeout":200000,"sid":"s1","upgrades":[]}'
    )


def test_a_servers_packets_are_written() -> None:
    assert packets.connected("s1") == '40{"sid":"s1"}'
    assert packets.refused("no") == '44{"message":"no"}'
    assert packets.refused("no", {"code": 5}) == '44{"data":{"code":5},"message":"no"}'
    assert packets.refused("no", namespace="/admin") == '44/admin,{"message":"no"}'
    assert packets.event("authorized") == '42["authorized"]'
    assert packets.event("message", {"b": 1.0, "a": "\ud800"}) == '42["message",{"a":"\\ud800","b":1}]'
    assert packets.acknowledgement(0, {"response": "success"}) == '430[{"response":"success"}]'


def test_what_looks_like_a_placeholder_is_data() -> None:
    value = {"_placeholder": True, "num": 0}
    assert packets.event("message", value) == '42["message",{"_placeholder":true,"num":0}]'


def test_the_library_is_imported_when_it_is_needed() -> None:
    program = (
        "import sys, chalicelib.notify.sockets.desk;"
        "assert not {'engineio', 'socketio', 'pydantic', 'jwt'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
