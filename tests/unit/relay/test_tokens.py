from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode

import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.relay.tokens import CHALLENGE_LIFETIME_S, REOPENING_S, SESSION_LIFETIME_S, Tokens
from tests.unit.relay.ports import HandClock, SeededChance

KEY = b"k" * 32
SUBJECT, EPOCH = b"s" * 16, b"e" * 16


def tokens(clock: HandClock | None = None, *, issuer: str = "relay.eth", key: bytes = KEY) -> Tokens:
    return Tokens(key, issuer, clock or HandClock(), SeededChance())


def test_a_challenge_says_whom_it_is_for() -> None:
    clock = HandClock()
    challenge = tokens(clock).read_challenge(tokens(clock).challenge("bob.eth", SUBJECT))
    assert challenge is not None
    assert challenge.name == "bob.eth"
    assert challenge.expires_at_s == clock.now_s + CHALLENGE_LIFETIME_S


def test_every_challenge_is_another() -> None:
    one = tokens()
    assert one.challenge("bob.eth", SUBJECT) != one.challenge("bob.eth", SUBJECT)


def test_a_session_has_the_members_the_reference_has() -> None:
    clock = HandClock()
    claims = jwt.decode(tokens(clock).session("bob.eth", SUBJECT, EPOCH), options={"verify_signature": False})
    assert claims["account"] == "bob.eth"
    assert claims["iat"] == claims["nbf"] == clock.now_s
    assert claims["exp"] == clock.now_s + SESSION_LIFETIME_S
    assert claims["iss"] == "relay.eth"


@pytest.mark.parametrize(
    ("lifetime_s", "kind"), [(CHALLENGE_LIFETIME_S, "challenge"), (SESSION_LIFETIME_S, "session")]
)
def test_tokens_expire_by_the_relays_clock(lifetime_s: int, kind: str) -> None:
    clock = HandClock()
    one = tokens(clock)
    text = (
        one.challenge("bob.eth", SUBJECT) if kind == "challenge" else one.session("bob.eth", SUBJECT, EPOCH)
    )
    read = one.read_challenge if kind == "challenge" else one.read_session
    clock.pass_s(lifetime_s - 1)
    assert read(text) is not None
    clock.pass_s(1)
    assert read(text) is None


def test_a_session_is_read_late_for_a_day() -> None:
    clock = HandClock()
    one = tokens(clock)
    text = one.session("bob.eth", SUBJECT, EPOCH)
    clock.pass_s(SESSION_LIFETIME_S + REOPENING_S - 1)
    assert one.read_session(text) is None
    late = one.read_late_session(text)
    assert late is not None
    assert late.name == "bob.eth"
    clock.pass_s(1)
    assert one.read_late_session(text) is None
    assert one.read_late_session(one.challenge("bob.eth", SUBJECT)) is None


def test_a_challenge_is_no_session_and_a_session_no_challenge() -> None:
    one = tokens()
    assert one.read_session(one.challenge("bob.eth", SUBJECT)) is None
    assert one.read_challenge(one.session("bob.eth", SUBJECT, EPOCH)) is None


@pytest.mark.parametrize("other", [{"issuer": "other.eth"}, {"key": b"x" * 32}])
def test_another_relays_tokens_are_not_ours(other: dict[str, str | bytes]) -> None:
    foreign = tokens(**other)  # type: ignore[arg-type]
    assert tokens().read_session(foreign.session("bob.eth", SUBJECT, EPOCH)) is None
    assert tokens().read_challenge(foreign.challenge("bob.eth", SUBJECT)) is None


def test_an_unsigned_token_is_refused() -> None:
    head, body, _ = tokens().session("bob.eth", SUBJECT, EPOCH).split(".")
    none_head = urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
    assert tokens().read_session(f"{none_head}.{body}.") is None
    assert tokens().read_session(f"{head}.{body}.") is None


def test_an_altered_token_is_refused() -> None:
    head, body, signature = tokens().session("bob.eth", SUBJECT, EPOCH).split(".")
    claims = urlsafe_b64decode(body + "=" * (-len(body) % 4)).replace(b"bob.eth", b"eve.eth")
    altered = urlsafe_b64encode(claims).rstrip(b"=").decode()
    assert tokens().read_session(f"{head}.{altered}.{signature}") is None


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=200) | st.text("eyJ.hbGciOIUzNiJ9_-", max_size=300))
def test_any_other_text_is_no_token(text: str) -> None:
    assert tokens().read_session(text) is None
    assert tokens().read_challenge(text) is None


def test_an_endless_token_is_not_even_decoded() -> None:
    assert tokens().read_session("a" * 1_000_000) is None
