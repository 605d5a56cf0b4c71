from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.fetching.failures import AnswerTooLong
from chalicelib.fetching.ports import Answer
from chalicelib.notify.preferences import Endpoint, EndpointState, Secret
from chalicelib.notify.webhooks.challenge import Challenger, echoes
from chalicelib.notify.webhooks.payload import challenge_body
from chalicelib.notify.webhooks.sending import Sender
from chalicelib.protocol.errors import UnsafeLink
from tests.unit.notify.webhooks.test_sending import OneFetch
from tests.unit.relay.ports import HandClock, SeededChance

ENDPOINT = Endpoint("id", "https://a.example/hook", EndpointState.UNVERIFIED, (Secret("whsec_AAAA", 1),), 1)


@pytest.mark.parametrize("body", [b"abc", b" abc\r\n", b'"abc"', b'{"challenge": "abc"}'])
def test_an_echo(body: bytes) -> None:
    assert echoes(body, "abc")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"abcd",
        b"ab c",
        b"ABC",
        b'["abc"]',
        b'{"challenge": "abd"}',
        b'{"challenge": ["abc"]}',
        b'{"challenge": "abc", "ok": true}',
        b'{"challenge": "abc"',
        b"\xff",
        challenge_body("abc", 5).encode(),
    ],
)
def test_no_echo(body: bytes) -> None:
    assert not echoes(body, "abc")


@given(st.binary(), st.text(min_size=1))
def test_any_bytes_are_an_echo_or_none(body: bytes, challenge: str) -> None:
    with suppress(UnicodeEncodeError):
        assert echoes(body, challenge) in (True, False)


@pytest.mark.parametrize("status", [200, 201, 299, 300, 400, 500])
def test_only_2xx_counts(status: int) -> None:
    clock = HandClock()

    class Echo(OneFetch):
        def fetch(self, url: str, **options: object) -> Answer:
            body = options["body"]
            assert isinstance(body, bytes)
            return Answer(status, {}, json.loads(body)["challenge"].encode())

    challenger = Challenger(Sender(Echo(clock, UnsafeLink()), clock), clock, SeededChance())
    assert challenger.ask(ENDPOINT)[1] is (status < 300)


def test_nothing_is_echoed_twice_and_unsafe_links_are_refused() -> None:
    clock, chance = HandClock(), SeededChance()
    fetcher = OneFetch(clock, AnswerTooLong(Answer(200, {}, b"")))
    challenger = Challenger(Sender(fetcher, clock), clock, chance)
    challenges = set()
    for _ in range(2):
        assert challenger.ask(ENDPOINT)[1] is False
        assert fetcher.asked is not None
        challenges.add(json.loads(fetcher.asked["body"])["challenge"])
    assert len(challenges) == 2
    assert all(len(challenge) == 43 for challenge in challenges)
    fetcher.outcome = UnsafeLink("The link leads to an address that is not public.")
    with pytest.raises(UnsafeLink, match="not public"):
        challenger.ask(ENDPOINT)
