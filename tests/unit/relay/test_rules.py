from __future__ import annotations

import pytest

from chalicelib.protocol.errors import Forbidden, InvalidInput, LimitExceeded, Spam, Unavailable
from chalicelib.protocol.extension import ProfileExtension
from chalicelib.relay.policy.account_rules import AccountRules
from chalicelib.relay.settings import Limits, RelaySettings
from chalicelib.store.memory import Moment
from tests.unit.relay.world import ALICE, BOB, MALLORY, RELAY_NAME, SOURCE, Stranger, World, limited

CAROL = Stranger("carol.eth")


@pytest.fixture
def world() -> World:
    world = World()
    world.settle(ALICE, BOB)
    world.publish(CAROL)
    return world


def test_rules_are_replaced_changed_and_cleared(world: World) -> None:
    bob, rules = world.account(BOB), world.relay.rules
    assert rules.get(bob) == AccountRules()
    written = rules.replace(bob, {"block": ["Carol.eth"], "rules": {"minNonce": 1}})
    assert rules.get(bob) == written
    changed = rules.edit_lists(bob, {"allow": ["carol.eth"]})
    assert (changed.to_json()["allow"], changed.to_json()["block"]) == (["carol.eth"], [])
    assert changed.public == written.public
    rules.clear(bob)
    assert rules.get(bob) == AccountRules()


def test_changes_are_limited_whether_or_not_they_are_accepted_and_going_back_is_not() -> None:
    world = World(RelaySettings(RELAY_NAME, Limits(rule_changes_per_hour=3)))
    world.settle(ALICE, BOB)
    bob, rules = world.account(BOB), world.relay.rules
    rules.replace(bob, {"onlyAllowed": True})
    with pytest.raises(InvalidInput):
        rules.replace(bob, {"allow": 1})
    rules.edit_lists(bob, {"allow": ["alice.eth"]})
    for change in (rules.replace, rules.edit_lists):
        with pytest.raises(LimitExceeded):
            change(bob, {"allow": []})
    world.rule(ALICE, onlyAllowed=True)
    rules.clear(bob)
    assert rules.get(bob) == AccountRules()
    world.clock.pass_s(3_600)
    rules.replace(world.account(BOB), {"onlyAllowed": True})


def test_rules_are_ones_own(world: World) -> None:
    world.rule(BOB, onlyAllowed=True)
    assert world.relay.rules.get(world.account(ALICE)) == AccountRules()
    world.submit(world.letter(CAROL, ALICE))
    with pytest.raises(Spam):
        world.submit(world.letter(CAROL))


def test_every_name_of_the_account_has_the_same_rules(world: World) -> None:
    world.register(world.publish(BOB, "robert.eth"), "robert.eth")
    world.relay.rules.replace(world.account(BOB, "robert.eth"), {"block": ["carol.eth"]})
    for name in ("bob.eth", "robert.eth"):
        with pytest.raises(Spam):
            world.submit(world.letter(CAROL, to=name))


def test_what_is_wrong_changes_nothing(world: World) -> None:
    world.rule(BOB, block=["carol.eth"])
    for wrong in (None, {"block": [1]}, {"unknown": 1}):
        with pytest.raises(InvalidInput):
            world.relay.rules.replace(world.account(BOB), wrong)
        with pytest.raises(InvalidInput):
            world.relay.rules.edit_lists(world.account(BOB), wrong)
    assert world.relay.rules.get(world.account(BOB)).block.entries == {"carol.eth"}


def test_senders_are_told_what_is_public(world: World) -> None:
    assert world.relay.accounts.extension("bob.eth") == ProfileExtension.default()
    world.rule(
        BOB, rules={"minNonce": 2}, block=["carol.eth"], supportedMessageTypes=["NEW"], onlyAllowed=True
    )
    told = world.relay.accounts.extension("BOB.eth").to_json()
    assert told == {
        "supportedMessageTypes": ["NEW"],
        "rules": {"minNonce": 2, "onChainFailure": "fail_closed"},
    }


def test_an_export_has_the_rules(world: World) -> None:
    world.rule(BOB, block=["carol.eth"])
    assert world.relay.accounts.export(world.account(BOB)).rules.block.entries == {"carol.eth"}


def test_a_deleted_account_leaves_no_rules_and_its_successor_has_none(world: World) -> None:
    world.rule(BOB, onlyAllowed=True)
    world.relay.accounts.delete(world.account(BOB))
    assert not world.store.rules._rows
    world.register(BOB)
    world.submit(world.letter(CAROL))


