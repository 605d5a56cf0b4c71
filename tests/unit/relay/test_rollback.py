"""Nobody takes an account back to what it was: neither to its old keys, nor to mail for a deleted one."""

from __future__ import annotations

from tests.unit.relay.world import ALICE, BOB, World


def settled(world: World | None = None) -> World:
    world = world or World()
    world.settle(ALICE, BOB)
    return world


def test_mail_taken_by_a_process_that_missed_the_deletion_is_not_in_the_new_account() -> None:
    world = settled()
    stale = world.relay
    stale.admission.submit(world.letter(text="remember Bob"), source="192.0.2.7")
    world.restarted()
    world.relay.accounts.delete(world.account(BOB))
    world.register(BOB)
    letter = world.letter(text="for whom?")
    stale.admission.submit(letter, source="192.0.2.7")
    assert world.mail() == []
    assert not world.submit(letter).duplicate
    assert len(world.mail()) == 1
