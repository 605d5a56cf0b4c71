from __future__ import annotations

import logging

import pytest

from chalicelib.notify.ports import PING_SHARDS
from chalicelib.notify.sockets.open_socket import Dialect
from chalicelib.notify.sockets.registry import Registry
from chalicelib.notify.sockets.terms import LIFETIME_S, SOCKETS_PER_ACCOUNT
from chalicelib.protocol.errors import Unavailable
from chalicelib.relay.vault import Vault
from chalicelib.store.memory import Moment
from tests.unit.notify.sockets.house import ENGINE, House
from tests.unit.relay.world import BOB, MALLORY, SECRETS, SOURCE


def test_a_socket_is_found_until_it_expires() -> None:
    house = House()
    house.connect("c1")
    assert house.socket("c1").account is None
    house.world.clock.pass_s(LIFETIME_S - 1)
    assert house.registry.find("c1") is not None
    house.world.clock.pass_s(1)
    assert house.registry.find("c1") is None


def test_signing_in_does_not_prolong_what_is_remembered() -> None:
    house = House()
    house.connect("c1")
    opened = house.socket("c1")
    house.world.clock.pass_s(60)
    signed_in = house.registry.sign_in(opened, house.world.account(BOB))
    assert signed_in.expires_at_s == opened.expires_at_s
    assert house.registry.find("c1") == signed_in


def test_nothing_about_a_socket_can_be_read_in_the_store() -> None:
    house = House()
    house.socket_io("the-connection-id")
    rows = repr(house.world.store.connections.__dict__)
    for secret in ("the-connection-id", "bob.eth", BOB.address, SOURCE, "socket.io"):
        assert secret not in rows


def test_nothing_about_a_socket_is_in_its_repr() -> None:
    house = House()
    house.socket_io("the-connection-id")
    shown = repr(house.socket("the-connection-id"))
    for secret in ("the-connection-id", "bob.eth", BOB.address, SOURCE):
        assert secret not in shown


def test_a_row_under_a_lost_storage_key_is_as_unknown_as_none() -> None:
    house = House()
    house.plain("c1")
    other = Registry(
        store=house.world.store.connections,
        vault=Vault(SECRETS.index_key, b"x" * 32, house.world.chance),
        poster=house.poster,
        clock=house.world.clock,
        count=house.count,
    )
    assert other.find("c1") is None
    assert other.of_account(house.world.account(BOB).inbox) == ()


def test_only_twenty_sockets_of_an_account_stay_open() -> None:
    house = House()
    for number in range(SOCKETS_PER_ACCOUNT + 2):
        house.plain(f"c{number}")
        house.world.clock.pass_s(1)
    owner = house.world.account(BOB).inbox
    assert house.poster.closed == ["c0", "c1"]
    assert len(house.registry.of_account(owner)) == SOCKETS_PER_ACCOUNT


def test_an_old_socket_that_cannot_be_closed_keeps_no_new_one_out() -> None:
    house = House()
    for number in range(SOCKETS_PER_ACCOUNT):
        house.plain(f"c{number}")
        house.world.clock.pass_s(1)
    house.connect("new")
    house.poster.failure = Unavailable()
    house.registry.sign_in(house.socket("new"), house.world.account(BOB))
    house.poster.failure = None
    assert house.socket("new").account is not None
    assert "c0" in house.poster.open_ids


def test_every_socket_of_a_shard_is_read_page_by_page() -> None:
    house = House()
    account = house.world.account(BOB)
    for number in range(SOCKETS_PER_ACCOUNT):
        socket = house.registry.remember(f"c{number}", source="", dialect=Dialect.PLAIN)
        house.registry.sign_in(socket, account)
    found = [socket for shard in range(PING_SHARDS) for socket in house.registry.of_shard(shard)]
    assert len(found) == SOCKETS_PER_ACCOUNT


def test_a_shard_of_many_pages_is_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.notify.sockets.registry._SHARD_PAGE", 1)
    test_every_socket_of_a_shard_is_read_page_by_page()


