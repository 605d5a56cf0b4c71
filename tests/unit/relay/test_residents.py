from __future__ import annotations

import pytest

from chalicelib.protocol.errors import NotFound, UnknownReceiver
from tests.unit.relay.world import ALICE, BOB, Stranger, World


def test_a_warm_process_reads_nothing_of_the_receiver() -> None:
    world = World()
    world.settle(ALICE, BOB)
    world.submit()
    world.calls.clear()
    world.submit(world.letter(text="again"))
    assert not {"accounts.linked", "accounts.get"} & world.calls.keys()


def test_what_is_remembered_is_read_again_after_its_time() -> None:
    world, carol = World(), Stranger("carol.eth")
    world.settle(BOB)
    world.publish(carol)
    world.submit(world.letter(carol))
    world.calls.clear()
    world.clock.pass_s(world.settings.remember_s)
    world.submit(world.letter(carol, text="again"))
    assert (world.calls["accounts.linked"], world.calls["accounts.get"]) == (1, 1)


def test_a_known_name_is_found_without_asking_ens_until_it_is_believed_no_more() -> None:
    world, carol = World(), Stranger("carol.eth")
    world.settle(BOB)
    world.publish(carol)
    world.directory.fail = True
    world.clock.pass_s(world.settings.trust_name_s - 1)
    assert world.relay.accounts.profile("bob.eth", known_only=True) == BOB.signed_profile
    world.clock.pass_s(1)
    for name in ("bob.eth", "carol.eth"):
        with pytest.raises(NotFound):
            world.relay.accounts.profile(name, known_only=True)


def test_another_process_notices_new_and_deleted_accounts_in_time() -> None:
    world = World()
    world.settle(ALICE)
    world.publish(BOB)
    ours = world.relay
    with pytest.raises(UnknownReceiver):
        world.submit()
    other = world.restarted()
    world.register(BOB)
    world.clock.pass_s(world.settings.remember_s)
    ours.admission.submit(world.letter(), source="192.0.2.1")
    other.accounts.delete(world.account(BOB))
    world.clock.pass_s(world.settings.remember_s)
    with pytest.raises(UnknownReceiver):
        ours.admission.submit(world.letter(), source="192.0.2.1")
