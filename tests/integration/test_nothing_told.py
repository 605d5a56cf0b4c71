"""Nobody is told who writes to whom, or what: a whole story, and a search of everything that was emitted.

Where somebody may be named, `MAY_NAME` says so. That the search finds what is there is shown by planting a
name in every place that is searched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import pytest

from infra.local.messaging import QueueTimes
from infra.local.serve import Times, start_local
from tests.integration.emissions import Log, Trace, search
from tests.integration.loopback import Receiver
from tests.integration.planting import plant
from tests.integration.whole_story import CHANNELS, Story, wait_for

pytestmark = [pytest.mark.chain, pytest.mark.xdist_group("telling-relay")]

MAY_NAME: Final[Mapping[str, set[str]]] = {
    # A letter has an address on it, and the way to have no more of them.
    "e-mails": {"e-mail address", "link of an e-mail"},
    "sms": {"telephone number"},
    # An open socket brings its owner their mail, sealed as it came, and the session it was opened with knows
    # both names. It is the only way in which mail leaves but for the inbox itself.
    "own sockets": {"sender's name", "receiver's name", "ciphertext"},
    # The owner is shown their own webhooks when they ask; the secret comes once, when it is made.
    "webhooks' answers to their owner": {"webhook's path", "webhook's secret"},
    # What the story itself throws in there. What it throws into one queue must not come out elsewhere.
    "topic": {"poison"},
    "operator's subscription": {"poison"},
    "queues": {"poison"},
    "dead letters": {"poison"},
    "writes": {"poisoned row"},
    "rows": {"poisoned row"},
}


@pytest.fixture(scope="module")
def story() -> Iterator[Story]:
    """The story has been told."""
    log, server = Log(), Receiver()
    times = Times(queues=QueueTimes(visibility_s=2, waking_delay_s=1), minute_s=2)
    with log.kept(), start_local(times=times, settings={"DM3_SMS": "true"}) as relay:
        story = Story(relay, log, server)
        try:
            story.tell()
            yield story
        finally:
            for listener in story.listeners.values():
                listener.stop()
            server.stop()


@pytest.mark.parametrize("channel", CHANNELS)
def test_nobody_is_named(story: Story, channel: str) -> None:
    texts = story.emitted(channel)
    assert texts, "a channel by which nothing is emitted proves nothing"
    assert search(texts, story.traces) - MAY_NAME.get(channel, set()) == set()


@pytest.mark.parametrize("channel", list(MAY_NAME))
def test_what_may_be_named_is(story: Story, channel: str) -> None:
    """No exception is made for nothing, and the search does find what is there."""
    assert search(story.emitted(channel), story.traces) >= MAY_NAME[channel]


@pytest.mark.parametrize(("number", "channel"), [*enumerate(CHANNELS)])
def test_a_planted_name_is_found(story: Story, number: int, channel: str) -> None:
    name = f"plantagenet-{number}.eth"
    planted = {name: Trace(name)}
    assert search(story.emitted(channel), planted) == set()
    plant(story, channel, name)
    wait_for(lambda: search(story.emitted(channel), planted), "what was planted is found")
