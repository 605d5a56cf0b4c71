"""A thousand messages, while every call may fail and every worker may die, at random and all the time."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from chalicelib.notify.events import Channel
from chalicelib.notify.outbox import set_aside_text
from chalicelib.notify.preferences import Preferences, WakeUpChannel
from chalicelib.notify.untold import Untold
from chalicelib.protocol.errors import Unavailable
from chalicelib.store.memory_guard import Moment
from tests.unit.notify.carriers import sqs_event
from tests.unit.notify.faults import Died
from tests.unit.notify.outbox_world import OutboxWorld, Record, inserted, message, owner
from tests.unit.notify.test_untold import MemoryStream, given_up

MESSAGES, ACCOUNTS, AT_ONCE = 1_000, 25, 100
SPOILT = owner(13)
MAILED = Preferences(enabled=True, channels=(WakeUpChannel(Channel.EMAIL, "bob@example.org", verified=True),))


def test_every_message_is_told_or_stands_where_the_operator_finds_it() -> None:
    world = OutboxWorld()
    for number in range(0, ACCOUNTS, 2):
        world.wants(owner(number), MAILED)
    world.spoil(SPOILT)
    records = [inserted(number, owner(number % ACCOUNTS)) for number in range(MESSAGES)]
    for number in range(0, MESSAGES, 97):
        records[number]["dynamodb"]["NewImage"] = {}  # nobody understands it
    dice = Random(17)  # noqa: S311 - repeatable on purpose
    deaths = _struck_at_random(world, dice)

    given_up_texts = _hand_over(world, records, dice)
    dead = _work_off_the_queue(world, MemoryStream(records), given_up_texts)

    poison = [record for record in records if _is_poison(record)]
    good = {message(number) for number, record in enumerate(records) if not _is_poison(record)}
    assert {event.key for event in world.told} == good
    assert set(dead) == {set_aside_text(record) for record in poison}
    wanted = {event.channels for event in world.told if event.owner[0] % 2 == 0}
    assert wanted == {frozenset({Channel.EMAIL})}
    doubles = sum(world.told.values()) - len(good)
    assert deaths() > 10
    assert 0 < doubles < MESSAGES // 2


def _is_poison(record: Record) -> bool:
    change = record["dynamodb"]
    return not change["NewImage"] or change["Keys"] == inserted(0, SPOILT)["dynamodb"]["Keys"] | {
        "sk": change["Keys"]["sk"]
    }


def _struck_at_random(world: OutboxWorld, dice: Random) -> Callable[[], int]:
    """One question in two hundred fails or is the last; how often that has happened."""
    struck: list[BaseException] = []

    def faults(_operation: str, _moment: Moment) -> None:
        if dice.random() < 0.005:
            struck.append(Unavailable() if dice.random() < 0.5 else Died())
            raise struck[-1]

    world.strike(faults)
    return lambda: len(struck)


def _hand_over(world: OutboxWorld, records: list[Record], dice: Random) -> list[str]:
    """The stream: again from the first that failed. Now and then Lambda gives up, and tells where."""
    left, given_up_texts = list(records), []
    while left:
        batch = left[:AT_ONCE]
        if dice.random() < 0.05:
            first, last = (batch[at]["dynamodb"]["SequenceNumber"] for at in (0, -1))
            given_up_texts.append(given_up(int(first), int(last)))
            left = left[AT_ONCE:]
            continue
        try:
            failed = world.handle(*batch)
        except Died:
            continue
        done = AT_ONCE
        if failed:
            done = [record["dynamodb"]["SequenceNumber"] for record in batch].index(failed[0])
        left = left[done:]
    assert given_up_texts
    return given_up_texts


def _work_off_the_queue(world: OutboxWorld, stream: MemoryStream, texts: list[str]) -> list[str]:
    """The queue UNTOLD: what fails comes again, up to twenty times. What is in its dead-letter queue."""
    worker = Untold(outbox=world.outbox, stream=stream, queues=world.queues, count=world.count)
    left, dead = dict.fromkeys(texts, 0), []
    while left or world.queues.sent:
        left |= dict.fromkeys(world.untold(), 0)
        for text in list(left):
            try:
                failed = worker.handle(sqs_event(text))["batchItemFailures"]
            except Died:
                failed = ["died"]
            if not failed:
                del left[text]
            elif (receives := left[text] + 1) < 20:
                left[text] = receives
            else:
                del left[text]
                dead.append(text)
    return dead
