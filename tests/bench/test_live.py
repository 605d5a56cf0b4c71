"""Five hundred open sockets, and a thousand messages to random ones of their owners.

Asserted is what was received, and never when: the times are printed.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from threading import Lock, current_thread
from typing import Any

import pytest

from infra.local.serve import LocalRelay, start_local
from tests.bench.crowd import Plan, Tale
from tests.support.relay_over_http import person, relay_key

pytestmark = [pytest.mark.chain, pytest.mark.xdist_group("bench")]

ROOT = Path(__file__).resolve().parents[2]
ACCOUNTS, SOCKETS_EACH, SENDERS, MESSAGES = 100, 5, 4, 1_000
SERVICES = ("dynamodb", "dynamodbstreams", "s3", "sns", "sqs")
FETCHES = ("DescribeStream", "GetShardIterator", "GetRecords", "ReceiveMessage", "DeleteMessageBatch")
"""What Lambda's event source mappings do on AWS, and not the relay."""


class Requests:
    """Requests to AWS by who made them: the gateway's threads submit, the others tell."""

    def __init__(self, relay: LocalRelay) -> None:
        self._lock = Lock()
        self.counting = False
        self.by_submits: Counter[str] = Counter()
        self.by_workers: Counter[str] = Counter()
        self.fetching: Counter[str] = Counter()
        for service in SERVICES:
            relay.aws.clients(service).meta.events.register("before-call", self._count)

    def _count(self, model: Any, **_: object) -> None:  # noqa: ANN401 - botocore's
        if not self.counting:
            return
        name = f"{model.service_model.service_name} {model.name}"
        submitting = current_thread().name.startswith("gateway")
        kind = self.by_submits if submitting else self.by_workers
        with self._lock:
            (self.fetching if model.name in FETCHES else kind)[name] += 1


def each(counts: Counter[str], number: int) -> str:
    total = f"{counts.total() / number:.2f}"
    return f"{total} ({', '.join(f'{count / number:.2f} {name}' for name, count in counts.most_common())})"


@pytest.fixture
def relay(quiet: None) -> Iterator[LocalRelay]:
    with start_local() as relay:
        yield relay


def heard(crowd: subprocess.Popen[str]) -> Any:  # noqa: ANN401 - JSON
    """The next line of what the crowd says."""
    assert crowd.stdout is not None
    line = crowd.stdout.readline()
    assert line, "the crowd has failed; standard error says why"
    return json.loads(line)


def play(relay: LocalRelay, requests: Requests) -> Tale:
    """Have the crowd do all it does; requests are counted while it writes and is pushed to."""
    plan = Plan(
        url=relay.url,
        ws_url=relay.ws_url,
        relay_encryption_key=relay_key(relay),
        receivers=[person(relay, f"receiver{number}.eth").to_json() for number in range(ACCOUNTS)],
        senders=[person(relay, f"sender{number}.eth").to_json() for number in range(SENDERS)],
        sockets_each=SOCKETS_EACH,
        messages=MESSAGES,
        seed=4,
    )
    with subprocess.Popen(
        [sys.executable, "-m", "tests.bench.crowd"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as crowd:
        assert crowd.stdin is not None
        crowd.stdin.write(json.dumps(asdict(plan)) + "\n")
        crowd.stdin.flush()
        assert heard(crowd) == "ready"
        requests.counting = True
        assert heard(crowd) == "quiet"
        requests.counting = False
        return Tale(**heard(crowd))


def at(share: float, ordered: list[float]) -> float:
    """The percentile of times that are in order."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def tell(tale: Tale, requests: Requests) -> None:
    delays_s = sorted(received_s - tale.submitted[message] for message, _, received_s in tale.pushed)
    p50_s, p99_s = at(0.5, delays_s), at(0.99, delays_s)
    early = sum(delay_s < 0 for delay_s in delays_s)
    pushes = len(delays_s)
    each_push = (requests.by_workers.total() + pushes) / pushes
    for line in (
        f"\n{len(tale.owners)} sockets {dict(Counter(tale.dialects))}, opened in {tale.opening_s:.1f} s",
        f"{len(tale.submitted):,} messages of {SENDERS} senders in {tale.submitting_s:.1f} s",
        f"{pushes:,} pushes, of which {early} came before the submit's answer",
        f"submit answered to push received: p50 {p50_s:.3f} s, p99 {p99_s:.3f} s, max {delays_s[-1]:.3f} s",
        f"requests to AWS for a submit: {each(requests.by_submits, MESSAGES)}",
        f"for telling a message, pings included: {each(requests.by_workers, MESSAGES)}",
        f"for a push, its post included: {each_push:.2f}",
        f"besides, by event sources, for a message: {each(requests.fetching, MESSAGES)}",
    ):
        print(line)  # noqa: T201 - a bench prints what it measured


def test_every_socket_gets_every_message_once(relay: LocalRelay) -> None:
    requests = Requests(relay)
    tale = play(relay, requests)
    tell(tale, requests)
    assert len(tale.owners) == ACCOUNTS * SOCKETS_EACH
    assert tale.closed == 0
    assert tale.submitted.keys() == tale.sent_to.keys(), "each was accepted"
    pushed = Counter((message, number) for message, number, _ in tale.pushed)
    wanted = {
        (message, number)
        for message, name in tale.sent_to.items()
        for number, owner in enumerate(tale.owners)
        if owner == name
    }
    assert pushed.keys() <= wanted, "nobody got what was for others"
    missing = wanted - pushed.keys()
    waiting = {(message, name) for name, messages in tale.fetched.items() for message in messages}
    lost = [message for message, number in missing if (message, tale.owners[number]) not in waiting]
    doubles = sum(count - 1 for count in pushed.values())
    print(  # noqa: T201
        f"{len(pushed):,} pushed, {doubles} doubles, {len(missing)} fetched afterwards, {len(lost)} lost"
    )
    assert lost == []
    assert doubles == 0
    assert waiting == set(tale.sent_to.items()), "every message waits until it is acknowledged"
