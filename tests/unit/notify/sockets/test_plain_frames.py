from __future__ import annotations

import json

from chalicelib.notify.sockets import plain_frames
from chalicelib.protocol.errors import LimitExceeded, Spam, Unavailable
from chalicelib.relay.ports import InboxKey


def test_an_error_tells_its_code_and_when_to_try_again() -> None:
    assert json.loads(plain_frames.error(LimitExceeded(retry_after_s=7), "r")) == {
        "type": "error",
        "code": -32005,
        "message": "Too many requests; try again later.",
        "data": {"retryAfter": 7},
        "ref": "r",
    }
    assert json.loads(plain_frames.error(Unavailable()))["data"] == {"retryAfter": 5}
    refused = json.loads(plain_frames.error(Spam(data={"rule": "receiver"}), 0))
    assert (refused["data"], refused["ref"]) == ({"rule": "receiver"}, 0)


def test_a_ref_stands_where_the_client_gave_one() -> None:
    assert json.loads(plain_frames.acknowledged(2, None)) == {"type": "acknowledged", "count": 2}
    assert json.loads(plain_frames.acknowledged(2, 0))["ref"] == 0


def test_an_announcement_says_where_the_message_is() -> None:
    key = InboxKey(5, b"m" * 16)
    assert json.loads(plain_frames.announcement(key, None, "f")) == {
        "type": "announcement",
        "messageId": key.message_id.hex(),
        "storedAt": 5,
        "cursor": None,
        "fetch": "f",
    }


def test_the_end_of_a_backlog_says_whether_there_is_more() -> None:
    assert json.loads(plain_frames.caught_up("c", more=True)) == {
        "type": "caughtUp",
        "cursor": "c",
        "more": True,
    }
