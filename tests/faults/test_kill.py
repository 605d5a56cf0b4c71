"""A relay process is killed without warning, again and again, while it accepts messages."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from chalicelib.foundation import SystemClock
from tests.faults.ground import ground_on
from tests.faults.submitter import Plan
from tests.faults.wire import Wire
from tests.faults.world import Ground, World
from tests.support.dynalite import dynalite

pytestmark = [pytest.mark.chain, pytest.mark.dynalite, pytest.mark.xdist_group("faults")]

ROOT = Path(__file__).resolve().parents[2]
# How many messages each process may accept before it is killed, at whatever it is doing then.
LIVES = (1, 4, 9, 16, 25)


@pytest.fixture(scope="module")
def killed_ground() -> Iterator[Ground]:
    """Tables that outlive a process: in dynalite."""
    with dynalite() as url, ground_on(url, Wire(), bare=True) as built:
        yield built


def accepted_until_killed(plan: Plan, messages: int) -> list[str]:
    """What a process told it had accepted before it was killed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.submitter"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(json.dumps(asdict(plan)) + "\n")
        process.stdin.flush()
        told = [process.stdout.readline() for _ in range(messages)]
    finally:
        process.kill()
        rest, _ = process.communicate()
    return [line.strip() for line in (*told, *rest.splitlines(keepends=True)) if line.endswith("\n")]


def test_a_killed_process_loses_nothing_it_has_accepted(
    killed_ground: Ground, record_property: Callable[[str, object], None]
) -> None:
    world = World(killed_ground, clock=SystemClock())
    for number, messages in enumerate(LIVES):
        life = f"life {number}"
        accepted = accepted_until_killed(Plan.of(world, life), messages)
        assert len(accepted) >= messages
        world.accepted.update(accepted)
        # The one it was working on may have been committed without anybody being told.
        world.attempted.update(accepted, {f"{life} {len(accepted)}"})
    found = world.inspect()
    record_property(
        "faults",
        {
            "operation": "kill -9 while submitting",
            "injected": len(LIVES),
            "success": 0,
            "refused": 0,
            "crashed": len(LIVES),
            "accepted": len(world.accepted),
            "lost": len(found.lost),
            "doubles": found.doubles,
        },
    )
    assert found.sound, found
