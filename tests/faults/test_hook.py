"""The receiver of webhooks notices what it is there to notice."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from standardwebhooks import Webhook

from tests.faults.hook import Hook

SECRET = "whsec_" + "A" * 43 + "="
BODY = json.dumps({"data": {"messageId": "m"}}).encode()


def signed(webhook_id: str) -> dict[str, str]:
    now = datetime.now(UTC)
    signature = Webhook(SECRET).sign(webhook_id, now, BODY.decode())
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature,
    }


def test_a_genuine_request_is_kept_and_a_second_one_is_a_double() -> None:
    hook = Hook("", lambda _: False, SECRET)
    assert [hook.take(signed("one"), BODY)[0] for _ in range(2)] == [200, 200]
    assert (hook.told, hook.ids, hook.doubles) == ({"m"}, {"m": {"one"}}, 1)


def test_what_it_refused_once_is_no_double() -> None:
    hook = Hook("", lambda _: True, SECRET)
    assert [hook.take(signed("one"), BODY)[0] for _ in range(2)] == [503, 200]
    assert (hook.stumbled, hook.doubles) == (1, 0)


def test_one_message_under_two_ids_is_seen() -> None:
    hook = Hook("", lambda _: False, SECRET)
    for webhook_id in ("one", "other"):
        hook.take(signed(webhook_id), BODY)
    assert hook.ids == {"m": {"one", "other"}}


def test_a_forged_request_is_refused_and_counted() -> None:
    hook = Hook("", lambda _: False, SECRET)
    assert hook.take(signed("one") | {"webhook-id": "other"}, BODY)[0] == 401
    assert (hook.requests, hook.forged) == ([], 1)
