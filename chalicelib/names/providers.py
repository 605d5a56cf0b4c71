"""Several nodes as one: asked in the operator's order, each within its time, the broken ones left alone.

A request goes to the first provider whose circuit lets it pass (`names.circuit`) and on to the next when that
one fails, is too slow, refuses for a reason of its own (`names.node_errors`), lags behind the chain or serves
another one (`names.heads`). While all circuits are open nothing is sent at all. An answer that is too long is
no failure, although the next one is asked: contracts of strangers can return at length, and a few names with
such a resolver would open every circuit.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from chalicelib.names.circuit import Circuit, CircuitPolicy
from chalicelib.names.counting import Counting, Event, uncounted
from chalicelib.names.heads import HeadCheck, HeadPolicy, NewestHead, Stale, WrongChain
from chalicelib.names.node_errors import node_failure
from chalicelib.names.ports import AnswerTooLong, RateLimited, RpcCall, RpcResult
from chalicelib.protocol.errors import Unavailable

# With less time than this left, another provider is not asked any more.
_LEAST_S = 0.05


class Node(Protocol):
    """A `ChainTransport` that can be given a deadline."""

    def request(self, calls: Sequence[RpcCall], *, timeout_s: float | None = None) -> list[RpcResult]:
        """As `ChainTransport.request`, within `timeout_s` seconds. `RateLimited` if asked too often."""
        ...


@dataclass(frozen=True, slots=True)
class ProviderPolicy:
    """`timeout_s` seconds for each provider and `total_s` for all; a later one gets what is left."""

    timeout_s: float = 2.0
    total_s: float = 5.0
    circuit: CircuitPolicy = field(default_factory=CircuitPolicy)
    head: HeadPolicy = field(default_factory=HeadPolicy)


class Providers:
    """Implements `names.ports.ChainTransport` over `nodes`, the first of which is preferred. Thread-safe.

    `clock_ms` tells milliseconds since the Unix epoch, `monotonic_s` seconds that never run backwards.
    `count` is told what happens.
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        *,
        clock_ms: Callable[[], int],
        monotonic_s: Callable[[], float] = time.monotonic,
        policy: ProviderPolicy | None = None,
        count: Counting = uncounted,
    ) -> None:
        policy = policy or ProviderPolicy()
        newest = NewestHead(policy.head, clock_ms)
        self._policy = policy
        self._monotonic_s = monotonic_s
        self._count = count
        self._providers = [
            _Provider(
                node,
                Circuit(policy.circuit, monotonic_s),
                HeadCheck(policy.head, newest, monotonic_s),
                monotonic_s,
                _Counter(count, place),
            )
            for place, node in enumerate(nodes, start=1)
        ]

    def request(self, calls: Sequence[RpcCall]) -> list[RpcResult]:
        """As `ChainTransport.request`: one HTTP request for each provider that has to be asked."""
        until_s = self._monotonic_s() + self._policy.total_s
        for provider in self._providers:
            left_s = min(self._policy.timeout_s, until_s - self._monotonic_s())
            if left_s < _LEAST_S:
                break
            results = provider.ask(calls, left_s)
            if results is not None:
                return results
        self._count(Event.CHAIN_DOWN)
        raise Unavailable("The chain cannot be asked just now; try again.")


class _Failure(Exception):
    """The provider's answer is of no use. `event` says why; `at_once` if it will not be soon, either.

    `blameless`: it may have done nothing wrong.
    """

    def __init__(self, event: Event, *, at_once: bool = False, blameless: bool = False) -> None:
        super().__init__(event)
        self.event = event
        self.at_once = at_once
        self.blameless = blameless


@dataclass(frozen=True, slots=True)
class _Counter:
    """Counts for one provider."""

    count: Counting
    place: int

    def __call__(self, event: Event) -> None:
        self.count(event, Provider=str(self.place))


@dataclass(frozen=True, slots=True)
class _Provider:
    """One node, and what is known of it."""

    node: Node
    circuit: Circuit
    head: HeadCheck
    monotonic_s: Callable[[], float]
    count: _Counter

    def ask(self, calls: Sequence[RpcCall], timeout_s: float) -> list[RpcResult] | None:
        """The answers within `timeout_s` seconds, or None: the next provider is to be asked."""
        leave = self.circuit.enter()
        if leave is None:
            return None
        failure = _Failure(Event.FAILED)
        results: list[RpcResult] | None = None
        try:
            results = self._request(calls, self.head.calls(trial=leave.trial), timeout_s)
        except _Failure as error:
            failure = error
        finally:
            # Also for an exception that nobody expects: a trial that is never told of would be the last one.
            if results is None:
                self.count(failure.event)
            if results is not None or failure.blameless:
                if self.circuit.succeed(leave):
                    self.count(Event.CLOSED)
            elif self.circuit.fail(leave, at_once=failure.at_once):
                self.count(Event.OPENED)
        return results

    def _request(
        self, calls: Sequence[RpcCall], checks: Sequence[RpcCall], timeout_s: float
    ) -> list[RpcResult]:
        """The answers to `calls`. Raises `_Failure`."""
        self.count(Event.REQUESTS)
        until_s = self.monotonic_s() + timeout_s
        try:
            results = self.node.request([*calls, *checks], timeout_s=timeout_s)
        except RateLimited:
            raise _Failure(Event.LIMITED) from None
        except AnswerTooLong:
            raise _Failure(Event.TOO_LONG, blameless=True) from None
        except Unavailable:
            slow = self.monotonic_s() >= until_s - _LEAST_S
            raise _Failure(Event.SLOW if slow else Event.FAILED) from None
        for result in results:
            failed = result.error and node_failure(result.error)
            if failed:
                raise _Failure(failed)
        try:
            self.head.judge(checks, results[len(calls) :])
        except Stale:
            raise _Failure(Event.STALE, at_once=True) from None
        except WrongChain:
            raise _Failure(Event.WRONG_CHAIN, at_once=True) from None
        except ValueError:
            raise _Failure(Event.FAILED) from None
        return results[: len(calls)]
