"""Random operations on the simulator and on DynamoDB (moto) at once: they never answer differently."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from chalicelib.relay.ports import AccountRow, Charge, Conflict, InboxItem, InboxKey, Stores, Submission
from chalicelib.store.memory import MemoryStore
from tests.support.stores import NOW_S, moto_backend, new_key

INLINE_LIMIT_BYTES = 64

small = st.integers(0, 3)
keys = st.builds(InboxKey, st.integers(1, 4), st.sampled_from([b"a" * 16, b"b" * 16]))
blobs = st.binary(max_size=40) | st.binary(min_size=65, max_size=80)
expiries = st.integers(NOW_S - 3, NOW_S + 6)
sorts = st.sampled_from([b"a" * 32, b"a" * 16 + b"b" * 16, b"b" * 32])


class Twins(RuleBasedStateMachine):
    """Each rule asks both stores the same and compares the answers. Time moves on and never back."""

    dynamo: Stores

    def __init__(self) -> None:
        super().__init__()
        self.memory = MemoryStore()
        self.now_s = NOW_S
        self.base = b""

    @initialize()
    def start(self) -> None:
        self.base = new_key()[:31]

    def both(self, operation: Callable[[Stores], object]) -> None:
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

    @rule(account=small, key=keys, blob=blobs, expires_at_s=expiries)
    def put(self, account: int, key: InboxKey, blob: bytes, expires_at_s: int) -> None:
        self.both(lambda s: s.inbox.put(self.one_of(account), InboxItem(key, blob, expires_at_s)))

    @rule(account=small, key=keys)
    def exists(self, account: int, key: InboxKey) -> None:
        self.both(lambda s: s.inbox.exists(self.one_of(account), key, now_s=self.now_s))

    @rule(
        account=small,
        after=st.none() | keys,
        limit=st.integers(1, 4),
        max_bytes=st.sampled_from([1, 60, 999]),
    )
    def page(self, account: int, after: InboxKey | None, limit: int, max_bytes: int) -> None:
        self.both(
            lambda s: s.inbox.page(
                self.one_of(account), after=after, limit=limit, max_bytes=max_bytes, now_s=self.now_s
            )
        )

    @rule(account=small, chosen=st.lists(keys, max_size=3))
    def acknowledge(self, account: int, chosen: list[InboxKey]) -> None:
        self.both(lambda s: s.inbox.delete(self.one_of(account), chosen))

    @rule(partition=small, sort=sorts, receipt=st.binary(max_size=4), expires_at_s=expiries)
    def begin(self, partition: int, sort: bytes, receipt: bytes, expires_at_s: int) -> None:
        row = Submission(
            self.one_of(partition),
            sort,
            InboxKey(7, b"i" * 16),
            receipt,
            stored=False,
            expires_at_s=expires_at_s,
        )
        self.both(lambda s: s.submissions.begin(row, now_s=self.now_s))

    @rule(partition=small, sort=sorts)
    def complete(self, partition: int, sort: bytes) -> None:
        self.both(lambda s: s.submissions.complete(self.one_of(partition), sort))
        self.both(lambda s: s.submissions.get(self.one_of(partition), sort, now_s=self.now_s))

    @rule(partition=small, prefix=st.sampled_from([b"", b"a" * 16, b"b"]), limit=st.integers(1, 3))
    def find(self, partition: int, prefix: bytes, limit: int) -> None:
        self.both(lambda s: s.submissions.find(self.one_of(partition), prefix, now_s=self.now_s, limit=limit))

    @rule(account=small, sealed=st.binary(max_size=2), version=st.integers(1, 3))
    def put_account(self, account: int, sealed: bytes, version: int) -> None:
        self.both(lambda s: s.accounts.put(AccountRow(self.one_of(account), sealed, version)))
        self.both(lambda s: s.accounts.get(self.one_of(account)))

    @rule(account=small, profile=sorts)
    def supersede(self, account: int, profile: bytes) -> None:
        self.both(lambda s: s.accounts.supersede(self.one_of(account), profile))

    @rule(account=small, profile=sorts)
    def reinstate(self, account: int, profile: bytes) -> None:
        self.both(lambda s: s.accounts.reinstate(self.one_of(account), profile))

    @rule(account=small, profile=sorts)
    def is_superseded(self, account: int, profile: bytes) -> None:
        self.both(lambda s: s.accounts.is_superseded(self.one_of(account), profile))

    @rule(account=small)
    def delete_account(self, account: int) -> None:
        self.both(lambda s: s.accounts.delete(self.one_of(account)))

    @rule(name=small, sealed=st.binary(max_size=2))
    def link(self, name: int, sealed: bytes) -> None:
        self.both(lambda s: s.accounts.link_name(self.one_of(name), sealed))

    @rule(name=small)
    def unlink(self, name: int) -> None:
        self.both(lambda s: s.accounts.linked(self.one_of(name)))
        self.both(lambda s: s.accounts.unlink_name(self.one_of(name)))

    @rule(counter=small, amount=st.integers(1, 4), limit=st.integers(0, 8), expires_at_s=expiries)
    def charge(self, counter: int, amount: int, limit: int, expires_at_s: int) -> None:
        charge = Charge(self.one_of(counter), amount, limit, expires_at_s)
        self.both(lambda s: s.counters.charge(charge, now_s=self.now_s))

    @rule(chosen=st.lists(small, max_size=4))
    def read(self, chosen: list[int]) -> None:
        self.both(lambda s: s.counters.read([self.one_of(n) for n in chosen], now_s=self.now_s))

    @rule(mark=small, expires_at_s=expiries)
    def use_once(self, mark: int, expires_at_s: int) -> None:
        self.both(
            lambda s: s.counters.use_once(self.one_of(mark), expires_at_s=expires_at_s, now_s=self.now_s)
        )


def test_the_simulator_and_dynamodb_never_differ() -> None:
    with moto_backend() as backend:
        assert backend.aws is not None
        Twins.dynamo = backend.aws.store(inline_limit_bytes=INLINE_LIMIT_BYTES)
        run_state_machine_as_test(
            Twins,
            settings=settings(
                max_examples=40,
                stateful_step_count=40,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
