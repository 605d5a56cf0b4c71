"""Everything that a relay on this machine emits, and a search of it for what must not be there.

What is searched for is found however it is written: in any case, in hex, in base64, hashed without a key.
"""

from __future__ import annotations

import io
import logging
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from hashlib import sha256
from threading import Lock
from typing import Any

from chalicelib.api import logs
from chalicelib.names.encoding import namehash
from chalicelib.protocol.hashing import keccak256
from infra.local.serve import LocalRelay

SERVICES = ("dynamodb", "s3", "sns", "sqs", "sesv2")
MAILBOX = "e-mail to "
"""How lines of standard error begin that are the mailbox of a laptop."""


class Trace:
    """A secret, in all the spellings in which it might be found."""

    def __init__(self, *texts: str) -> None:
        self._folded: set[bytes] = set()
        self._exact: set[bytes] = set()
        for text in texts:
            self._spell(text)

    def _spell(self, text: str) -> None:
        bare = text.removeprefix("0x")
        for data in {text.encode(), text.lower().encode(), bare.lower().encode()}:
            digests = [sha256(data).digest(), keccak256(data)]
            self._folded |= {
                data.lower(),
                data.hex().encode(),
                *(digest.hex().encode() for digest in digests),
            }
            self._exact |= {*digests, *_in_base64(data)}
        if text.endswith(".eth"):
            self._exact.add(namehash(text))
            self._folded.add(namehash(text).hex().encode())
        if text.startswith("0x") and len(text) == 42:
            self._exact.add(bytes.fromhex(bare))

    def is_in(self, found: bytes, folded: bytes) -> bool:
        """Whether it is in `found`, which is `folded` in lower case."""
        return any(one in folded for one in self._folded) or any(one in found for one in self._exact)