def test_all_sockets_of_an_account_are_closed_and_told_why() -> None:
    house = House()
    house.socket_io("c1")
    house.plain("c2")
    house.plain("other", MALLORY)
    owner = house.world.account(BOB).inbox
    house.registry.close_all(owner)
    assert house.poster.take("c1") == ['42["unauthorized"]', "41"]
    assert house.poster.take("c2") == ['{"code":-32003,"message":"Sign in first.","type":"error"}']
    assert sorted(house.poster.closed) == ["c1", "c2"]
    assert house.registry.of_account(owner) == ()
    house.registry.close_all(owner)
    assert "other" in house.poster.open_ids


def test_closing_all_forgets_each_though_the_gateway_fails() -> None:
    """Whoever signed out everywhere has no session left to ask again with."""
    house = House()
    house.plain("c1")
    house.plain("c2")
    owner = house.world.account(BOB).inbox
    failing, other = (socket.connection_id for socket in house.registry.of_account(owner))
    close = house.poster.close

    def fail(connection_id: str) -> None:
        if connection_id == failing:
            raise Unavailable
        close(connection_id)

    house.poster.close = fail  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        house.registry.close_all(owner)
    assert house.registry.of_account(owner) == ()
    assert other not in house.poster.open_ids
    house.poster.take(failing)
    house.tell(house.submit())
    assert house.poster.take(failing) == []
    house.poster.close = close  # type: ignore[method-assign]
    house.say(failing, {"type": "ping"})
    assert failing not in house.poster.open_ids


def test_closing_all_tries_each_though_the_store_fails() -> None:
    house = House()
    house.plain("c1")
    house.plain("c2")
    owner = house.world.account(BOB).inbox

    def fail(operation: str, moment: Moment) -> None:
        if operation == "connections.remove" and moment is Moment.BEFORE:
            raise Unavailable

    house.world.store.faults = fail
    with pytest.raises(Unavailable):
        house.registry.close_all(owner)
    house.world.store.faults = lambda _operation, _moment: None
    assert not house.poster.open_ids & {"c1", "c2"}


def test_a_gone_socket_that_cannot_be_forgotten_is_a_failure() -> None:
    house = House()
    house.plain("c1")
    socket = house.socket("c1")
    house.poster.open_ids.clear()

    def fail(operation: str, moment: Moment) -> None:
        if operation == "connections.remove" and moment is Moment.BEFORE:
            raise Unavailable

    house.world.store.faults = fail
    with pytest.raises(Unavailable):
        house.registry.post(socket, "x")
    house.world.store.faults = lambda _operation, _moment: None
    assert house.registry.post(socket, "x") is False
    assert house.registry.find("c1") is None


def test_a_ping_is_counted_before_it_is_sent() -> None:
    house = House()
    house.plain("c1")
    socket = house.socket("c1")
    assert house.registry.ping(socket) == 1
    house.poster.failure = Unavailable()
    with pytest.raises(Unavailable):
        house.registry.ping(socket)
    house.poster.failure = None
    assert house.registry.ping(socket) == 3


def test_an_unknown_or_gone_socket_has_no_ping() -> None:
    house = House()
    house.plain("c1")
    socket = house.socket("c1")
    house.poster.open_ids.clear()
    assert house.registry.ping(socket) == 0
    assert house.registry.ping(socket) == 0


def test_a_session_id_is_no_connection_id() -> None:
    house = House()
    house.connect("c1", ENGINE)
    house.connect("c2", ENGINE)
    sids = [house.registry.sid(house.socket(one)) for one in ("c1", "c2")]
    assert len(set(sids)) == 2
    assert all(len(sid) == 20 for sid in sids)


def test_nothing_of_a_socket_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    house = House()
    with caplog.at_level(logging.DEBUG):
        house.socket_io("the-connection-id")
        house.tell(house.submit())
        house.poster.open_ids.clear()
        house.tell(house.submit())
    for secret in ("the-connection-id", "bob.eth", "alice.eth", BOB.address, SOURCE):
        assert secret not in caplog.text
