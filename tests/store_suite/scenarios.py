"""Every request of an adapter's method fails in every way, and the port's promise holds after a restart.

After `Unavailable` or a crash the operation has happened, or not, or (for several items) in part; a new
adapter says which, and repeating the operation leads to where it would have led at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from chalicelib.protocol.errors import Unavailable
from tests.support.aws_faults import CRASHES, AwsFaults, Crash, Fault
from tests.support.stores import AllStores, Aws, moto_backend, new_key


def _nothing(store: AllStores, base: bytes) -> None:
    """Prepares nothing."""


@dataclass(frozen=True)
class Scenario:
    """`act` is made to fail; `state` tells what is stored, wherever the keys are.

    `between` says which states besides before and after may be found after a fault, `repeated` which states
    a repetition may lead to besides the one of an undisturbed run.
    """

    name: str
    act: Callable[[AllStores, bytes], object]
    state: Callable[[AllStores, bytes], Any]
    prepare: Callable[[AllStores, bytes], object] = _nothing
    between: Callable[..., bool] = lambda *_: False
    repeated: tuple[object, ...] = ()


@contextmanager
def faulty_world() -> Iterator[tuple[Aws, AwsFaults]]:
    """Tables and bucket by moto, with faults at hand."""
    with moto_backend() as backend:
        assert backend.aws is not None
        assert backend.aws.s3 is not None
        faults = AwsFaults()
        faults.attach(backend.aws.dynamodb)
        faults.attach(backend.aws.s3)
        yield backend.aws, faults


def holds_after_a_fault(aws: Aws, faults: AwsFaults, scenario: Scenario, fault: Fault) -> None:
    """Let each request of `scenario` meet `fault`, one at a time, and see that the promise holds."""
    base = new_key()
    scenario.prepare(aws.store(), base)
    before = scenario.state(aws.store(), base)
    faults.strike(None)
    answer = scenario.act(aws.store(), base)
    requests = list(faults.seen)
    after = scenario.state(aws.store(), base)
    assert requests
    for nth in range(1, len(requests) + 1):
        base = new_key()
        scenario.prepare(aws.store(), base)
        faults.strike(nth, fault)
        failed = False
        try:
            assert scenario.act(aws.store(), base) == answer
        except Unavailable:
            failed = True
            assert fault not in CRASHES
        except Crash:
            failed = True
            assert fault in CRASHES
        assert faults.seen[nth - 1] == requests[nth - 1], "the fault met another request"
        faults.strike(None)
        found = scenario.state(aws.store(), base)
        if failed:
            assert found in (before, after) or scenario.between(found, before, after)
            scenario.act(aws.store(), base)
        assert scenario.state(aws.store(), base) in (after, *scenario.repeated)
