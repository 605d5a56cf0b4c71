from __future__ import annotations

import json
import threading
import tracemalloc

import pytest
from eth_abi.abi import decode, encode

from chalicelib.names.batch_gateway import BATCH_URL, Question
from chalicelib.names.ccip_gateway import (
    GATEWAY_DEADLINE_S,
    MAX_ANSWER_BYTES,
    MAX_BATCH_DEPTH,
    MAX_REQUESTS,
    CcipGateway,
)
from chalicelib.names.ports import OffchainLookup
from chalicelib.names.rpc_answers import MAX_GATEWAY_URLS
from chalicelib.protocol.errors import TooBig, Unavailable, UnsafeLink
from tests.unit.names.simulated_chain import selector
from tests.unit.names.test_batch_gateway import query
from tests.unit.names.web import Asked, Page, Web

SENDER, DATA = b"\xab" * 20, b"\x01\x02\xfe"
GET, POST = "https://get.example/{sender}/{data}.json", "https://post.example/{sender}"
GET_URL, POST_URL = f"https://get.example/0x{'ab' * 20}/0x0102fe.json", f"https://post.example/0x{'ab' * 20}"
GOOD = b'{"data": "0xC0ffee"}'


def _lookup(*urls: str, data: bytes = DATA) -> OffchainLookup:
    return OffchainLookup(SENDER, urls, data, b"\x00" * 4, b"")


def _ask(web: Web, *urls: str, data: bytes = DATA) -> bytes:
    return CcipGateway(web, clock=web.clock).answer(_lookup(*urls, data=data))


def _batch(web: Web, *questions: Question) -> tuple[tuple[bool, ...], tuple[bytes, ...]]:
    failures, responses = decode(["bool[]", "bytes[]"], _ask(web, BATCH_URL, data=query(*questions)))
    return failures, responses


def test_a_template_with_data_is_a_get_request() -> None:
    web = Web({GET_URL: GOOD})
    assert _ask(web, GET) == b"\xc0\xff\xee"
    (asked,) = web.asked
    assert (asked.method, asked.body, asked.max_bytes) == ("GET", None, MAX_ANSWER_BYTES)
    assert asked.deadline_s == GATEWAY_DEADLINE_S


def test_a_template_without_data_is_a_post_request() -> None:
    web = Web({POST_URL: GOOD})
    assert _ask(web, POST) == b"\xc0\xff\xee"
    (asked,) = web.asked
    assert asked.method == "POST"
    assert asked.headers["content-type"] == "application/json"
    assert json.loads(asked.body or b"") == {"data": "0x0102fe", "sender": "0x" + "ab" * 20}


def test_every_placeholder_is_filled() -> None:
    web = Web()
    with pytest.raises(Unavailable):
        _ask(web, "https://x.example/{data}/{sender}?d={data}&s={sender}&o={other}")
    sender = "0x" + "ab" * 20
    assert web.urls == [f"https://x.example/0x0102fe/{sender}?d=0x0102fe&s={sender}&o={{other}}"]


def test_a_template_that_becomes_too_long_is_refused_before_it_is_made() -> None:
    web, data = Web({POST_URL: GOOD}), bytes(10_000)
    bomb = "https://x.example/" + "{data}" * 2_000
    tracemalloc.start()
    try:
        assert _ask(web, bomb, POST, data=data) == b"\xc0\xff\xee"
        _, highest = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert web.urls == [POST_URL]
    assert highest < 2_000_000


@pytest.mark.parametrize(
    "page",
    [
        500,
        503,
        599,
        Unavailable(),
        TooBig(),
        UnsafeLink(),
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"data": 5}',
        b'{"data": null}',
        b'{"data": "c0ffee"}',
        b'{"data": "0xc0ffe"}',
        b'{"data": "0x c0ff"}',
        b'{"data": "0xzz"}',
        b'{"data": "0x00\\n"}',
        b"\xff",
        b"[" * 100_000,
    ],
    ids=str,
)
def test_after_a_gateway_that_does_not_serve_the_next_is_asked(page: Page) -> None:
    web = Web({GET_URL: page, POST_URL: GOOD})
    assert _ask(web, GET, POST) == b"\xc0\xff\xee"
    assert web.urls == [GET_URL, POST_URL]
    with pytest.raises(Unavailable):
        _ask(Web({GET_URL: page}), GET)


@pytest.mark.parametrize("status", [400, 401, 404, 429, 499])
def test_a_refusal_ends_the_search(status: int) -> None:
    web = Web({GET_URL: status, POST_URL: GOOD})
    with pytest.raises(Unavailable):
        _ask(web, GET, POST)
    assert web.urls == [GET_URL]


