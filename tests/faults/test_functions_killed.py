"""The functions of app.py in processes of their own are killed with SIGKILL while messages go through.

Tables, stream, topic and queues are those of MiniStack. What Lambda's event sources do is done here: they
outlive the functions, and hand what was not answered to the next process.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from random import Random

import pytest

from chalicelib.notify.ports import Queue
from infra.local.messaging import QueueTimes
from infra.local.pumps import Pump, immortal
from infra.local.queues import QueuePump
from infra.local.serve import PEOPLE, LocalRelay, Times, _environment, start_local
from infra.local.streams import StreamPump, inserted
from tests.faults import audience
from tests.faults.audience import Letterboxes, Subscription, Writers
from tests.faults.functions import Function, Killer
from tests.faults.hook import hook
from tests.support.ministack import ministack

pytestmark = [pytest.mark.chain, pytest.mark.ministack, pytest.mark.xdist_group("workers-killed")]

SEED = int(os.environ.get("DM3_FAULT_SEED", "1"))
MESSAGES = int(os.environ.get("DM3_FAULT_MESSAGES", "300"))
FOR_CAROL = MESSAGES // 5
BATCH = 5
PAUSE_S = 0.25
QUIET_WITHIN_S = 90.0
STUMBLES = 0.03


@pytest.fixture
def relay() -> Iterator[LocalRelay]:
    with (
        ministack() as url,
        start_local(aws_url=url, times=Times(queues=QueueTimes(visibility_s=30))) as relay,
    ):
        relay.workers.stop()
        yield relay


def environment(relay: LocalRelay) -> dict[str, str]:
    """What the functions of the relay have in their environment."""
    keys = relay.workers._settings.keys
    assert keys is not None
    return {
        **os.environ,
        **_environment(keys, relay.chain, relay.aws, relay.operator_token, relay.url),
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": "us-east-1",
    }


def event_sources(relay: LocalRelay, functions: list[Function]) -> list[Pump]:
    """A source of events for each function."""
    aws = relay.aws
    assert aws.messaging is not None
    assert aws.stream_arn is not None
    pumps: list[Pump] = []
    for one in functions:
        hire = immortal(one)
        if one.name == "outbox":
            pumps.append(StreamPump("outbox", aws.streams, aws.stream_arn, hire, wanted=inserted))
        else:
            url = aws.messaging.queues[Queue.WEBHOOKS]
            pumps.append(QueuePump(one.name, aws.clients("sqs"), url, hire, batch=BATCH, idle_s=0.2))
    return pumps


def test_webhooks_are_told_of_every_message_though_processes_are_killed(
    relay: LocalRelay, record_property: Callable[[str, object], None]
) -> None:
    dice, stumbling = Random(SEED), Random(SEED + 1)  # noqa: S311 - a test's dice
    alice = audience.member(relay, "alice.eth", PEOPLE["alice.eth"])
    bob = audience.member(relay, "bob.eth", PEOPLE["bob.eth"])
    carol = audience.member(relay, "carol.eth", 3)
    receivers = [carol.name] * FOR_CAROL + [bob.name] * (MESSAGES - FOR_CAROL)
    dice.shuffle(receivers)
    writers, letterboxes = Writers(relay, alice), Letterboxes(relay)
    functions = [Function(name, environment(relay)) for name in ("outbox", "webhooks", "webhooks")]
    killer = Killer(functions, dice, PAUSE_S)
    with ExitStack() as stack:
        subscriptions = [
            Subscription.of(person, stack.enter_context(hook(lambda _: stumbling.random() < STUMBLES)))
            for person in (bob, carol, carol)
        ]
        for function in functions:
            stack.callback(function.stop)
        for pump in event_sources(relay, functions):
            stack.callback(pump.stop)
            pump.start()
        with killer.at_work():
            writers.write(receivers, 2)
        sent = writers.sent

        def missing() -> dict[str, object]:
            letterboxes.redrive()
            untold = sum(len(one.missing(sent[one.person.name])) for one in subscriptions)
            found = {"webhooks": untold, "queues": letterboxes.waiting()}
            return {name: what for name, what in found.items() if what}

        audience.when(lambda: not missing(), QUIET_WITHIN_S, missing)
        for one in subscriptions:
            one.check(sent[one.person.name])
    hooks = [one.hook for one in subscriptions]
    record_property(
        "told",
        {
            "operation": f"functions killed with SIGKILL, seed {SEED}",
            "messages": MESSAGES,
            "requests": sum(len(one.requests) for one in hooks),
            "doubles": sum(one.doubles for one in hooks),
            "refused": sum(one.stumbled for one in hooks),
            "kills": killer.kills.total(),
            "working": killer.working.total(),
            "failed": 0,
            "redriven": letterboxes.redriven,
            "lost": MESSAGES - sum(map(len, sent.values())),
            "kills of": dict(killer.kills),
            "processes": sum(one.processes for one in functions),
        },
    )
    assert set(killer.kills) == {"outbox", "webhooks"}
    assert killer.working.total() > 0
