from __future__ import annotations

from chalicelib.notify.sockets import terms

GATEWAY_IDLE_S = 10 * 60
GATEWAY_LIFETIME_S = 2 * 3_600


def test_pings_come_before_anybody_gives_a_socket_up() -> None:
    assert terms.PING_INTERVAL_S + terms.PING_TIMEOUT_S < GATEWAY_IDLE_S
    assert terms.PING_INTERVAL_S % 60 == 0


def test_a_row_outlives_its_socket() -> None:
    assert terms.LIFETIME_S > GATEWAY_LIFETIME_S
