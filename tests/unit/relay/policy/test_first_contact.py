from __future__ import annotations

import pytest

from chalicelib.protocol.errors import Spam, Unavailable
from chalicelib.relay.policy.first_contact import LIFETIME_S
from chalicelib.relay.senders import Sender
from tests.unit.relay.policy.desk import BARE, CLAIM, INBOX, PROVEN, Desk


def writes(desk: Desk, sender: Sender = PROVEN, times: int = 10) -> int:
    """How many of so many messages come in."""
    accepted = times
    for _ in range(times):
        try:
            desk.admit(sender)
        except Spam as refused:
            accepted -= refused.data == {"rule": "firstContact", "messages": 3}
    return accepted


def three(desk: Desk | None = None) -> Desk:
    desk = desk or Desk()
    desk.rule(rules={"firstContact": {"messages": 3}})
    return desk


def test_a_stranger_sends_so_many_messages() -> None:
    desk = three()
    assert [writes(desk), writes(desk)] == [3, 0]


def test_none_may_be_the_number() -> None:
    desk = Desk()
    desk.rule(rules={"firstContact": {"messages": 0}})
    with pytest.raises(Spam):
        desk.admit()


@pytest.mark.parametrize("sender", [PROVEN, BARE])
def test_who_was_answered_is_no_stranger(sender: Sender) -> None:
    desk = three()
    writes(desk, sender)
    desk.first_contact.answer(INBOX, [sender.identity])
    assert writes(desk, sender) == 10


def test_an_answer_to_the_name_is_none_to_a_claim_of_it() -> None:
    desk = three()
    desk.first_contact.answer(INBOX, [BARE.identity, PROVEN.identity])
    assert writes(desk, CLAIM) == 3


def test_an_answer_is_one_receivers_own() -> None:
    desk = three()
    desk.first_contact.answer(b"j" * 32, [PROVEN.identity])
    assert writes(desk) == 3


def test_an_answer_before_the_first_message_counts() -> None:
    desk = three()
    desk.first_contact.answer(INBOX, [PROVEN.identity])
    assert writes(desk) == 10


def test_who_was_answered_costs_one_read_and_no_write() -> None:
    desk = three()
    desk.first_contact.answer(INBOX, [PROVEN.identity])
    desk.calls.clear()
    desk.admit()
    assert desk.calls == {"rules.get": 1, "counters.read": 1}


def test_a_refused_stranger_costs_one_read_and_no_write() -> None:
    desk = three()
    writes(desk)
    desk.calls.clear()
    assert writes(desk, times=1) == 0
    assert desk.calls == {"counters.read": 1}


def test_answering_again_costs_nothing_in_this_process_and_changes_nothing_in_another() -> None:
    desk = three()
    for _ in range(3):
        desk.first_contact.answer(INBOX, ["a", "b"])
    assert desk.calls["counters.charge"] == 2
    other = Desk(store=desk.store)
    other.first_contact.answer(INBOX, ["a"])
    assert other.calls["counters.charge"] == 1


def test_a_mark_that_was_not_written_is_not_remembered() -> None:
    desk = three()

    def fail(operation: str, _moment: object) -> None:
        if operation == "counters.charge":
            raise Unavailable

    faults, desk.store.faults = desk.store.faults, fail
    with pytest.raises(Unavailable):
        desk.first_contact.answer(INBOX, [PROVEN.identity])
    desk.store.faults = faults
    desk.first_contact.answer(INBOX, [PROVEN.identity])
    assert writes(desk) == 10


def test_all_is_forgotten_after_a_year() -> None:
    desk = three()
    writes(desk)
    desk.first_contact.answer(INBOX, [PROVEN.identity])
    desk.clock.pass_s(LIFETIME_S - 1)
    assert writes(desk) == 10
    desk.clock.pass_s(1)
    assert writes(desk) == 3
    desk.first_contact.answer(INBOX, [PROVEN.identity])
    assert writes(desk) == 10


def test_a_higher_number_lets_more_in() -> None:
    desk = Desk()
    for messages, accepted in ((1, 1), (3, 2)):
        desk.rule(rules={"firstContact": {"messages": messages}})
        taken = 0
        for _ in range(5):
            try:
                desk.admit()
            except Spam:
                break
            taken += 1
        assert taken == accepted
