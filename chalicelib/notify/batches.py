"""A batch of a queue, record by record: what fails comes again by itself, and holds nobody up.

The answer names the records that failed ("Reporting batch item failures for Lambda functions with an Amazon
SQS trigger"). A record that fails every time ends in the queue's dead-letter queue; each failure is counted.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from chalicelib.names.counting import Counting
from chalicelib.protocol.errors import Unavailable

FAILED = "NotificationFailed"
"""Metric: a record could not be worked, and will come again. With the dimension `Queue`."""

_log = logging.getLogger("dm3.notify")


def work(
    event: Mapping[str, Any], one: Callable[[Mapping[str, Any]], None], count: Counting, queue: str
) -> dict[str, Any]:
    """Call `one` with each record of a Lambda event from SQS; the answer for Lambda.

    What `one` raises makes its record fail, and no other.
    """
    failed: list[dict[str, str]] = []
    for record in event["Records"]:
        try:
            one(record)
        except Exception as error:  # noqa: BLE001 - one record must not take the others with it
            count(FAILED, Queue=queue)
            if not isinstance(error, Unavailable):
                _log.error("defect", extra={"fields": {"queue": queue, "type": type(error).__name__}})
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}
