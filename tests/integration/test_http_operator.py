"""`/operator/rules` over HTTP, and what the rules do to mail."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import pytest

from chalicelib.api.results import MODELS
from chalicelib.protocol.errors import Unavailable
from chalicelib.relay.operator_rules import MAX_ENTRIES
from chalicelib.relay.settings import Limits, RelaySettings
from chalicelib.store.memory import Moment
from tests.integration.http_house import Heard, House, open_house
from tests.unit.relay.world import ALICE, BOB, MALLORY, RELAY_NAME, World

TOKEN = "operators-token"
PATH = "/operator/rules"
DOCUMENT: dict[str, Any] = {
    "block": ["*.spam.eth", "mallory.eth"],
    "minimumVersion": "v1",
    "limits": {"sourceSubmitsPerMinute": 10},
}


@pytest.fixture(scope="module")
def served() -> Iterator[House]:
    with open_house() as house:
        yield house


@pytest.fixture
def house(served: House) -> House:
    """A fresh world with an operator, and with Alice and Bob at home."""
    served.world = World(
        RelaySettings(
            RELAY_NAME,
            Limits(operator_failures_per_hour=3),
            operator_token_sha256=sha256(TOKEN.encode()).digest(),
        )
    )
    served.world.settle(ALICE, BOB)
    served.world.publish(MALLORY)
    return served


def put(house: House, document: object, token: str | None = TOKEN) -> Heard:
    return house.ask("PUT", PATH, document, token=token)


def test_rules_are_answered_as_they_are_stored(house: House) -> None:
    assert house.get(PATH, TOKEN).json == {"block": [], "limits": {}}
    changed = put(house, DOCUMENT)
    MODELS["OperatorRules"].model_validate_json(json.dumps(changed.json))
    assert (changed.status, changed.json) == (200, DOCUMENT)
    assert house.get(PATH, TOKEN).json == DOCUMENT
    assert put(house, {}).json == {"block": [], "limits": {}}


def test_a_rule_is_in_force_at_once_and_after_a_restart(house: House) -> None:
    assert house.rpc("dm3_submitMessage", [house.world.letter(MALLORY, text="1")], id=1).status == 200
    put(house, DOCUMENT)
    for restart in (False, True):
        if restart:
            house.world.restarted()
        strict = house.rpc("dm3_submitMessage", [house.world.letter(MALLORY, text="2")], id=1)
        assert strict.status == 403
        assert strict.json["error"] == {
            "code": -32010,
            "message": "The receiver does not accept this message.",
            "data": {"rule": "receiver"},
        }
        reference = house.rpc("dm3_submitMessage", [house.world.letter(MALLORY, text="3")])
        assert (reference.status, reference.json) == (403, {"error": strict.json["error"]["message"]})
    put(house, {})
    assert house.rpc("dm3_submitMessage", [house.world.letter(MALLORY, text="4")], id=1).status == 200


def test_an_old_envelope_is_refused(house: House) -> None:
    put(house, {"minimumVersion": "v1.5"})
    refused = house.rpc("dm3_submitMessage", [house.world.letter()], id=1)
    assert (refused.status, refused.json["error"]["code"]) == (400, -32006)
    newer = house.world.letter(extra={"version": "v1.5"})
    assert house.rpc("dm3_submitMessage", [newer], id=1).status == 200


def test_quotas_are_advertised_and_enforced(house: House) -> None:
    put(house, {"limits": {"sourceSubmitsPerMinute": 1}})
    told = house.rpc("dm3_getDeliveryServiceProperties", [], id=1).json["result"]["limits"]
    assert told["sourceSubmitsPerMinute"] == 1
    assert house.rpc("dm3_submitMessage", [house.world.letter()], id=1).status == 200
    refused = house.rpc("dm3_submitMessage", [house.world.letter()], id=1)
    assert (refused.status, refused.json["error"]["code"]) == (429, -32005)


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_without_a_token_and_with_a_wrong_one(house: House, method: str) -> None:
    for header in (None, "", "Bearer", f"Basic {TOKEN}"):
        headers = {} if header is None else {"Authorization": header}
        assert house.ask(method, PATH, raw=b"{", headers=headers).status == 401
    for _ in range(3):
        heard = house.ask(method, PATH, raw=b"{", token="wrong")
        assert (heard.status, heard.json["code"]) == (403, -32003)
    limited = house.ask(method, PATH, raw=b"{", token="wrong")
    assert (limited.status, limited.headers["Retry-After"] is not None) == (429, True)
    assert house.get(PATH, TOKEN).status == 200, "the operator is not locked out"
    assert house.get(PATH, house.token(BOB)).status == 429, "a session is no operator's token"


@pytest.mark.parametrize("method", ["GET", "PUT"])
@pytest.mark.parametrize("token", [None, "", TOKEN, "wrong"])
def test_a_relay_without_an_operator_does_not_have_these_routes(
    house: House, method: str, token: str | None
) -> None:
    house.world = World()
    assert house.ask(method, PATH, {}, token=token).status == 404
    assert not house.world.calls


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        "x",
        {"unknown": 1},
        {"block": "mallory.eth"},
        {"block": [{}]},
        {"block": ["a b"]},
        {"block": ["x.eth"] * (MAX_ENTRIES + 1)},
        {"block": ["x" * 300 + ".eth"]},
        {"minimumVersion": "1"},
        {"minimumVersion": 1},
        {"limits": {"sourceSubmitsPerMinute": -1}},
        {"limits": {"sourceSubmitsPerMinute": "1"}},
        {"limits": {"sourceSubmitsPerMinute": 1.5}},
        {"limits": {"unknown": 1}},
    ],
)
def test_what_is_no_document_is_refused_and_changes_nothing(house: House, document: object) -> None:
    put(house, DOCUMENT)
    refused = house.ask("PUT", PATH, raw=json.dumps(document).encode(), token=TOKEN)
    assert (refused.status, refused.json["code"]) == (400, -32000)
    assert "mallory" not in refused.text
    assert house.get(PATH, TOKEN).json == DOCUMENT


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff", b"[" * 5_000])
def test_what_is_no_json_is_refused(house: House, raw: bytes) -> None:
    assert house.ask("PUT", PATH, raw=raw, token=TOKEN).status == 400


def test_the_longest_block_list(house: House) -> None:
    block = sorted(f"spam{number}.eth" for number in range(MAX_ENTRIES))
    assert put(house, {"block": block}).json["block"] == block
    too_large = [
        f"{sha256(str(number).encode()).hexdigest()}.{'x' * 150}.eth" for number in range(MAX_ENTRIES)
    ]
    refused = put(house, {"block": [name + sha256(name.encode()).hexdigest() for name in too_large]})
    assert refused.status == 413
    assert house.get(PATH, TOKEN).json["block"] == block


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_store_that_does_not_answer_is_told(house: House, method: str) -> None:
    def fail(name: str, moment: Moment) -> None:
        if name.startswith("rules.") and moment is Moment.BEFORE:
            raise Unavailable

    house.world.store.faults = fail
    heard = house.ask(method, PATH, {}, token=TOKEN)
    assert (heard.status, heard.json["code"]) == (503, -32002)
    house.world.restarted()
    submitted = house.rpc("dm3_submitMessage", [house.world.letter()], id=1)
    assert (submitted.status, submitted.json["error"]["code"]) == (503, -32002)
