from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from chalicelib.names.answer_json import resolved_from_json, resolved_to_json
from chalicelib.names.cache import CachePolicy, Remembered
from chalicelib.names.directory import ResolvedName
from chalicelib.names.ens_directory import EnsDirectory
from chalicelib.protocol.errors import InvalidProfile, Unavailable
from chalicelib.protocol.profile import DELIVERY_SERVICE_RECORD, USER_PROFILE_RECORD
from chalicelib.relay.remembered_names import RememberedNames, ens_directory
from chalicelib.relay.vault import Vault
from chalicelib.store.memory import MemoryStore, Moment
from tests.unit.names.people import SERVICE, Person, data_uri
from tests.unit.names.simulated_chain import SimulatedChain
from tests.unit.relay.ports import HandClock, SeededChance

ALICE = Person(1)
POLICY = CachePolicy(positive_ms=300_000, negative_ms=60_000, stale_ms=3_600_000, process_ms=60_000)


class World:
    """Processes over one table and one chain; `now` is the hand-moved clock."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.store = MemoryStore()
        self.chance = SeededChance()
        self.counted: Counter[str] = Counter()
        self.chain = SimulatedChain(
            {"alice.eth": ALICE.address, "relay.eth": ALICE.address},
            {
                ("alice.eth", USER_PROFILE_RECORD): ALICE.signed_record(),
                ("relay.eth", DELIVERY_SERVICE_RECORD): data_uri(SERVICE),
            },
        )

    def vault(self, storage_key: bytes = b"2" * 32) -> Vault:
        return Vault(b"1" * 32, storage_key, self.chance)

    def process(self, vault: Vault | None = None, policy: CachePolicy = POLICY) -> EnsDirectory:
        return ens_directory(
            self.chain,
            self.store.names,
            vault or self.vault(),
            self.clock,
            policy=policy,
            count=lambda event, /, **_: self.counted.update([event]),
        )

    def publish(self, person: Person) -> None:
        self.chain.texts["alice.eth", USER_PROFILE_RECORD] = person.bare_record()


@pytest.fixture
def world() -> World:
    return World()


def test_a_cold_process_with_a_warm_table_makes_no_request_to_the_chain(world: World) -> None:
    warm = world.process()
    assert world.chain.requests == 0
    first = warm.lookup("alice.eth"), warm.delivery_service("relay.eth")
    assert world.chain.requests == 2
    cold = world.process()
    assert (cold.lookup("alice.eth"), cold.delivery_service("relay.eth")) == first
    assert first[0].signed is not None
    assert world.chain.requests == 2


def test_a_new_process_serves_what_is_past_its_lifetime_while_the_chain_is_down(world: World) -> None:
    world.process().lookup("alice.eth")
    world.chain.fail = True
    world.clock.pass_s(3_900 - 1)
    assert world.process().lookup("alice.eth").signed is not None
    assert world.counted["NamesPastLifetime"] == 1
    with pytest.raises(Unavailable):
        world.process().lookup("alice.eth", fresh=True)
    world.clock.pass_s(1)
    with pytest.raises(Unavailable):
        world.process().lookup("alice.eth")


def test_a_changed_key_is_honoured_by_every_process_within_the_lifetime(world: World) -> None:
    first, second = world.process(), world.process()
    first.lookup("alice.eth")
    world.clock.pass_s(299)
    assert second.lookup("alice.eth").profile == ALICE.profile
    world.publish(Person(9))
    world.clock.pass_s(1)
    for process in (first, second, world.process()):
        assert process.lookup("alice.eth").profile == Person(9).profile
    assert world.chain.requests == 2


def test_what_is_invalidated_in_one_process_the_others_drop_within_a_minute(world: World) -> None:
    first, second = world.process(), world.process()
    for process in (first, second):
        process.lookup("alice.eth")
    world.publish(Person(9))
    world.clock.pass_s(1)
    first.invalidate("alice.eth")
    assert first.lookup("alice.eth").profile == Person(9).profile
    assert second.lookup("alice.eth").profile == ALICE.profile
    world.clock.pass_s(59)
    assert second.lookup("alice.eth").profile == Person(9).profile
    assert world.chain.requests == 2


def test_a_shorter_lifetime_counts_for_what_was_read_before(world: World) -> None:
    world.process().lookup("alice.eth")
    world.publish(Person(9))
    world.clock.pass_s(10)
    hasty = CachePolicy(positive_ms=10_000)
    assert world.process(policy=hasty).lookup("alice.eth").profile == Person(9).profile


def test_a_name_without_a_profile_is_not_written(world: World) -> None:
    calls: list[str] = []
    world.store.faults = lambda name, moment: calls.append(name) if moment is Moment.BEFORE else None
    process = world.process()
    for number in range(10):
        process.lookup(f"made-up-{number}.eth")
    assert set(calls) == {"names.get"}


def test_nothing_in_the_table_names_anybody(world: World) -> None:
    process = world.process()
    process.lookup("alice.eth")
    process.delivery_service("relay.eth")
    rows = list(world.store.names._rows.values())
    assert len(rows) == 2
    for row in rows:
        for secret in (b"alice", b"relay", ALICE.address[2:].encode(), bytes.fromhex(ALICE.address[2:])):
            assert secret not in row.name + row.sealed


def test_a_row_under_a_key_that_is_gone_is_read_from_the_chain(world: World) -> None:
    world.process().lookup("alice.eth")
    world.clock.pass_s(1)
    world.process(world.vault(b"9" * 32)).lookup("alice.eth")
    assert world.chain.requests == 2


def test_a_row_of_another_version_is_no_answer(world: World) -> None:
    def refuse(_: Any) -> ResolvedName:  # noqa: ANN401
        raise InvalidProfile

    def names(**changed: Any) -> RememberedNames[ResolvedName]:  # noqa: ANN401
        forms = {"to_json": resolved_to_json, "from_json": resolved_from_json, **changed}
        return RememberedNames("user", world.store.names, world.vault(), world.clock, POLICY, **forms)

    now_ms = world.clock.now_ms()
    kept = Remembered(
        ResolvedName("alice.eth"),
        known=True,
        check_at_ms=now_ms + POLICY.positive_ms,
        expires_at_ms=now_ms + POLICY.positive_ms,
        read_at_ms=now_ms,
    )
    assert names().put("alice.eth", kept)
    assert names().get("alice.eth") == kept
    assert names(from_json=refuse).get("alice.eth") is None


def test_an_old_row_put_back_by_a_thief_of_the_table_does_not_live_on(world: World) -> None:
    process = world.process()
    process.lookup("alice.eth")
    (old,) = world.store.names._rows.values()
    world.clock.pass_s(4_000)
    world.store.names._rows[old.name] = type(old)(
        old.name, old.sealed, world.clock.now_ms(), old.expires_at_s * 2
    )
    world.publish(Person(9))
    assert world.process().lookup("alice.eth").profile == Person(9).profile


def test_a_table_that_fails_fails_no_lookup(world: World) -> None:
    def fail(name: str, moment: Moment) -> None:
        raise Unavailable

    world.store.faults = fail
    process = world.process()
    assert process.lookup("alice.eth").signed is not None
    process.invalidate("alice.eth")
    assert world.process().lookup("alice.eth").signed is not None
    assert world.counted["NamesTableFailed"] > 0
