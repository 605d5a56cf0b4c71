from __future__ import annotations

import pytest

from chalicelib.protocol.errors import Spam
from chalicelib.relay.senders import Sender
from tests.unit.relay.policy.desk import BARE, PROVEN, Desk
from tests.unit.relay.world import BOB

DAY_S = 86_400
OTHER = Sender("bob.eth", BOB.address, verified=True)


def refusal(desk: Desk, sender: Sender = PROVEN, size_bytes: int = 3_000) -> dict[str, object]:
    with pytest.raises(Spam) as caught:
        desk.admit(sender, size_bytes)
    return caught.value.data


def test_a_sender_has_a_number_of_messages_a_day() -> None:
    desk = Desk()
    desk.rule(rules={"senderQuota": {"messagesPerDay": 2}})
    desk.admit()
    desk.admit()
    left_s = DAY_S - desk.clock.now_s % DAY_S
    assert refusal(desk) == {"rule": "senderQuota", "retryAfter": left_s}
    desk.admit(OTHER)
    desk.clock.pass_s(left_s - 1)
    assert refusal(desk) == {"rule": "senderQuota", "retryAfter": 1}
    desk.clock.pass_s(1)
    desk.admit()


def test_all_names_of_one_address_are_one_sender() -> None:
    desk = Desk()
    desk.rule(rules={"senderQuota": {"messagesPerDay": 1}})
    desk.admit()
    assert refusal(desk, Sender("alicia.eth", PROVEN.address, verified=True))["rule"] == "senderQuota"
    desk.admit(BARE)


def test_all_senders_together_have_a_number_of_messages_a_day() -> None:
    desk = Desk()
    desk.rule(rules={"totalQuota": {"messagesPerDay": 2}})
    desk.admit()
    desk.admit(OTHER)
    assert refusal(desk, BARE)["rule"] == "totalQuota"


@pytest.mark.parametrize("rule", ["senderQuota", "totalQuota"])
def test_kib_are_counted_beside_messages(rule: str) -> None:
    desk = Desk()
    desk.rule(rules={rule: {"messagesPerDay": 3, "kibPerDay": 5}})
    desk.admit(size_bytes=4_095)
    assert refusal(desk, size_bytes=1_024)["rule"] == rule
    desk.admit(size_bytes=1_023)


@pytest.mark.parametrize("rule", ["senderQuota", "totalQuota"])
def test_what_never_fits_is_not_told_to_wait(rule: str) -> None:
    desk = Desk()
    desk.rule(rules={rule: {"kibPerDay": 5}})
    assert refusal(desk, size_bytes=6_000) == {"rule": rule}
    desk.rule(rules={rule: {"messagesPerDay": 0}})
    assert refusal(desk) == {"rule": rule}


def test_a_receiver_counts_what_is_put_into_the_own_inbox() -> None:
    desk = Desk()
    for inbox in (b"i" * 32, b"j" * 32):
        desk.rule(inbox, rules={"senderQuota": {"messagesPerDay": 1}, "totalQuota": {"messagesPerDay": 1}})
        desk.admit(inbox=inbox)


def test_who_is_on_the_allow_list_is_not_counted() -> None:
    desk = Desk()
    desk.rule(rules={"totalQuota": {"messagesPerDay": 1}}, allow=["alice.eth"])
    for _ in range(3):
        desk.admit()
    desk.admit(OTHER)
    assert refusal(desk, OTHER)["rule"] == "totalQuota"
