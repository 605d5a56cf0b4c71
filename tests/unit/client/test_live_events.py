from __future__ import annotations

from chalicelib.client.live_events import Arrived, LiveState, Standing


def test_a_message_is_not_shown_by_repr() -> None:
    assert "secret" not in repr(Arrived("relay.eth", {"envelope": "secret"}))


def test_a_state_without_a_reason() -> None:
    assert LiveState("relay.eth", Standing.CONNECTED).reason == ""
    assert f"{Standing.CONNECTED}" == "connected"
