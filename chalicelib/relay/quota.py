"""Quotas: how much a source, a sender and a receiver may use of the relay in a window of time.

Windows are fixed (they begin at multiples of their length), so that a counter needs one write per charge and
forgets by itself. A large quota is counted by sampling: of sixteen charges one is written, with sixteen
times its amount, chosen at random. That costs a sixteenth of the writes, and the count of a quota of 16,000
or more is exact to about one per cent; quotas below 1,000 are counted one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from ipaddress import IPv4Address, IPv6Network, ip_address

from chalicelib.protocol.errors import LimitExceeded
from chalicelib.relay.ports import Chance, Charge, Clock, CounterStore
from chalicelib.relay.settings import Limits
from chalicelib.relay.vault import Vault

_SAMPLED_FROM = 1_000
_COARSEST_SAMPLE = 16
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3_600, 86_400
_FRAMES_TO_SIGN_IN = 2
# Twenty sockets that all catch up, each with a backlog in two seconds.
_BACKLOGS_PER_MINUTE = 600


@dataclass(frozen=True, slots=True)
class Quota:
    """`limit` of something in each `window_s` for one `subject`; a limit of 0 is no limit.

    An `exact` quota is never sampled.
    """

    kind: str
    subject: str | bytes
    limit: int
    window_s: int
    amount: int = 1
    exact: bool = False

    @property
    def sample(self) -> int:
        """One charge in how many is written."""
        return 1 if self.exact else min(_COARSEST_SAMPLE, max(1, self.limit // _SAMPLED_FROM))


Overrides = Callable[[], Mapping[str, int]]
"""What the operator has set in place of members of `Limits`, while the relay runs."""

# The kinds of quota that can be overridden, and the members of `Limits` that they come from.
_OVERRIDDEN = {
    "source": "source_submits_per_minute",
    "source space": "source_kib_per_day",
    "registration": "source_registrations_per_hour",
    "lookup": "source_lookups_per_minute",
}


def network(source: str) -> str:
    """Whose an address is: an IPv6 host owns a whole /64, an IPv4 address is one, however it is written."""
    try:
        address = ip_address(source)
    except ValueError:
        return source
    if isinstance(address, IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Network((address.packed, 64), strict=False))


def source_submits(limits: Limits, source: str) -> Quota:
    """Submissions from one network address that got as far as the sender's check."""
    return Quota("source", network(source), limits.source_submits_per_minute, _MINUTE_S)


def source_registrations(limits: Limits, source: str) -> Quota:
    """Profiles posted from one network address."""
    return Quota("registration", network(source), limits.source_registrations_per_hour, _HOUR_S)


def source_space(limits: Limits, source: str, size_bytes: int) -> Quota:
    """KiB accepted from one network address."""
    return Quota(
        "source space", network(source), limits.source_kib_per_day, _DAY_S, amount=size_bytes // 1_024 + 1
    )


def source_lookups(limits: Limits, source: str) -> Quota:
    """Names looked up at ENS on behalf of one network address, because nothing was remembered of them."""
    return Quota("lookup", network(source), limits.source_lookups_per_minute, _MINUTE_S)


def sender_messages(limits: Limits, sender: str) -> Quota:
    """Messages accepted from one verified sender."""
    return Quota("sender", sender, limits.sender_messages_per_hour, _HOUR_S, exact=True)