def _in_base64(data: bytes) -> Iterator[bytes]:
    """What base64 of any text around `data` contains, at each of the three offsets."""
    for offset in range(3):
        encoded = b64encode(b"\0" * offset + data)
        inner = encoded[-(-offset * 4 // 3) if offset else 0 : len(encoded) - 4]
        if len(inner) >= 8:
            yield inner
            yield inner.replace(b"+", b"-").replace(b"/", b"_")


def search(texts: list[bytes], traces: Mapping[str, Trace]) -> set[str]:
    """The names of the traces that are in one of the texts."""
    return {
        name
        for text in texts
        for folded in [text.lower()]
        for name, trace in traces.items()
        if trace.is_in(text, folded)
    }


def flat(value: object) -> Iterator[bytes]:
    """Every text and every byte string in what botocore takes or gives, keys included."""
    if isinstance(value, bytes | bytearray):
        yield bytes(value)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from flat(key)
            yield from flat(item)
    elif isinstance(value, list | tuple | set):
        for item in value:
            yield from flat(item)
    elif value is not None:
        yield str(value).encode()


class _Lines(logging.Handler):
    """Keeps what loggers are told, as the relay writes it, as Python would, and as it was told."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[bytes] = []
        self.metrics: list[bytes] = []

    def emit(self, record: logging.LogRecord) -> None:
        told = (
            f"{logs.JsonFormatter().format(record)}\n{logging.Formatter().format(record)}\n{record.__dict__}"
        )
        kept = self.metrics if record.name == logs.METRICS.name else self.lines
        kept.append(told.encode())


class Log:
    """What the process says: by loggers, on standard output and on standard error."""

    def __init__(self) -> None:
        self._handler = _Lines()
        self._written = io.StringIO()

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Keep it while this lasts. Below INFO only the relay's own loggers write; nobody runs others so."""
        logs.configure()
        # Exactly this class: pytest's own handlers derive from it.
        written = [one for one in logging.getLogger("dm3").handlers if type(one) is logging.StreamHandler]
        streams = [handler.setStream(self._written) for handler in written]
        loggers = {logging.getLogger(): logging.INFO, logging.getLogger("dm3"): logging.DEBUG}
        before = {logger: logger.level for logger in loggers}
        for logger, level in loggers.items():
            logger.addHandler(self._handler)
            logger.setLevel(level)
        try:
            with redirect_stderr(self._written), redirect_stdout(self._written):
                yield
        finally:
            for logger, level in before.items():
                logger.removeHandler(self._handler)
                logger.setLevel(level)
            for handler, stream in zip(written, streams, strict=True):
                if stream is not None:  # None: it was so before
                    handler.setStream(stream)

    @property
    def lines(self) -> list[bytes]:
        """What loggers were told, but for metrics."""
        return list(self._handler.lines)

    @property
    def metrics(self) -> list[bytes]:
        """The lines that CloudWatch makes metrics of."""
        return list(self._handler.metrics)

    @property
    def written(self) -> list[bytes]:
        """What was written on standard output and error, but for the mailbox."""
        lines = self._written.getvalue().splitlines()
        return [line.encode() for line in lines if not line.startswith(MAILBOX)]


class Wiretap:
    """Everything that the relay asks of AWS, and what its workers are handed by queues."""

    def __init__(self, relay: LocalRelay) -> None:
        self._lock = Lock()
        self._asked: dict[str, list[bytes]] = {}
        for service in SERVICES:
            events = relay.aws.clients(service).meta.events
            events.register(f"before-parameter-build.{service}", self._ask)
            events.register(f"after-call.{service}", self._answered)

    def of(self, *kinds: str) -> list[bytes]:
        """What was asked of these services; "sms" and "topic" are the two sides of SNS."""
        with self._lock:
            return [text for kind in kinds for text in self._asked.get(kind, ())]

    def _ask(self, params: Mapping[str, Any], model: Any, **_: object) -> None:  # noqa: ANN401 - botocore's
        kind = str(model.service_model.service_name)
        if kind == "sns":
            kind = "sms" if "PhoneNumber" in params else "topic"
        self._keep(kind, params)

    def _answered(self, parsed: Mapping[str, Any], model: Any, **_: object) -> None:  # noqa: ANN401 - botocore's
        if model.name == "ReceiveMessage":
            self._keep("sqs", parsed.get("Messages", ()))

    def _keep(self, kind: str, what: object) -> None:
        texts = list(flat(what))
        with self._lock:
            self._asked.setdefault(kind, []).extend(texts)


class Subscriber:
    """An operator's own queue at the topic, without any filter."""

    def __init__(self, relay: LocalRelay) -> None:
        assert relay.aws.messaging is not None
        sns, self._sqs = relay.aws.clients("sns"), relay.aws.clients("sqs")
        self._url = self._sqs.create_queue(QueueName="operators-own")["QueueUrl"]
        asked = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        endpoint = asked["Attributes"]["QueueArn"]
        sns.subscribe(TopicArn=relay.aws.messaging.topic_arn, Protocol="sqs", Endpoint=endpoint)
        self._got: list[bytes] = []

    @property
    def got(self) -> list[bytes]:
        """Every notification so far."""
        self._got += drained(self._sqs, self._url)
        return list(self._got)


def drained(sqs: Any, url: str) -> list[bytes]:  # noqa: ANN401 - botocore's
    """Everything that can be received from a queue, which keeps it."""
    found: list[bytes] = []
    while messages := sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"], MessageAttributeNames=["All"]
    ).get("Messages"):
        found += flat(messages)
        for message in messages:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


def rows(relay: LocalRelay) -> dict[str, list[bytes]]:
    """Every row of every table, by the table's name without its prefix."""
    dynamodb, tables = relay.aws.clients("dynamodb"), relay.aws.tables
    found: dict[str, list[bytes]] = {}
    for name in tables.__slots__:
        pages = dynamodb.get_paginator("scan").paginate(TableName=getattr(tables, name))
        found[name] = [text for page in pages for text in flat(page["Items"])]
    return found


def bodies(relay: LocalRelay) -> list[bytes]:
    """Every object in the bucket, with its name and what else is known of it."""
    s3, bucket = relay.aws.clients("s3"), relay.aws.bucket
    found: list[bytes] = []
    for item in s3.list_objects_v2(Bucket=bucket).get("Contents", ()):
        answer = s3.get_object(Bucket=bucket, Key=item["Key"])
        found += [answer["Body"].read(), *flat(item), *flat(answer.get("Metadata", {}))]
    return found
