"""The relay's workers on the laptop, each behind its event source, as on AWS behind infra/template.

Each has a process of its own in all but name: it is built from settings, shares nothing with the others, and
can be killed and started again while everything else goes on.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from chalicelib.config import Settings
from chalicelib.notify.ports import Queue
from chalicelib.process import Sweeper, Wiring, WorkerName
from infra.local.aws import LocalAws
from infra.local.clients import Clients, Life, mortal
from infra.local.messaging import QUEUE_OF, Messaging
from infra.local.nudges import channel_key, queue_key, table_key
from infra.local.pumps import ClockPump, Handler, Hire, Pump
from infra.local.queues import QueuePump
from infra.local.streams import StreamPump, inserted, removed_with_body

MINUTE_S: Final = 60.0

_WORKER_OF: Final[Mapping[Queue, WorkerName]] = {
    Queue.SOCKETS: "sockets",
    Queue.WEBHOOKS: "webhooks",
    Queue.EMAIL: "email",
    Queue.PUSH: "push",
    Queue.SMS: "sms",
    Queue.GREETINGS: "greetings",
    Queue.UNTOLD: "untold",
}
# As infra/template/queues.yaml: how many messages at a time; and how many workers of a kind at once, for two
# processors. A greeter waits for its sockets, and a webhook for its server.
_BATCH: Final[Mapping[Queue, int]] = {
    Queue.EMAIL: 5,
    Queue.PUSH: 1,
    Queue.SMS: 5,
    Queue.GREETINGS: 5,
    Queue.UNTOLD: 1,
}
_THREADS: Final[Mapping[Queue, int]] = {
    Queue.SOCKETS: 2,
    Queue.WEBHOOKS: 2,
    Queue.GREETINGS: 3,
    Queue.PUSH: 2,
}
# In this process pumps are nudged; what becomes visible with time is found by asking now and then.
_IDLE_S: Final = 1.0

_log = logging.getLogger("dm3.local")


class LocalWorkers(Mapping[str, Pump]):
    """The workers by the names of their functions: "outbox", "webhooks" and so on, and "bodies", "minute".

    Each is a pump, with `start`, `stop` and `kill`. What the endpoint has not is not there.
    """

    def __init__(
        self, settings: Settings, aws: LocalAws, clients: Clients, *, minute_s: float = MINUTE_S
    ) -> None:
        self._settings = settings
        self._aws = aws
        self._clients = clients
        self._pumps: dict[str, Pump] = {}
        if aws.stream_arn is not None:
            self._add(self._stream("bodies", aws.stream_arn, self._sweeper, removed_with_body))
        if aws.stream_arn is not None and aws.messaging is not None:
            self._add(self._outbox(aws.stream_arn, aws.messaging))
        if aws.messaging is not None:
            for queue, url in aws.messaging.queues.items():
                self._add(self._queue(queue, url))
        self._add(ClockPump("minute", self._worker("minute"), every_s=minute_s))

    def __getitem__(self, name: str) -> Pump:
        return self._pumps[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._pumps)

    def __len__(self) -> int:
        return len(self._pumps)

    def start(self) -> None:
        """Start all that do not run."""
        for pump in self._pumps.values():
            pump.start()

    def stop(self) -> None:
        """Stop all, those that read the stream first."""
        for pump in self._pumps.values():
            pump.stop()

    def _add(self, pump: Pump) -> None:
        self._pumps[pump.name] = pump

    def _outbox(self, stream_arn: str, messaging: Messaging) -> StreamPump:
        sqs = self._aws.clients("sqs")

        def give_up(metadata: Mapping[str, Any]) -> None:
            sqs.send_message(QueueUrl=messaging.queues[Queue.UNTOLD], MessageBody=json.dumps(metadata))

        return self._stream("outbox", stream_arn, self._worker("outbox"), inserted, give_up)

    def _stream(
        self,
        name: str,
        arn: str,
        hire: Hire,
        wanted: Callable[[Mapping[str, Any]], bool],
        give_up: Callable[[Mapping[str, Any]], None] | None = None,
    ) -> StreamPump:
        nudge = self._aws.nudges.listen(table_key(self._aws.tables.inbox))
        return StreamPump(
            name,
            self._aws.streams,
            arn,
            hire,
            wanted=wanted,
            give_up=give_up,
            nudge=nudge,
            idle_s=_IDLE_S,
        )

    def _queue(self, queue: Queue, url: str) -> QueuePump:
        keys = [channel_key(channel) for channel, filled in QUEUE_OF.items() if filled is queue]
        return QueuePump(
            _WORKER_OF[queue],
            self._aws.clients("sqs"),
            url,
            self._worker(_WORKER_OF[queue]),
            batch=_BATCH.get(queue, 10),
            threads=_THREADS.get(queue, 1),
            nudge=self._aws.nudges.listen(queue_key(url), *keys),
            idle_s=_IDLE_S,
        )

    def _worker(self, name: WorkerName) -> Hire:
        def hire(life: Life) -> Handler:
            wiring = Wiring(lambda: self._settings, clients=mortal(self._clients, life))
            return lambda event: wiring.work(name, event)

        return hire

    def _sweeper(self, life: Life) -> Handler:
        return Sweeper(lambda: self._settings.sweeper, clients=mortal(self._clients, life)).sweep