def receiver_space(limits: Limits, account: bytes, size_bytes: int) -> Quota:
    """KiB accepted for one account."""
    return Quota("receiver", account, limits.receiver_kib_per_day, _DAY_S, amount=size_bytes // 1_024 + 1)


def sign_in_failures(limits: Limits, account: bytes) -> Quota:
    """Wrong signatures for one account, after which they are refused without asking ENS."""
    return Quota("sign-in", account, limits.sign_in_failures_per_hour, _HOUR_S)


def rule_changes(limits: Limits, account: bytes) -> Quota:
    """Changes of one account's rules, which may write 64 KiB and take half a second each."""
    return Quota("rules", account, limits.rule_changes_per_hour, _HOUR_S)


def operator_failures(limits: Limits, source: str) -> Quota:
    """Wrong tokens of the operator from one network address."""
    return Quota("operator", network(source), limits.operator_failures_per_hour, _HOUR_S)


def source_sockets(limits: Limits, source: str) -> Quota:
    """Sockets opened from one network address."""
    return Quota("sockets", network(source), limits.source_sockets_per_minute, _MINUTE_S)


def account_sockets(limits: Limits, account: bytes) -> Quota:
    """Sockets that have signed in for one account."""
    return Quota("account sockets", account, limits.account_sockets_per_hour, _HOUR_S)


def source_frames(limits: Limits, source: str) -> Quota:
    """Frames sent over all sockets of one network address."""
    return Quota("frames", network(source), limits.socket_frames_per_minute, _MINUTE_S)


def unsigned_frames(limits: Limits, source: str) -> Quota:
    """Frames over sockets of one network address that have not signed in: one or two are enough for that."""
    return Quota(
        "unsigned frames", network(source), limits.source_sockets_per_minute * _FRAMES_TO_SIGN_IN, _MINUTE_S
    )


def account_backlogs(account: bytes) -> Quota:
    """How often an account asks over its sockets for a backlog: a hundred messages may go out for each."""
    return Quota("backlogs", account, _BACKLOGS_PER_MINUTE, _MINUTE_S)


def account_frames(limits: Limits, account: bytes) -> Quota:
    """Frames sent over all sockets of one account, from wherever."""
    return Quota("account frames", account, limits.socket_frames_per_minute, _MINUTE_S)


class Quotas:
    """Reads and charges quotas. Refusals raise LimitExceeded with the seconds until the window ends.

    What the operator overrides counts in place of the limit that a quota brings along.
    """

    def __init__(
        self,
        counters: CounterStore,
        vault: Vault,
        clock: Clock,
        chance: Chance,
        overrides: Overrides = dict[str, int],
    ) -> None:
        self._counters = counters
        self._vault = vault
        self._clock = clock
        self._chance = chance
        self._overrides = overrides

    def require_room(self, quotas: Sequence[Quota]) -> None:
        """Read all of them in one request and charge nothing. Raises LimitExceeded."""
        enforced = [quota for quota in map(self._in_force, quotas) if quota.limit]
        if not enforced:
            return
        now_s = self._clock.now_ms() // 1_000
        counts = self._counters.read([self._counter(quota, now_s) for quota in enforced], now_s=now_s)
        for quota, count in zip(enforced, counts, strict=True):
            # A sampled counter cannot take a charge in units smaller than its own.
            if count + quota.amount * quota.sample > quota.limit:
                raise LimitExceeded(retry_after_s=_window_end_s(quota, now_s) - now_s)

    def charge(self, quota: Quota) -> None:
        """Charge in one atomic step. Raises LimitExceeded, having charged nothing."""
        quota = self._in_force(quota)
        if not quota.limit:
            return
        sample = quota.sample
        if sample > 1 and int.from_bytes(self._chance.token(4), "big") % sample:
            return
        now_s = self._clock.now_ms() // 1_000
        end_s = _window_end_s(quota, now_s)
        charge = Charge(self._counter(quota, now_s), quota.amount * sample, quota.limit, end_s)
        if not self._counters.charge(charge, now_s=now_s):
            raise LimitExceeded(retry_after_s=end_s - now_s)

    def toll(self, quota: Quota) -> Callable[[], None]:
        """A charge of `quota` that is made when, and each time, it is called (`names.directory.Toll`)."""
        return partial(self.charge, quota)

    def _in_force(self, quota: Quota) -> Quota:
        setting = _OVERRIDDEN.get(quota.kind)
        limit = None if setting is None else self._overrides().get(setting)
        return quota if limit is None else replace(quota, limit=limit)

    def _counter(self, quota: Quota, now_s: int) -> bytes:
        window = str(_window_end_s(quota, now_s))
        return self._vault.index("quota", quota.kind, quota.subject, window)


def _window_end_s(quota: Quota, now_s: int) -> int:
    return (now_s // quota.window_s + 1) * quota.window_s
