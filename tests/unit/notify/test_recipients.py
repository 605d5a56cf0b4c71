from __future__ import annotations

import json
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.notify.events import Channel
from chalicelib.notify.recipients import MAX_SUBSCRIPTION_CHARACTERS, Subscription, checked
from chalicelib.protocol.errors import InvalidInput
from chalicelib.protocol.json_types import JsonValue
from tests.unit.notify.desk_world import Browser
from tests.unit.protocol.strategies import accepts_or_refuses, values

BROWSER = Browser()


def subscription(**changed: JsonValue) -> str:
    members = {**json.loads(BROWSER.subscription), **changed}
    return json.dumps({name: value for name, value in members.items() if value != "left out"})


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("bob@mail.example", "bob@mail.example"),
        ("Bob.B+dm3@Mail.Example", "Bob.B+dm3@mail.example"),
        ("bob@müller.example", "bob@xn--mller-kva.example"),
    ],
)
def test_addresses_are_kept_as_mail_needs_them(given: str, kept: str) -> None:
    assert checked(Channel.EMAIL, given) == kept


@pytest.mark.parametrize(
    "value",
    [
        *("bob", "bob@", "@mail.example", "bob@mail", "bob@localhost", "bob@[127.0.0.1]", "a b@mail.example"),
        *(
            "Bob <bob@mail.example>",
            "bob@mail.example\r\nBcc: eve@mail.example",
            "bob@mail.example,eve@mail.example",
        ),
        *(
            "bög@mail.example",
            "b" * 65 + "@mail.example",
            "bob@" + "x" * 250 + ".example",
            5,
            ["bob@mail.example"],
        ),
    ],
)
def test_what_is_no_address(value: JsonValue) -> None:
    with pytest.raises(InvalidInput, match=r"^Invalid email value$"):
        checked(Channel.EMAIL, value)


def test_a_subscription_is_kept_with_nothing_else_in_it() -> None:
    kept = checked(Channel.PUSH, subscription(nickname="my phone"))
    assert json.loads(kept).keys() == {"endpoint", "keys"}
    assert Subscription.parse(kept) == Subscription(BROWSER.endpoint, BROWSER.point, BROWSER.secret)


def test_both_alphabets_of_base64_are_read() -> None:
    keys = {"p256dh": b64encode(BROWSER.point).decode(), "auth": b64encode(BROWSER.secret).decode()}
    assert Subscription.parse(subscription(keys=keys)).public_key == BROWSER.point


@pytest.mark.parametrize(
    "value",
    [
        *("", "{", "[]", "null", 5, {"endpoint": "https://push.example"}),
        subscription(endpoint="left out"),
        subscription(endpoint="http://push.example/1"),
        subscription(endpoint="file:///etc/passwd"),
        subscription(endpoint="https://user@push.example/"),
        subscription(endpoint="https://push.example/" + "x" * 2_100),
        subscription(endpoint="https://push.example/é"),
        subscription(endpoint=5),
        subscription(keys="left out"),
        subscription(keys={"p256dh": "AAAA", "auth": "AAAAAAAAAAAAAAAAAAAAAA"}),
        subscription(keys={"p256dh": "é", "auth": "AAAAAAAAAAAAAAAAAAAAAA"}),
        subscription(keys={"p256dh": b64encode(b"\x04" + b"1" * 64).decode(), "auth": "A" * 22}),
        subscription(padding="x" * MAX_SUBSCRIPTION_CHARACTERS),
    ],
)
def test_what_is_no_subscription(value: JsonValue) -> None:
    with pytest.raises(InvalidInput, match=r"^Invalid push value$"):
        checked(Channel.PUSH, value)


def test_a_relay_on_a_laptop_takes_plain_http() -> None:
    local = subscription(endpoint="http://127.0.0.1:8080/1")
    assert "127.0.0.1" in checked(Channel.PUSH, local, allow_local=True)


def test_numbers() -> None:
    assert checked(Channel.SMS, "+4915112345678") == "+4915112345678"
    for value in (
        "015112345678",
        "+0123456789",
        "+49 151",
        "+1",
        "+" + "1" * 16,
        "+\uff14\uff1915112345678",
        4915112345678,
    ):
        with pytest.raises(InvalidInput, match=r"^Invalid sms value$"):
            checked(Channel.SMS, value)


@given(st.sampled_from([Channel.EMAIL, Channel.PUSH, Channel.SMS]), values() | st.text())
def test_anything_is_taken_or_refused(channel: Channel, value: JsonValue) -> None:
    accepts_or_refuses(lambda: checked(channel, value))
