"""Every worker is killed at random, mostly in the middle of its work, while a thousand messages go through.

A part of their calls to AWS fails, too, and the stream gives up on what fails once, so that the queue UNTOLD
has its work. In the end everybody who wants to be told has been told of every message: the webhooks at least
once, with one webhook-id for each message and endpoint, by which doubles are known.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from random import Random

import pytest

from chalicelib.cli.demo.people import Person
from infra.local.messaging import QueueTimes
from infra.local.serve import PEOPLE, LocalRelay, Times, start_local
from infra.local.streams import StreamPump
from infra.local.workers import LocalWorkers
from tests.faults import audience
from tests.faults.audience import Follower, Letterboxes, Visitor, Writers
from tests.faults.hook import Hook, hook
from tests.faults.reaper import Reaper, Weather

pytestmark = [pytest.mark.chain, pytest.mark.xdist_group("workers-killed")]

SEED = int(os.environ.get("DM3_FAULT_SEED", "1"))
MESSAGES = 1_000
WRITERS = 3
SLEEPERS = 12
HOOKS = 2
QUIET_WITHIN_S = 90.0
KILLED = ("outbox", "webhooks", "sockets", "greetings", "email", "push", "minute", "untold")
FAILURES, REFUSALS = 0.004, 0.04
STUMBLES = 0.03


@pytest.fixture
def relay() -> Iterator[LocalRelay]:
    times = Times(queues=QueueTimes(visibility_s=3, waking_delay_s=1), minute_s=1.0)
    with start_local(accounts=SLEEPERS + 3, times=times) as relay:
        yield relay


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
    dice = Random(SEED)  # noqa: S311 - a test's dice
    stumbles = Random(SEED + 1)  # noqa: S311
    weather = Weather(Random(SEED + 2), failures=FAILURES, refusals=REFUSALS)  # noqa: S311
    alice = audience.member(relay, "alice.eth", PEOPLE["alice.eth"])
    bob = audience.member(relay, "bob.eth", PEOPLE["bob.eth"])
    sleepers = [audience.member(relay, f"sleeper{n}.eth", 3 + n) for n in range(SLEEPERS)]
    writers, letterboxes = Writers(relay, alice), Letterboxes(relay)
    receivers = [bob.name] * (MESSAGES - SLEEPERS) + [one.name for one in sleepers]
    dice.shuffle(receivers)
    workers = in_the_weather(relay, weather)
    with ExitStack() as stack:
        hooks = [stack.enter_context(hook(lambda _: stumbles.random() < STUMBLES)) for _ in range(HOOKS)]
        webhooks = [audience.add_hook(bob, one) for one in hooks]
        push_url, pushed = stack.enter_context(audience.push_service())
        wake = [audience.wake_by_mail_and_push(relay, one, push_url) for one in sleepers]
        codes = len(relay.mails())
        stack.callback(workers.stop)
        workers.start()
        follower = Follower(audience.another_client(relay, bob))
        visitor = Visitor(relay.ws_url)
        reaper = Reaper(workers, KILLED, dice)
        with follower.at_work():
            with visitor.at_work(), reaper.at_work():
                writers.write(receivers, WRITERS)
            sent = writers.sent[bob.name]

            def missing() -> dict[str, object]:
                letterboxes.redrive()
                mailed = Counter(mail.to[0] for mail in relay.mails()[codes:])
                return {
                    name: what
                    for name, what in {
                        "webhooks": [len(set(sent) - one.told) for one in hooks if set(sent) - one.told],
                        "followed": len(sent) - len(follower.texts),
                        "mails": [address for address, _ in wake if not mailed[address]],
                        "pushes": [path for _, path in wake if not pushed[path]],
                        "queues": letterboxes.waiting(),
                    }.items()
                    if what
                }

            audience.when(lambda: not missing(), QUIET_WITHIN_S, missing)
        assert visitor.visit(), "sockets are greeted again at once"
        settled(bob, webhooks, sent)
        in_order(hooks, sent)
    mails = len(relay.mails()) - codes
    record_property(
        "told",
        {
            "operation": f"threads killed, seed {SEED}",
            "messages": MESSAGES,
            "requests": sum(len(one.requests) for one in hooks),
            "doubles": sum(one.doubles for one in hooks),
            "refused": sum(one.stumbled for one in hooks),
            "kills": reaper.kills.total(),
            "in the middle": reaper.in_the_middle.total(),
            "failed calls": weather.failed + weather.refused,
            "redriven": letterboxes.redriven,
            "lost": 0,
            "by worker": dict(reaper.kills),
            "sockets": f"{visitor.greeted} greeted, {visitor.again} opened anew",
            "woken": f"{SLEEPERS} sleepers by {mails} mails and {pushed.total()} pushes",
        },
    )
    assert max(follower.texts.values()) == 1, "nothing is shown twice"
    assert set(reaper.kills) == set(KILLED)
    assert reaper.in_the_middle.total() > MESSAGES / 20


def settled(person: Person, webhooks: list[str], sent: list[str]) -> None:
    """The log of each webhook says that every message was delivered, and knows of no other."""
    for webhook_id in webhooks:
        log = audience.log_of(person, webhook_id)
        assert set(log) == set(sent)
        assert set(log.values()) == {"delivered"}


def in_order(hooks: list[Hook], sent: list[str]) -> None:
    """Every request was genuine; each message has one webhook-id at each endpoint, and none shares it."""
    for one in hooks:
        assert one.forged == 0
        assert set(one.ids) == set(sent)
        assert all(len(ids) == 1 for ids in one.ids.values())
        assert len({webhook_id for webhook_id, _ in one.requests}) == len(sent)
    first, second = ({webhook_id for webhook_id, _ in one.requests} for one in hooks)
    assert not first & second
