"""Random operations of telling receivers on the simulator and on DynamoDB (moto): they answer alike."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from chalicelib.notify.ports import ConnectionRow, DeliveryRow, DueRow, Queue
from chalicelib.relay.ports import AccountRow, Conflict
from chalicelib.store.memory import MemoryStore
from tests.support.stores import NOW_S, AllStores, moto_backend, new_key, new_shard

small = st.integers(0, 2)
few = st.binary(max_size=2)
expiries = st.integers(NOW_S - 3, NOW_S + 6)
limits = st.integers(1, 4)


class Twins(RuleBasedStateMachine):
    """Each rule asks both stores the same and compares the answers. Time moves on and never back.

    How many rows a page has may differ where some of them have expired: whole lists are compared.
    """

    dynamo: AllStores

    def __init__(self) -> None:
        super().__init__()
        self.memory = MemoryStore()
        self.now_s = NOW_S
        self.base = b""
        self.shard = 0

    @initialize()
    def start(self) -> None:
        self.base = new_key()[:31]
        self.shard = new_shard()

    def both(self, operation: Callable[[AllStores], object]) -> None:
        answers = []
        for store in (self.memory, self.dynamo):
            try:
                answers.append(operation(store))
            except Conflict:
                answers.append(Conflict)
        assert answers[0] == answers[1]

    def one_of(self, number: int) -> bytes:
        return self.base + bytes([number])

    @rule(seconds=st.integers(1, 3))
    def time_passes(self, seconds: int) -> None:
        self.now_s += seconds

    @rule(owner=small, sealed=few, version=st.integers(1, 3))
    def prefer(self, owner: int, sealed: bytes, version: int) -> None:
        self.both(lambda s: s.preferences.put(AccountRow(self.one_of(owner), sealed, version)))
        self.both(lambda s: s.preferences.get(self.one_of(owner)))

    @rule(owner=small)
    def forget_preferences(self, owner: int) -> None:
        self.both(lambda s: s.preferences.delete(self.one_of(owner)))

    @rule(socket=small, owner=st.none() | small, shard=small, sealed=few, expires_at_s=expiries, pings=small)
    def put_socket(
        self, socket: int, owner: int | None, shard: int, sealed: bytes, expires_at_s: int, pings: int
    ) -> None:
        row = ConnectionRow(
            self.one_of(socket),
            sealed,
            expires_at_s,
            owner=None if owner is None else self.one_of(owner),
            shard=self.shard + shard,
            pings=pings,
            pongs=pings // 2,
        )
        self.both(lambda s: s.connections.put(row))

    @rule(socket=small)
    def get_socket(self, socket: int) -> None:
        self.both(lambda s: s.connections.get(self.one_of(socket), now_s=self.now_s))

    @rule(owner=small)
    def sockets_of_account(self, owner: int) -> None:
        self.both(lambda s: s.connections.of_account(self.one_of(owner), now_s=self.now_s))

    @rule(shard=small, limit=limits)
    def sockets_of_shard(self, shard: int, limit: int) -> None:
        def all_of(store: AllStores) -> list[ConnectionRow]:
            found: list[ConnectionRow] = []
            after: bytes | None = None
            while True:
                page = store.connections.of_shard(
                    self.shard + shard, after=after, limit=limit, now_s=self.now_s
                )
                assert len(page.rows) <= limit
                found += page.rows
                after = page.last
                if after is None:
                    return found

        self.both(all_of)

    @rule(socket=small)
    def ping(self, socket: int) -> None:
        self.both(lambda s: s.connections.pinged(self.one_of(socket)))

    @rule(socket=small)
    def pong(self, socket: int) -> None:
        self.both(lambda s: s.connections.ponged(self.one_of(socket)))

    @rule(socket=small)
    def remove_socket(self, socket: int) -> None:
        row = self.memory.connections.get(self.one_of(socket), now_s=0)
        if row is not None:
            self.both(lambda s: s.connections.remove(row))

    @rule(owner=small, message=small, pings=st.dictionaries(small, small, max_size=2), expires_at_s=expiries)
    def mark(self, owner: int, message: int, pings: dict[int, int], expires_at_s: int) -> None:
        numbers = {self.one_of(socket): number for socket, number in pings.items()}
        self.both(
            lambda s: s.connections.mark(
                self.one_of(owner), bytes([message]) * 16, numbers, expires_at_s=expires_at_s
            )
        )

    @rule(owner=small, message=small)
    def marks(self, owner: int, message: int) -> None:
        self.both(lambda s: s.connections.marks(self.one_of(owner), bytes([message]) * 16, now_s=self.now_s))

    @rule(endpoint=small, sort=small, sealed=few, version=st.integers(1, 3), expires_at_s=expiries)
    def deliver(self, endpoint: int, sort: int, sealed: bytes, version: int, expires_at_s: int) -> None:
        row = DeliveryRow(self.one_of(endpoint), bytes([sort]), sealed, version, expires_at_s)
        self.both(lambda s: s.deliveries.put(row, now_s=self.now_s))
        self.both(lambda s: s.deliveries.get(row.endpoint, row.sort, now_s=self.now_s))

    @rule(endpoint=small, limit=limits)
    def log(self, endpoint: int, limit: int) -> None:
        def whole(store: AllStores) -> list[DeliveryRow]:
            found: list[DeliveryRow] = []
            before: bytes | None = None
            while True:
                page = store.deliveries.newest(
                    self.one_of(endpoint), before=before, limit=limit, now_s=self.now_s
                )
                assert len(page.rows) <= limit
                found += page.rows
                before = page.last
                if before is None:
                    return found

        self.both(whole)

    @rule(endpoint=small)
    def delete_log(self, endpoint: int) -> None:
        self.both(lambda s: s.deliveries.delete_all(self.one_of(endpoint)))

    def due_row(self, shard: int, offset_s: int, key: int, sealed: bytes, expires_at_s: int) -> DueRow:
        queue = list(Queue)[key]
        at_ms = (NOW_S + offset_s) * 1_000 + 1
        return DueRow(self.shard + shard, at_ms, bytes([key]) * 16, queue, sealed, expires_at_s)

    @rule(shard=small, offset_s=small, key=small, sealed=few, expires_at_s=expiries)
    def schedule(self, shard: int, offset_s: int, key: int, sealed: bytes, expires_at_s: int) -> None:
        row = self.due_row(shard, offset_s, key, sealed, expires_at_s)
        self.both(lambda s: s.schedule.put(row))

    @rule(shard=small, limit=limits, ms=st.integers(0, 2))
    def due(self, shard: int, limit: int, ms: int) -> None:
        now_ms = self.now_s * 1_000 + ms
        self.both(lambda s: s.schedule.due(self.shard + shard, now_ms=now_ms, limit=limit))

    @rule(shard=small, offset_s=small, key=small)
    def unschedule(self, shard: int, offset_s: int, key: int) -> None:
        self.both(lambda s: s.schedule.delete(self.due_row(shard, offset_s, key, b"", 0)))


def test_the_simulator_and_dynamodb_never_differ() -> None:
    with moto_backend() as backend:
        assert backend.aws is not None
        Twins.dynamo = backend.aws.store()
        run_state_machine_as_test(
            Twins,
            settings=settings(
                max_examples=20,
                stateful_step_count=40,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
