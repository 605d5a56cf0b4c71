"""Emits a name by any of the ways that are searched, to show that the search finds it."""

from __future__ import annotations

import json
import logging
import sys
import urllib.request
from collections.abc import Callable
from hashlib import sha256

from chalicelib.metrics import Metrics
from chalicelib.notify.channels.web_push import sealed
from chalicelib.notify.ports import Queue
from chalicelib.notify.recipients import Subscription
from infra.local.mails import SENDER
from tests.integration.whole_story import EMAIL, HOOK, NUMBER, PUSH, WITHIN_S, Story


def plant(story: Story, channel: str, name: str) -> None:
    """Emit a name by that channel."""
    clients, tables, url = story.relay.aws.clients, story.relay.aws.tables, story.receiver_server.url
    messaging = story.relay.aws.messaging
    assert messaging is not None
    data = name.encode()
    subscription = Subscription.parse(story.browser.subscription)

    def publish() -> None:
        clients("sns").publish(TopicArn=messaging.topic_arn, Message=name)

    def post(path: str, body: bytes, header: str = "") -> None:
        request = urllib.request.Request(url + path, body, {"x-of": header})  # noqa: S310 - loopback
        urllib.request.urlopen(request, timeout=WITHIN_S).close()  # noqa: S310

    def row(value: bytes) -> None:
        item = {"pk": {"B": b"planted"}, "sk": {"B": b"planted"}, "value": {"B": value}}
        clients("dynamodb").put_item(TableName=tables.deliveries, Item=item)

    def log() -> None:
        with story.log.kept():
            logging.getLogger("dm3.notify").error("defect", extra={"fields": {"type": name}})

    def write() -> None:
        with story.log.kept():
            sys.stderr.write(f"defect: {name}\n")

    def metric() -> None:
        with story.log.kept():
            metrics = Metrics("local", lambda: 0)
            metrics("NotificationFailed", Queue=name)
            metrics.flush()

    def mail() -> None:
        text = {"Data": f"{name} has written to you."}
        clients("sesv2").send_email(
            FromEmailAddress=SENDER,
            Destination={"ToAddresses": [EMAIL]},
            Content={"Simple": {"Subject": text, "Body": {"Text": text}}},
        )

    def frame() -> None:
        for connection_id in story.relay.sockets.connection_ids:
            story.relay.sockets.connection(connection_id).post(data)

    plants: dict[str, Callable[[], object]] = {
        "topic": publish,
        "operator's subscription": publish,
        "queues": lambda: clients("sqs").send_message(
            QueueUrl=messaging.queues[Queue.EMAIL], MessageBody=name
        ),
        "dead letters": lambda: clients("sqs").send_message(
            QueueUrl=messaging.dead[Queue.EMAIL], MessageBody=name
        ),
        "writes": lambda: row(data),
        "rows": lambda: row(sha256(data).digest()),
        "bodies": lambda: clients("s3").put_object(Bucket=story.relay.aws.bucket, Key="planted", Body=data),
        "log": log,
        "written": write,
        "metrics": metric,
        "e-mails": mail,
        "sms": lambda: clients("sns").publish(PhoneNumber=NUMBER, Message=name),
        "pushes": lambda: post(PUSH, sealed(b"{}", subscription), name),
        "pushes, decrypted": lambda: post(PUSH, sealed(data, subscription)),
        "webhooks": lambda: post(HOOK, json.dumps({"data": {"from": name}}).encode()),
        "webhooks' answers to their owner": lambda: story.answers.append(data),
        "sockets of others": frame,
        "own sockets": frame,
    }
    plants[channel]()
