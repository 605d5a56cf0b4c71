from __future__ import annotations

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.api.source import is_behind, source_of

SECRET = "s" * 40
CONTEXT = {"identity": {"sourceIp": "198.51.100.9"}}


def stamped(viewer: str, secret: str = SECRET) -> dict[str, str]:
    return {"X-Dm3-Origin": secret, "x-dm3-Viewer": viewer}


@pytest.mark.parametrize("address", ["192.0.2.7", "2001:db8::7", "::1"])
def test_what_the_distribution_says_is_believed(address: str) -> None:
    assert source_of(stamped(address), CONTEXT, SECRET) == address


def test_who_knows_the_secret_came_through_the_distribution() -> None:
    assert is_behind({"X-DM3-ORIGIN": SECRET}, SECRET)
    assert not is_behind({"X-DM3-ORIGIN": SECRET}, None)
    assert not is_behind({}, SECRET)
    assert not is_behind({"x-dm3-origin": ""}, "")


def test_an_address_has_one_spelling() -> None:
    assert source_of(stamped("2001:DB8:0:0::7"), CONTEXT, SECRET) == "2001:db8::7"


@pytest.mark.parametrize("secret", ["", "t" * 40, SECRET[:-1], SECRET + "s", "\N{GREEK SMALL LETTER MU}"])
def test_without_its_secret_the_gateway_is_believed(secret: str) -> None:
    assert source_of(stamped("192.0.2.7", secret), CONTEXT, SECRET) == "198.51.100.9"
    assert source_of({"x-dm3-viewer": "192.0.2.7"}, CONTEXT, SECRET) == "198.51.100.9"


@pytest.mark.parametrize("configured", [None, ""])
def test_where_no_secret_is_configured_no_header_is_believed(configured: str | None) -> None:
    assert source_of(stamped("192.0.2.7", ""), CONTEXT, configured) == "198.51.100.9"


@pytest.mark.parametrize("viewer", ["", "192.0.2.7:443", "relay.example", "192.0.2.7, 192.0.2.8"])
def test_what_is_no_address_is_not_believed_even_then(viewer: str) -> None:
    assert source_of(stamped(viewer), CONTEXT, SECRET) == "198.51.100.9"
    assert source_of({"x-dm3-origin": SECRET}, CONTEXT, SECRET) == "198.51.100.9"


@pytest.mark.parametrize(
    "context", [{}, {"identity": None}, {"identity": {}}, {"identity": {"sourceIp": None}}]
)
def test_a_context_that_says_nothing(context: dict[str, object]) -> None:
    assert source_of({}, context, None) == ""


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_text_of_a_caller_moves_it(secret: str, viewer: str) -> None:
    if secret != SECRET:
        assert source_of(stamped(viewer, secret), CONTEXT, SECRET) == "198.51.100.9"


def test_secrets_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return False

    monkeypatch.setattr(hmac, "compare_digest", compare)
    source_of(stamped("192.0.2.7"), CONTEXT, SECRET)
    assert compared == [(SECRET.encode(), SECRET.encode())]