def test_rules_that_outlive_their_account_are_not_its_successors(world: World) -> None:
    """As after a deletion that was cut short by a store which lost its answer, or by a hand in the table."""
    world.rule(BOB, onlyAllowed=True)
    rows = dict(world.store.rules._rows)
    world.relay.accounts.delete(world.account(BOB))
    world.store.rules._rows.update(rows)
    world.register(BOB)
    assert world.relay.rules.get(world.account(BOB)) == AccountRules()
    world.submit(world.letter(CAROL))


@pytest.mark.parametrize("moment", list(Moment))
@pytest.mark.parametrize("number", [0, 1])
def test_a_deletion_that_is_cut_short_at_the_rules_can_be_repeated(
    world: World, moment: Moment, number: int
) -> None:
    world.rule(BOB, onlyAllowed=True)
    bob, faults, seen = world.account(BOB), world.store.faults, []

    def fail(operation: str, when: Moment) -> None:
        if (operation, when) == ("rules.delete", moment):
            seen.append(operation)
            if len(seen) == number + 1:
                raise Unavailable

    world.store.faults = fail
    with pytest.raises(Unavailable):
        world.relay.accounts.delete(bob)
    world.store.faults = faults
    world.relay.accounts.delete(bob)
    assert not world.store.rules._rows
    assert not world.store.accounts._rows.get(bob.key)


@pytest.mark.parametrize("again", [False, True])
def test_rules_that_are_written_while_the_account_is_deleted_go_too(world: World, again: bool) -> None:
    bob, other = world.account(BOB), world.process(world.clock)

    def delete_first(operation: str, moment: Moment) -> None:
        if (operation, moment) == ("rules.put", Moment.BEFORE):
            world.store.faults = None
            other.accounts.delete(bob)
            if again:
                other.accounts.register(BOB.name, BOB.signed_profile.to_json(), source=SOURCE)

    world.store.faults = delete_first
    with pytest.raises(Forbidden):
        world.relay.rules.replace(bob, {"onlyAllowed": True})
    assert not world.store.rules._rows


@pytest.mark.parametrize("moment", list(Moment))
@pytest.mark.parametrize("operation", ["rules.get", "rules.put", "accounts.get"])
def test_a_store_that_fails_while_rules_are_written_is_asked_again(
    world: World, operation: str, moment: Moment
) -> None:
    bob, faults = world.account(BOB), world.store.faults

    def fail(called: str, when: Moment) -> None:
        if (called, when) == (operation, moment):
            raise Unavailable

    world.store.faults = fail
    with pytest.raises(Unavailable):
        world.relay.rules.replace(bob, {"onlyAllowed": True})
    world.store.faults = faults
    world.relay.rules.replace(bob, {"onlyAllowed": True})
    with pytest.raises(Spam):
        world.submit(world.letter(CAROL))


def test_another_process_goes_by_new_rules_in_time(world: World) -> None:
    other = world.process(world.clock)
    other.admission.submit(world.letter(CAROL), source=SOURCE)
    world.rule(BOB, onlyAllowed=True)
    other.admission.submit(world.letter(CAROL, text="still"), source=SOURCE)
    world.clock.pass_s(world.settings.remember_s)
    with pytest.raises(Spam):
        other.admission.submit(world.letter(CAROL, text="no more"), source=SOURCE)


# What a submission does under rules


def strict() -> World:
    """Bob has rules of every kind, Carol passes them, and every quota of the relay is counted one by one."""
    limits = Limits(source_submits_per_minute=900, source_kib_per_day=1_900, receiver_kib_per_day=1_900)
    world = World(RelaySettings(RELAY_NAME, limits))
    world.settle(ALICE, BOB)
    world.publish(CAROL)
    world.rule(
        BOB,
        rules={
            "minNonce": 1,
            "firstContact": {"messages": 3},
            "senderQuota": {"messagesPerDay": 9},
            "totalQuota": {"kibPerDay": 900},
        },
    )
    [requirement] = world.relay.rules.get(world.account(BOB)).public.requirements
    for person in (CAROL, ALICE):
        world.holdings.numbers[person.address, requirement.question] = 1
    world.restarted()
    world.calls.clear()
    return world


def test_a_duplicate_is_counted_once() -> None:
    world = strict()
    letter = world.letter(CAROL)
    for _ in range(9):
        world.submit(letter)
    for text in ("second", "third"):
        world.submit(world.letter(CAROL, text=text))
    with pytest.raises(Spam):
        world.submit(world.letter(CAROL, text="fourth"))
    assert world.submit(letter).duplicate


