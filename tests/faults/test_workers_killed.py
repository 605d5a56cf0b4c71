"""Every worker is killed at random, mostly in the middle of its work, while hundreds of messages go through.

A part of their calls to AWS fails, too, and the stream gives up on what fails once, so that the queue UNTOLD
has its work. In the end everybody who wants to be told has been told of every message: the webhooks at least
once, with one webhook-id for each message and endpoint, by which doubles are known.
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from random import Random

import pytest

from infra.local.messaging import QueueTimes
from infra.local.serve import PEOPLE, LocalRelay, Times, start_local
from infra.local.streams import StreamPump
from infra.local.workers import LocalWorkers
from tests.faults import audience
from tests.faults.audience import Follower, Letterboxes, Subscription, Visitor, Writers
from tests.faults.hook import hook
from tests.faults.reaper import Reaper, Weather

pytestmark = [pytest.mark.chain, pytest.mark.xdist_group("workers-killed")]

SEED = int(os.environ.get("DM3_FAULT_SEED", "1"))
MESSAGES = int(os.environ.get("DM3_FAULT_MESSAGES", "300"))
WRITERS = 3
# Carol has two webhooks and an open socket, the sleepers have mail and web push only, Bob one webhook.
FOR_CAROL = 150
SLEEPERS = 12
QUIET_WITHIN_S = 90.0
KILLED = ("outbox", "webhooks", "sockets", "greetings", "email", "push", "minute", "untold")
FAILURES, REFUSALS = 0.004, 0.04
STUMBLES = 0.03
LEAST_KILLED_WORKING = MESSAGES // 50


@pytest.fixture
def relay() -> Iterator[LocalRelay]:
    times = Times(queues=QueueTimes(visibility_s=3, waking_delay_s=1), minute_s=1.0)
    with start_local(accounts=SLEEPERS + 4, times=times) as relay:
        yield relay


@pytest.fixture(autouse=True)
def calm() -> Iterator[None]:
    """Thousands of lines about requests would be kept until the end."""
    logger = logging.getLogger("dm3")
    before = logger.level
    logger.setLevel(logging.ERROR)
    yield
    logger.setLevel(before)


def in_the_weather(relay: LocalRelay, weather: Weather) -> LocalWorkers:
    """The relay's workers anew, with clients whose calls fail; the stream repeats nothing by itself."""
    relay.workers.stop()
    made = relay.workers
    workers = LocalWorkers(made._settings, made._aws, weather.over(made._clients), minute_s=1.0)
    outbox = workers["outbox"]
    assert isinstance(outbox, StreamPump)
    outbox._max_age_s = 0
    return workers


def test_everybody_is_told_of_every_message_whoever_is_killed(
    relay: LocalRelay, record_property: Callable[[str, object], None]
) -> None:
    dice, stumbling = Random(SEED), Random(SEED + 1)  # noqa: S311 - a test's dice
    weather = Weather(Random(SEED + 2), failures=FAILURES, refusals=REFUSALS)  # noqa: S311
    alice = audience.member(relay, "alice.eth", PEOPLE["alice.eth"])
    bob = audience.member(relay, "bob.eth", PEOPLE["bob.eth"])
    carol = audience.member(relay, "carol.eth", 3)
    sleepers = [audience.member(relay, f"sleeper{n}.eth", 4 + n) for n in range(SLEEPERS)]
    receivers = [carol.name] * FOR_CAROL + [one.name for one in sleepers]
    receivers += [bob.name] * (MESSAGES - len(receivers))
    dice.shuffle(receivers)
    writers, letterboxes = Writers(relay, alice), Letterboxes(relay)
    workers = in_the_weather(relay, weather)
    with ExitStack() as stack:
        subscriptions = [
            Subscription.of(person, stack.enter_context(hook(lambda _: stumbling.random() < STUMBLES)))
            for person in (bob, carol, carol)
        ]
        push_url, pushed = stack.enter_context(audience.push_service())
        wake = [audience.wake_by_mail_and_push(relay, one, push_url) for one in sleepers]
        codes = len(relay.mails())
        stack.callback(workers.stop)
        workers.start()
        follower = Follower(audience.another_client(relay, carol))
        visitor, reaper = Visitor(relay.ws_url), Reaper(workers, KILLED, dice)
        with follower.at_work():
            with visitor.at_work(), reaper.at_work():
                writers.write(receivers, WRITERS)
            sent = writers.sent

            def missing() -> dict[str, object]:
                letterboxes.redrive()
                mailed = Counter(mail.to[0] for mail in relay.mails()[codes:])
                found: dict[str, object] = {
                    "webhooks": sum(len(one.missing(sent[one.person.name])) for one in subscriptions),
                    "followed": len(sent[carol.name]) - len(follower.texts),
                    "mails": [address for address, _ in wake if not mailed[address]],
                    "pushes": [path for _, path in wake if not pushed[path]],
                    "queues": letterboxes.waiting(),
                }
                return {name: what for name, what in found.items() if what}

            audience.when(lambda: not missing(), QUIET_WITHIN_S, missing)
        assert visitor.visit(), "sockets are greeted again at once"
        for one in subscriptions:
            one.check(sent[one.person.name])
    hooks = [one.hook for one in subscriptions]
    assert len({webhook_id for one in hooks for webhook_id, _ in one.requests}) == sum(
        len(sent[one.person.name]) for one in subscriptions
    )
    record_property(
        "told",
        {
            "operation": f"workers killed in threads, seed {SEED}",
            "messages": MESSAGES,
            "requests": sum(len(one.requests) for one in hooks),
            "doubles": sum(one.doubles for one in hooks),
            "refused": sum(one.stumbled for one in hooks),
            "kills": reaper.kills.total(),
            "working": reaper.in_the_middle.total(),
            "failed": weather.failed + weather.refused,
            "redriven": letterboxes.redriven,
            "lost": MESSAGES - sum(map(len, sent.values())),
            "kills of": dict(reaper.kills),
            "sockets": f"{visitor.greeted} greeted, {visitor.again} opened anew",
            "sleepers": f"{SLEEPERS} woken by {len(relay.mails()) - codes} mails and {pushed.total()} pushes",
        },
    )
    assert max(follower.texts.values()) == 1, "nothing is shown twice"
    assert set(reaper.kills) == set(KILLED)
    assert reaper.in_the_middle.total() > LEAST_KILLED_WORKING
