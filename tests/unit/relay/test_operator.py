"""The operator's rules where they count: at admission, in quotas, in what is advertised."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chalicelib.protocol.errors import (
    Dm3Error,
    LimitExceeded,
    Spam,
    Unavailable,
    UnknownReceiver,
    UnverifiedSender,
    VersionNotSupported,
)
from chalicelib.protocol.json_types import JsonValue
from chalicelib.protocol.profile_uri import data_uri
from chalicelib.relay.operator_book import OUTAGE_MS, REMEMBER_MS, RETRY_MS
from chalicelib.relay.policy.port import Candidate, Dues, nothing_due
from chalicelib.store.memory import Moment
from tests.unit.relay.world import ALICE, BOB, MALLORY, RELAY_NAME, SOURCE, Stranger, World, limited


class Everybody:
    """The policy of a receiver who accepts everybody."""

    def admit(self, candidate: Candidate) -> Dues:
        return nothing_due


def governed(document: JsonValue, world: World | None = None) -> World:
    world = world or World()
    world.settle(ALICE, BOB)
    world.publish(MALLORY)
    world.relay.operator.set_rules(document)
    world.calls.clear()
    world.directory.readings.clear()
    return world


def refused(world: World, make: Callable[[World], dict[str, JsonValue]], kind: type[Dm3Error] = Spam) -> None:
    with pytest.raises(kind) as caught:
        world.submit(make(world))
    assert type(caught.value) is kind
    if kind is Spam:
        assert caught.value.data == {"rule": "receiver"}
    assert world.mail() == []


@pytest.mark.parametrize("entry", ["mallory.eth", "Mallory.ETH", "*.eth"])
def test_a_blocked_name_is_refused_before_its_receiver_is_asked_anything(entry: str) -> None:
    world = governed({"block": [entry]})
    with pytest.raises(Spam) as caught:
        world.submit(world.letter(MALLORY))
    assert caught.value.data == {"rule": "receiver"}
    assert world.directory.readings == [MALLORY.name]


def test_a_forger_does_not_learn_who_is_blocked() -> None:
    world = governed({"block": ["mallory.eth"]})
    for claim in ("mallory.eth", "bob.eth"):
        refused(world, lambda world, claim=claim: world.letter(ALICE, claim=claim), UnverifiedSender)  # type: ignore[misc]


def test_what_was_accepted_before_its_sender_was_blocked_is_answered_with_its_receipt() -> None:
    world = governed({})
    letter = world.letter(MALLORY)
    first = world.submit(letter)
    world.relay.operator.set_rules({"block": ["mallory.eth"]})
    again = world.submit(letter)
    assert (again.duplicate, again.receipt) == (True, first.receipt)


def test_a_blocked_address_is_refused_under_every_name_that_it_has_proven() -> None:
    world = governed({"block": [MALLORY.address.lower()]})
    world.publish(MALLORY, "innocent.eth")
    for name in ("mallory.eth", "innocent.eth"):
        refused(world, lambda world, name=name: world.letter(MALLORY, claim=name))  # type: ignore[misc]


def test_an_address_that_is_not_proven_blocks_nobody() -> None:
    """Anyone may point a name at a blocked address; that says nothing of who they are."""
    world = governed({"block": [MALLORY.address]})
    world.directory.add("alice.eth", MALLORY.address, data_uri(ALICE.profile.to_json()))
    world.submit()
    assert len(world.mail()) == 1


def test_everybody_else_gets_through_and_so_does_the_blocked_when_taken_off() -> None:
    world = governed({"block": ["*.mallory.eth"]})
    world.submit()
    world.submit(world.letter(MALLORY))
    world.relay.operator.set_rules({"block": ["mallory.eth"]})
    refused_now = world.letter(MALLORY, text="again")
    with pytest.raises(Spam):
        world.submit(refused_now)
    world.relay.operator.set_rules({})
    world.submit(refused_now)
    assert len(world.mail()) == 3


def test_the_blocked_are_charged_to_their_source_and_to_nobody_else() -> None:
    world = governed(
        {"block": ["mallory.eth"]}, limited(source_submits_per_minute=2, sender_messages_per_hour=1)
    )
    for _ in range(2):
        with pytest.raises(Spam):
            world.submit(world.letter(MALLORY), source="192.0.2.66")
    with pytest.raises(LimitExceeded):
        world.submit(world.letter(MALLORY), source="192.0.2.66")
    world.relay.operator.set_rules({})
    world.submit(world.letter(MALLORY))


def test_the_operators_refusal_is_a_receivers() -> None:
    class Private:
        def admit(self, _candidate: Candidate) -> Dues:
            raise Spam(data={"rule": "receiver"})

    operator = governed({"block": ["mallory.eth"]})
    receiver = governed({}, World(policy=Private()))
    told = []
    for world in (operator, receiver):
        with pytest.raises(Spam) as caught:
            world.submit(world.letter(MALLORY))
        told.append((caught.value.message, caught.value.data, caught.value.status))
    assert told[0] == told[1]


def test_blocked_or_not_an_unknown_receiver_is_unknown() -> None:
    refused(
        governed({"block": ["mallory.eth"]}),
        lambda world: world.letter(MALLORY, to="no.eth"),
        UnknownReceiver,
    )


# Versions


def test_envelopes_older_than_the_minimum_are_refused() -> None:
    world = governed({"minimumVersion": "v1.1"})
    for version in ("v1", "v1.0.9", "1.2", "", "x" * 1_000):
        refused(world, lambda world, v=version: world.letter(extra={"version": v}), VersionNotSupported)  # type: ignore[misc]
    assert ALICE.name not in world.directory.readings
    for version in ("v1.1", "v2"):
        world.submit(world.letter(extra={"version": version}))
    assert len(world.mail()) == 2


def test_what_this_project_sends_is_new_enough_for_its_own_version() -> None:
    world = governed({"minimumVersion": "v1"})
    world.submit()


def test_an_old_version_costs_nothing_and_a_large_one_is_charged_to_its_source() -> None:
    world = governed({"minimumVersion": "v2"}, limited(source_submits_per_minute=1))
    with pytest.raises(VersionNotSupported):
        world.submit()
    assert not world.calls
    large = world.letter(text="x" * 100_000)
    with pytest.raises(VersionNotSupported):
        world.submit(large)
    with pytest.raises(LimitExceeded):
        world.submit(large)


# Quotas of sources


def test_quotas_of_sources_are_overridden_and_advertised() -> None:
    world = governed({"limits": {"sourceSubmitsPerMinute": 2}})
    advertised = world.relay.properties().limits
    assert advertised is not None
    assert advertised["sourceSubmitsPerMinute"] == 2
    for number in range(2):
        world.submit(world.letter(text=str(number)))
    with pytest.raises(LimitExceeded):
        world.submit()
    world.relay.operator.set_rules({"limits": {"sourceSubmitsPerMinute": 0}})
    for number in range(3):
        world.submit(world.letter(text=f"not enforced {number}"))


@pytest.mark.parametrize(
    ("limit", "use"),
    [
        ("sourceLookupsPerMinute", lambda world: world.relay.sessions.challenge("carol.eth", source=SOURCE)),
        ("sourceRegistrationsPerHour", lambda world: world.register(BOB)),
        ("sourceKibPerDay", lambda world: world.submit(world.letter(text="x" * 4_000))),
    ],
)
def test_every_quota_of_sources_can_be_overridden(limit: str, use: Callable[[World], object]) -> None:
    for least, kind in ((1, LimitExceeded), (0, None)):
        world = governed({"limits": {limit: least}})
        raised: list[type[Dm3Error]] = []
        for _ in range(2):
            world.restarted()
            try:
                use(world)
            except Dm3Error as error:
                raised.append(type(error))
        assert (LimitExceeded in raised) is (kind is LimitExceeded)


def test_other_quotas_stay_as_they_are_deployed() -> None:
    world = governed({"limits": {"sourceSubmitsPerMinute": 0}}, limited(sender_messages_per_hour=1))
    world.submit()
    with pytest.raises(LimitExceeded):
        world.submit(world.letter(text="another"))


# Reloading


def test_a_rule_is_in_force_in_every_process_within_half_a_minute() -> None:
    world = governed({})
    elsewhere = world.process(world.clock)
    elsewhere.admission.submit(world.letter(MALLORY, text="before"), source=SOURCE)
    world.relay.operator.set_rules({"block": ["mallory.eth"]})
    with pytest.raises(Spam):
        world.submit(world.letter(MALLORY, text="here"))
    elsewhere.admission.submit(world.letter(MALLORY, text="not heard of it"), source=SOURCE)
    world.clock.at_ms += REMEMBER_MS
    with pytest.raises(Spam):
        elsewhere.admission.submit(world.letter(MALLORY, text="there"), source=SOURCE)


@pytest.mark.parametrize("moment", list(Moment))
def test_a_process_that_cannot_read_the_rules_accepts_nothing(moment: Moment) -> None:
    world = governed({"block": ["mallory.eth"]})
    world.restarted()

    def fail(name: str, when: Moment) -> None:
        if (name, when) == ("rules.get", moment):
            raise Unavailable

    world.store.faults = fail
    for letter in (world.letter(), world.letter(MALLORY), world.letter(MALLORY, claim=ALICE.name)):
        with pytest.raises(Unavailable):
            world.submit(letter)
    with pytest.raises(Unavailable):
        world.relay.properties()
    world.store.faults = None
    world.submit()
    assert len(world.mail()) == 1
    with pytest.raises(UnverifiedSender):
        world.submit(world.letter(MALLORY, claim=ALICE.name))


def test_a_process_that_remembers_the_rules_goes_on_for_a_while_without_the_store() -> None:
    # The rules of receivers, and of senders who have an account here, have rows in the same store.
    world = governed({"block": ["mallory.eth"]}, World(policy=Everybody()))
    carol = Stranger("carol.eth")
    world.publish(carol)

    def fail(name: str, _when: Moment) -> None:
        if name == "rules.get":
            raise Unavailable

    world.store.faults = fail
    world.clock.at_ms += OUTAGE_MS - 1_000
    world.submit(world.letter(carol))
    with pytest.raises(Spam):
        world.submit(world.letter(MALLORY))
    world.clock.at_ms += RETRY_MS + 1_000
    with pytest.raises(Unavailable):
        world.submit(world.letter(carol, text="too long"))


def test_garbage_reads_no_rules() -> None:
    world = governed({"minimumVersion": "v2"})
    world.restarted()
    with pytest.raises(Dm3Error):
        world.relay.admission.submit({"message": "x", "metadata": {}}, source=SOURCE)
    letter = world.letter()
    letter["metadata"] = {**letter["metadata"], "deliveryInformation": "x"}  # type: ignore[dict-item]
    with pytest.raises(Dm3Error):
        world.submit(letter)
    assert not world.calls


def test_the_relay_itself_may_be_blocked_and_still_serves() -> None:
    world = governed({"block": [RELAY_NAME, BOB.name, BOB.address]})
    world.submit()
    assert len(world.mail()) == 1