def test_what_the_relay_itself_refuses_uses_up_nothing_of_the_receivers_quotas() -> None:
    world = limited(sender_messages_per_hour=1)
    world.settle(ALICE, BOB)
    world.publish(MALLORY)
    world.rule(rules={"totalQuota": {"messagesPerDay": 2}, "firstContact": {"messages": 2}})
    world.submit(world.letter(MALLORY, text="the one that the relay takes"))
    for number in range(4):
        with pytest.raises(LimitExceeded):
            world.submit(world.letter(MALLORY, text=f"too many {number}"))
    world.submit(world.letter(ALICE))
    assert len(world.mail()) == 2


def test_a_first_message_that_failed_after_it_was_counted_may_be_submitted_again(world: World) -> None:
    world.rule(rules={"firstContact": {"messages": 1}})
    letter, counting = world.letter(CAROL), world.store.faults

    def fail(operation: str, _when: Moment) -> None:
        if operation == "submissions.begin":
            raise Unavailable

    world.store.faults = fail
    with pytest.raises(Unavailable):
        world.submit(letter)
    world.store.faults = counting
    with pytest.raises(Spam):
        world.submit(world.letter(CAROL, text="another one"))
    assert not world.submit(letter).duplicate
    assert len(world.mail()) == 1


def test_other_messages_under_one_signature_are_counted_each() -> None:
    """Or a sender had four messages, of any size, for the price of one."""
    world = strict()
    letter = world.letter(CAROL)
    for number in range(3):
        world.submit({**letter, "message": f"{letter['message']}{' ' * number}"})
    with pytest.raises(Spam):
        world.submit({**letter, "message": f"{letter['message']}{' ' * 3}"})
    assert len(world.mail()) == 3


@pytest.mark.parametrize("moment", list(Moment))
@pytest.mark.parametrize("sender", [CAROL, ALICE, BOB], ids=["stranger", "resident", "answer"])
def test_every_call_of_a_submission_under_rules_may_fail(sender: Stranger, moment: Moment) -> None:
    """Whatever fails, nothing is answered with success that is not stored, and trying again succeeds."""
    rehearsal, calls = strict(), []
    rehearsal.store.faults = lambda operation, when: calls.append(operation) if when is moment else None
    receiver = ALICE if sender is BOB else BOB
    rehearsal.submit(rehearsal.letter(sender, receiver))
    assert {"rules.get", "counters.charge"} <= set(calls)
    for number in range(len(calls)):
        world, seen = strict(), list[str]()

        def fail(operation: str, when: Moment, number: int = number, seen: list[str] = seen) -> None:
            if when is moment:
                seen.append(operation)
                if len(seen) == number + 1:
                    raise Unavailable

        letter, faults = world.letter(sender, receiver), world.store.faults
        world.store.faults = fail
        with pytest.raises(Unavailable):
            world.submit(letter)
        world.store.faults = faults
        assert world.submit(letter).receipt
        assert len(world.mail(receiver)) == 1


def test_while_the_chain_cannot_be_asked_nothing_is_stored_and_nobody_charged() -> None:
    world = strict()
    world.holdings.fail = True
    with pytest.raises(Unavailable, match="try again"):
        world.submit(world.letter(CAROL))
    # What was asked of ENS and of the chain is the source's, and no more.
    assert world.calls["counters.charge"] <= 2
    assert "submissions.begin" not in world.calls
    assert "inbox.put" not in world.calls
    world.holdings.fail = False
    world.submit(world.letter(CAROL))


PRIVATE = {
    "by name": {"block": ["mallory.eth"]},
    "by subtree": {"block": ["*.eth"], "allow": ["carol.eth"]},
    "by address": {"block": [MALLORY.address]},
    "not on the allow list": {"onlyAllowed": True, "allow": ["carol.eth"]},
}


def test_whoever_is_refused_privately_cannot_tell_why() -> None:
    """Every call of every port is counted: store, chain, names and chance."""
    seen: list[tuple[object, ...]] = []
    for document in PRIVATE.values():
        world = strict()
        world.relay.rules.replace(world.account(BOB), {"rules": {"minNonce": 9}, **document})  # type: ignore[dict-item]
        world.publish(MALLORY)
        for port in (world.calls, world.directory.readings, world.holdings.readings):
            port.clear()
        before = world.chance.drawn
        refusals = []
        for text in ("cold", "warm", "again"):
            with pytest.raises(Spam) as caught:
                world.submit(world.letter(MALLORY, text=text))
            refusals.append((caught.value.message, caught.value.data, caught.value.code))
        drawn = world.chance.drawn - before
        seen.append(
            (refusals, dict(world.calls), list(world.directory.readings), world.holdings.readings, drawn)
        )
    assert seen == [seen[0]] * len(PRIVATE)
    answers, *_, read, _ = seen[0]
    assert answers == [(Spam.summary, {"rule": "receiver"}, -32010)] * 3
    assert read == []
