from __future__ import annotations

import pytest

from chalicelib.notify.sockets.core import Core
from chalicelib.notify.sockets.gates import Gates
from chalicelib.protocol.errors import Forbidden, InvalidParams, SignInRequired, Unavailable
from chalicelib.relay.quota import Quotas
from chalicelib.relay.values import Account
from chalicelib.store.memory import Moment
from tests.unit.notify.sockets.house import House
from tests.unit.relay.world import BOB, MALLORY


def core_of(house: House) -> Core:
    world = house.world
    quotas = Quotas(world.store.counters, house.vault, world.clock, world.chance)
    return Core(relay=world.relay, registry=house.registry, gates=Gates(quotas, world.settings.limits))


def test_the_caller_is_asked_for_again_after_the_row_is_written() -> None:
    house = House()
    house.connect("c1")
    account = house.world.account(BOB)
    asked: list[bool] = []

    def authenticate() -> Account:
        asked.append(bool(house.registry.of_account(account.inbox)))
        return account

    core_of(house).sign_in(house.socket("c1"), authenticate)
    assert asked == [False, True]


@pytest.mark.parametrize("second", ["refused", "another"])
def test_who_is_not_there_any_more_has_no_socket(second: str) -> None:
    house = House()
    house.connect("c1")
    account, other = house.world.account(BOB), house.world.account(MALLORY)
    asked = 0

    def authenticate() -> Account:
        nonlocal asked
        asked += 1
        if asked == 1:
            return account
        if second == "another":
            return other
        raise SignInRequired

    with pytest.raises(Forbidden if second == "another" else SignInRequired):
        core_of(house).sign_in(house.socket("c1"), authenticate)
    assert house.registry.of_account(account.inbox) == ()
    assert house.registry.of_account(other.inbox) == ()


def test_a_deleted_account_has_no_socket() -> None:
    house = House()
    house.connect("c1")
    token = house.world.token(BOB)
    account = house.world.account(BOB)

    def delete(operation: str, moment: Moment) -> None:
        if operation == "connections.put" and moment is Moment.AFTER:
            house.world.store.faults = lambda _operation, _moment: None
            house.world.relay.accounts.delete(account)

    house.world.store.faults = delete
    with pytest.raises(Forbidden):
        core_of(house).sign_in(
            house.socket("c1"), lambda: house.world.relay.sessions.authenticate(f"Bearer {token}", "bob.eth")
        )
    assert house.registry.of_account(account.inbox) == ()


def test_a_pong_that_cannot_be_noted_is_no_error() -> None:
    house = House()
    house.plain("c1")

    def fail(_operation: str, _moment: Moment) -> None:
        raise Unavailable

    socket = house.socket("c1")
    house.world.store.faults = fail
    core_of(house).ponged(socket)


def test_what_is_no_list_of_ids_is_refused() -> None:
    house = House()
    for ids in ("x", None, [1], ["a", None]):
        with pytest.raises(InvalidParams):
            core_of(house).acknowledge(house.world.account(BOB), ids)


def test_pages_end_with_the_inbox() -> None:
    house = House()
    for _ in range(45):
        house.submit()
    pages = list(core_of(house).pages(house.world.account(BOB), None))
    assert [len(page.messages) for page in pages] == [20, 20, 5]
    assert [page.more for page in pages] == [True, True, False]
