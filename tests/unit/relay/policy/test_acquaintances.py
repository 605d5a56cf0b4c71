from __future__ import annotations

import pytest

from chalicelib.protocol.canonical import canonicalize
from chalicelib.protocol.errors import Spam
from chalicelib.relay.settings import RelaySettings
from tests.unit.relay.world import ALICE, BOB, MALLORY, RELAY_NAME, Person, Stranger, World

CAROL = Stranger("carol.eth")


@pytest.fixture
def world() -> World:
    """Alice and Bob are at home here, and Bob takes one message from a stranger."""
    world = World()
    world.settle(ALICE, BOB)
    world.rule(BOB, rules={"firstContact": {"messages": 1}})
    return world


def comes_in(world: World, sender: Person = ALICE, claim: str | None = None) -> bool:
    try:
        world.submit(world.letter(sender, text=str(world.clock.now_ms()), claim=claim))
    except Spam as refused:
        return refused.data != {"rule": "firstContact", "messages": 1}
    return True


def answer(world: World, writer: Person = BOB, to: str = ALICE.name) -> None:
    world.submit(world.letter(writer, ALICE, f"answer {world.clock.now_ms()}", to=to))


def test_an_answer_makes_a_stranger_known(world: World) -> None:
    assert [comes_in(world), comes_in(world)] == [True, False]
    answer(world)
    assert all(comes_in(world) for _ in range(5))


def test_an_answer_goes_for_every_name_of_the_address(world: World) -> None:
    world.publish(ALICE, "alicia.eth")
    answer(world, to="alicia.eth")
    assert all(comes_in(world, claim=name) for name in (ALICE.name, "alicia.eth", ALICE.name))


def test_who_publishes_a_bare_profile_is_known_by_the_name_that_was_answered(world: World) -> None:
    world.directory.add(
        ALICE.name, ALICE.address, "data:application/json," + canonicalize(ALICE.profile.to_json())
    )
    answer(world)
    assert all(comes_in(world) for _ in range(5))


def test_a_name_that_is_pointed_at_the_address_is_not_known_by_it(world: World) -> None:
    evil = Person("evil.eth")
    bare = "data:application/json," + canonicalize(evil.profile.to_json())
    world.directory.add(evil.name, ALICE.address, bare)
    answer(world)
    assert [comes_in(world, evil), comes_in(world, evil)] == [True, False]


def test_somebody_elses_letter_is_no_answer(world: World) -> None:
    world.settle(MALLORY)
    answer(world, MALLORY)
    assert [comes_in(world), comes_in(world)] == [True, False]


def test_a_claim_to_be_the_receiver_is_no_answer() -> None:
    world = World(RelaySettings(RELAY_NAME, lenient=True))
    world.settle(ALICE, BOB)
    world.rule(BOB, rules={"firstContact": {"messages": 1}})
    world.submit(world.letter(ALICE, ALICE, "not Bob's", claim=BOB.name))
    assert [comes_in(world), comes_in(world)] == [True, False]


def test_an_answer_that_is_refused_is_none(world: World) -> None:
    world.rule(ALICE, block=[BOB.name])
    with pytest.raises(Spam):
        answer(world)
    assert [comes_in(world), comes_in(world)] == [True, False]


def test_answers_are_noted_once_and_only_where_there_is_the_rule(world: World) -> None:
    answer(world)
    world.calls.clear()
    answer(world)
    assert world.calls["counters.charge"] <= 4, "the quotas of the relay"
    marks = [call for call in world.calls if call not in {"counters.charge", "counters.read"}]
    assert sorted(marks) == ["inbox.put", "submissions.begin", "submissions.complete", "submissions.find"]


def test_an_owner_without_the_rule_marks_nobody(world: World) -> None:
    world.rule(BOB, rules={})
    answer(world)
    world.rule(BOB, rules={"firstContact": {"messages": 1}})
    assert [comes_in(world), comes_in(world)] == [True, False]


@pytest.mark.parametrize(
    ("person", "reads"), [(BOB, 1), (MALLORY, 1), (CAROL, 0)], ids=["home", "no account", "elsewhere"]
)
def test_only_senders_who_list_this_relay_are_looked_up(world: World, person: Person, reads: int) -> None:
    world.publish(person)
    world.restarted()
    world.calls.clear()
    answer(world, person)
    assert world.calls["accounts.get"] == 1 + reads, "the receiver's, and perhaps the sender's"


def test_a_new_incarnation_of_the_account_knows_nobody(world: World) -> None:
    answer(world)
    world.relay.accounts.delete(world.account(BOB))
    world.register(BOB)
    world.rule(BOB, rules={"firstContact": {"messages": 1}})
    assert [comes_in(world), comes_in(world)] == [True, False]
