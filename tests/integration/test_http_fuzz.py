"""Anything may be sent to any route: the answer is never a 500, and never without its headers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.api.application import application
from chalicelib.protocol.canonical import canonicalize
from infra.local.gateway import Gateway, HttpAnswer
from tests.support.notifying import notify_beside
from tests.unit.relay.world import ALICE, BOB, limited

FUZZ = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
TEXTS = st.text(st.characters(exclude_categories=()), max_size=30)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


RULES: Any = {
    "rules": {
        "minNonce": 1,
        "minTokenBalance": [{"address": ALICE.address, "amount": "1", "standard": "erc1155", "id": "7"}],
        "stake": {"address": ALICE.address, "amount": "1"},
        "firstContact": {"messages": 1},
        "senderQuota": {"messagesPerDay": 1, "kibPerDay": 1},
        "onChainFailure": "fail_open",
    },
    "allow": ["alice.eth"],
    "block": ["*.spam.eth"],
    "onlyAllowed": True,
    "supportedMessageTypes": ["NEW"],
    "encryptionScheme": ["x25519-chacha20-poly1305"],
}


class Door:
    """A relay with Alice and Bob, asked without sockets."""

    def __init__(self) -> None:
        self.world = limited(rule_changes_per_hour=0)
        self.world.settle(ALICE, BOB)
        self.token = self.world.token(BOB)
        self.letter: Any = self.world.letter()
        notify = notify_beside(self.world)
        app = application(lambda: self.world.relay, lambda: notify, lambda: None)
        self.gateway = Gateway(app, threads=1)

    def ask(self, method: str, path: str, body: bytes = b"", *, token: str | None = None) -> HttpAnswer:
        path, _, query = path.partition("?")
        headers = [] if token is None else [(b"authorization", f"Bearer {token}".encode())]
        scope = {
            "method": method,
            "path": path,
            "raw_path": path.encode("ascii"),
            "query_string": query.encode("ascii"),
            "headers": headers,
            "client": ("192.0.2.1", 1),
            "http_version": "1.1",
        }
        answer = self.gateway.answer(scope, body)
        assert answer.status < 500, answer.body
        assert (b"access-control-allow-origin", b"*") in answer.headers
        answer.body.decode()
        return answer


@pytest.fixture(scope="module")
def door() -> Iterator[Door]:
    door = Door()
    yield door
    door.gateway.close()


def replaced(value: Any, path: list[int], other: object) -> Any:  # noqa: ANN401 - any JSON
    """`value` with `other` somewhere inside; texts that hold JSON are opened on the way."""
    if isinstance(value, str) and value.startswith("{"):
        return canonicalize(replaced(json.loads(value), path, other))
    if not path or not isinstance(value, dict):
        return other
    name = sorted(value)[path[0] % len(value)]
    return {**value, name: replaced(value[name], path[1:], other)}


@FUZZ
@given(
    path=st.lists(st.integers(0, 9), max_size=4), other=ANYTHING, as_text=st.booleans(), strict=st.booleans()
)
def test_an_envelope_with_anything_in_it(
    door: Door, path: list[int], other: object, as_text: bool, strict: bool
) -> None:
    envelope = replaced(door.letter, path, other)
    params = [json.dumps(envelope)] if as_text else [envelope]
    request = {"jsonrpc": "2.0", "method": "dm3_submitMessage", "params": params}
    body = json.dumps({**request, "id": 1} if strict else request).encode()
    answer = door.ask("POST", "/rpc", body)
    assert answer.status != 200 or envelope == door.letter, "only what Alice signed is accepted"


@FUZZ
@given(
    st.lists(st.tuples(st.sampled_from(["params", "method", "id", "jsonrpc"]), ANYTHING), max_size=4),
    st.binary(max_size=60),
)
def test_a_request_with_anything_in_it(door: Door, changes: list[tuple[str, object]], rubbish: bytes) -> None:
    request: dict[str, object] = {
        "jsonrpc": "2.0",
        "method": "dm3_getProfileExtension",
        "params": [BOB.name],
        "id": 1,
    }
    door.ask("POST", "/rpc", json.dumps({**request, **dict(changes)}).encode())
    door.ask("POST", "/rpc", json.dumps([{**request, name: value} for name, value in changes]).encode())
    door.ask("POST", "/rpc", rubbish)


@FUZZ
@given(path=st.lists(st.integers(0, 9), max_size=3), other=ANYTHING)
def test_a_profile_with_anything_in_it(door: Door, path: list[int], other: object) -> None:
    profile = replaced(BOB.signed_profile.to_json(), path, other)
    door.ask("POST", f"/profile/{BOB.name}", json.dumps(profile).encode())


@FUZZ
@given(challenge=ANYTHING, signature=ANYTHING, body=ANYTHING)
def test_a_sign_in_with_anything_in_it(
    door: Door, challenge: object, signature: object, body: object
) -> None:
    genuine = door.ask("GET", f"/auth/{BOB.name}").body.decode()
    for sent in (
        {"challenge": challenge, "signature": signature},
        {"challenge": json.loads(genuine), "signature": signature},
        body,
    ):
        assert door.ask("POST", f"/auth/{BOB.name}", json.dumps(sent).encode()).status in {400, 403, 413, 429}


@FUZZ
@given(body=ANYTHING, entry=ANYTHING, text=TEXTS)
def test_acknowledgements_with_anything_in_them(door: Door, body: object, entry: object, text: str) -> None:
    path = f"/delivery/messages/{BOB.name}/syncAcknowledgements/"
    for sent in (
        body,
        {"acknowledgements": [entry]},
        {"acknowledgements": [{"contactAddress": text, "messageHash": text}]},
        {"acknowledgements": [{"contactAddress": entry, "messageHash": entry}]},
    ):
        door.ask("POST", path, json.dumps(sent).encode(), token=door.token)
    for ids in (body, {"ids": [entry]}, {"ids": [text]}):
        door.ask("POST", f"/inbox/{BOB.name}/acknowledgements", json.dumps(ids).encode(), token=door.token)


@FUZZ
@given(name=st.text(max_size=20) | st.binary(max_size=20), query=st.text(max_size=20))
def test_names_cursors_and_tokens_may_be_anything(door: Door, name: str | bytes, query: str) -> None:
    quoted, cursor = quote(name, safe=""), quote(query, safe="")
    for path in (f"/auth/{quoted}", f"/profile/{quoted}", f"/inbox/{quoted}"):
        door.ask("GET", path)
    contact = f"/delivery/messages/{BOB.name}/contact/{quoted}"
    for path in (contact, f"{contact}?cursor={cursor}", f"/inbox/{BOB.name}?cursor={cursor}&limit={cursor}"):
        door.ask("GET", path, token=door.token)
    door.ask("GET", f"/inbox/{BOB.name}", token=quoted)


@FUZZ
@given(path=st.lists(st.integers(0, 9), max_size=4), other=ANYTHING, text=TEXTS)
def test_rules_with_anything_in_them(door: Door, path: list[int], other: object, text: str) -> None:
    for sent in (other, replaced(RULES, path, other), {"allow": [text]}, {"block": [other]}, {text: other}):
        body = json.dumps(sent).encode()
        for method, route in (("PUT", "/rules/bob.eth"), ("POST", "/rules/bob.eth/lists")):
            assert door.ask(method, route, body, token=door.token).status in {200, 400, 413}
    door.ask("GET", "/rules/bob.eth", token=door.token)
    request = {"jsonrpc": "2.0", "method": "dm3_getProfileExtension", "params": [BOB.name], "id": 1}
    assert door.ask("POST", "/rpc", json.dumps(request).encode()).status == 200
    assert door.ask("DELETE", "/rules/bob.eth", token=door.token).status == 204