def test_no_more_gateways_are_asked_than_is_allowed() -> None:
    web = Web({f"https://{n}.example/0x0102fe": 500 for n in range(20)})
    with pytest.raises(Unavailable):
        _ask(web, *(f"https://{n}.example/{{data}}" for n in range(20)))
    assert len(web.asked) == MAX_GATEWAY_URLS


def test_without_gateways_there_is_no_answer() -> None:
    with pytest.raises(Unavailable):
        _ask(Web())


def test_one_deadline_holds_for_all_gateways() -> None:
    urls = [f"https://{n}.example/{{data}}" for n in range(4)]
    web = Web(slow={f"https://{n}.example/0x0102fe": 60.0 for n in range(4)})
    with pytest.raises(Unavailable):
        _ask(web, *urls)
    assert [asked.deadline_s for asked in web.asked] == pytest.approx([GATEWAY_DEADLINE_S / 4] * 4)
    assert web.now_s == pytest.approx(GATEWAY_DEADLINE_S)


def test_a_batch_is_answered_question_by_question() -> None:
    web = Web(
        {
            "https://a.example/0x0a": GOOD,
            "https://b.example/0x0b": 404,
            "https://c.example/0x0c": Unavailable(),
            "https://d.example/0x0d": UnsafeLink(),
            "https://e.example/0x0e": b"rubbish",
        }
    )
    questions = [
        Question(SENDER, (f"https://{n}.example/{{data}}",), bytes([10 + i])) for i, n in enumerate("abcde")
    ]
    failures, responses = _batch(web, *questions)
    assert failures == (False, True, True, True, True)
    assert responses[0] == b"\xc0\xff\xee"
    statuses = [
        decode(["uint16", "string"], response[4:])[0]
        for response in responses
        if response[:4] == selector("HttpError(uint16,string)")
    ]
    # What may be better another time says so, so that nobody takes it for "no record".
    assert statuses == [404, 504, 502]
    assert responses[3][:4] == selector("Error(string)")


def test_the_questions_of_a_batch_are_asked_side_by_side() -> None:
    met = threading.Barrier(4, timeout=5)

    def page(_: Asked) -> bytes:
        met.wait()
        return GOOD

    web = Web({f"https://{n}.example/0x": page for n in "abcd"})
    failures, _ = _batch(web, *(Question(SENDER, (f"https://{n}.example/{{data}}",), b"") for n in "abcd"))
    assert failures == (False,) * 4


def test_an_empty_batch_has_an_empty_answer() -> None:
    assert _batch(Web()) == ((), ())


def test_a_batch_in_a_batch_is_answered_until_it_is_too_deep() -> None:
    web, data = (
        Web({"https://a.example/0x": GOOD}),
        query(Question(SENDER, ("https://a.example/{data}",), b"")),
    )
    for _ in range(MAX_BATCH_DEPTH - 1):
        data = query(Question(SENDER, (BATCH_URL,), data))
    answer = _ask(web, BATCH_URL, data=data)
    for _ in range(MAX_BATCH_DEPTH):
        (failed,), (answer,) = decode(["bool[]", "bytes[]"], answer)
        assert not failed
    assert answer == b"\xc0\xff\xee"
    deeper = _ask(web, BATCH_URL, data=query(Question(SENDER, (BATCH_URL,), data)))
    assert selector("Error(string)") in deeper
    assert len(web.asked) == 1


def test_batches_that_contain_each_other_cost_no_more_than_is_allowed() -> None:
    running, web = threading.active_count(), Web({"https://a.example/0x": GOOD})
    highest = [running]

    def page(_: Asked) -> bytes:
        highest.append(threading.active_count())
        return GOOD

    web.pages["https://a.example/0x"] = page
    data = query(*[Question(SENDER, ("https://a.example/{data}",), b"")] * 16)
    for _ in range(MAX_BATCH_DEPTH - 1):
        data = query(*[Question(SENDER, (BATCH_URL,), data)] * 16)
    _ask(web, BATCH_URL, data=data)
    assert len(web.asked) <= MAX_REQUESTS
    assert max(highest) <= running + MAX_REQUESTS


@pytest.mark.parametrize("data", [b"", b"\xff" * 100, encode(["uint256"], [1])])
def test_a_batch_that_is_none_is_unavailable(data: bytes) -> None:
    with pytest.raises(Unavailable):
        _ask(Web(), BATCH_URL, data=data)
