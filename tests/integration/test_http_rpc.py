"""`POST /rpc` over HTTP, in both dialects: every row of the wire table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from chalicelib.api.results import MODELS
from chalicelib.protocol.canonical import canonicalize
from chalicelib.protocol.errors import Unavailable
from chalicelib.relay.settings import Limits, RelaySettings
from chalicelib.store.memory import Moment
from tests.integration.http_house import House, open_house
from tests.unit.relay.world import ALICE, BOB, MALLORY, RELAY_NAME, World

SIZE_LIMIT_BYTES = 60_000


@pytest.fixture(scope="module")
def served() -> Iterator[House]:
    with open_house() as house:
        yield house


@pytest.fixture
def house(served: House) -> House:
    """A fresh world with Alice and Bob at home."""
    served.world = World(RelaySettings(RELAY_NAME, Limits(size_limit_bytes=SIZE_LIMIT_BYTES)))
    served.world.settle(ALICE, BOB)
    served.world.publish(MALLORY)
    return served


def result(answer: Any, model: str) -> Any:  # noqa: ANN401 - any JSON
    """A result, which must be as the documents describe it."""
    MODELS[model].model_validate_json(json.dumps(answer))
    return answer


def test_submitting_with_an_id_gives_a_receipt(house: House) -> None:
    heard = house.rpc("dm3_submitMessage", [canonicalize(house.world.letter())], id=1)
    assert (heard.status, heard.json["id"]) == (200, 1)
    assert result(heard.json["result"], "Receipt")["duplicate"] is False


def test_submitting_without_id_succeeds_for_the_reference(house: House) -> None:
    heard = house.rpc("dm3_submitMessage", [canonicalize(house.world.letter())])
    assert (heard.status, set(heard.json)) == (200, {"jsonrpc", "result"})
    assert result(json.loads(heard.json["result"]), "Receipt")["duplicate"] is False


def test_an_object_and_a_text_are_the_same_envelope(house: House) -> None:
    letter = house.world.letter()
    first = house.rpc("dm3_submitMessage", [letter], id=1).json["result"]
    again = house.rpc("dm3_submitMessage", [canonicalize(letter), "token"], id=2).json["result"]
    assert again == {**first, "duplicate": True}
    assert house.rpc("dm3_submitMessage", letter, id=3).json["result"]["duplicate"] is True
    assert len(house.world.mail()) == 1


@pytest.mark.parametrize("identifier", [{"id": 1}, {}], ids=["with id", "without"])
def test_properties(house: House, identifier: dict[str, int]) -> None:
    heard = house.rpc("dm3_getDeliveryServiceProperties", [], **identifier)
    assert heard.status == 200
    told = heard.json["result"] if identifier else json.loads(heard.json["result"])
    assert isinstance(heard.json["result"], dict if identifier else str)
    assert result(told, "DeliveryServiceProperties")["sizeLimit"] == SIZE_LIMIT_BYTES
    assert told["messageTTL"] >= 30


@pytest.mark.parametrize("identifier", [{"id": 1}, {}], ids=["with id", "without"])
def test_profile_extension(house: House, identifier: dict[str, int]) -> None:
    heard = house.rpc("dm3_getProfileExtension", [BOB.name.upper()], **identifier)
    told = heard.json["result"] if identifier else json.loads(heard.json["result"])
    assert "NEW" in result(told, "ProfileExtension")["supportedMessageTypes"]


def test_the_interface_describes_itself(house: House) -> None:
    document = house.rpc("rpc.discover", id=1).json["result"]
    assert {method["name"] for method in document["methods"]} == {
        "dm3_submitMessage",
        "dm3_getDeliveryServiceProperties",
        "dm3_getProfileExtension",
        "rpc.discover",
    }


def _undecryptable(world: World) -> Any:  # noqa: ANN401 - any JSON
    letter: Any = world.letter()
    letter["metadata"]["deliveryInformation"] = world.seal("x", BOB.encryption.public_key)
    return letter


REFUSALS = {
    "too large": (lambda world: world.letter(text="x" * SIZE_LIMIT_BYTES), 413, -32011),
    "undecryptable": (_undecryptable, 400, -32000),
    "forged": (lambda world: world.letter(MALLORY, claim=ALICE.name), 403, -32003),
    "unknown sender": (lambda world: world.letter(ALICE, claim="nobody.eth"), 403, -32003),
    "unknown receiver": (lambda world: world.letter(to="nobody.eth"), 404, -32001),
    "no metadata": (lambda _world: {"message": "x"}, 400, -32000),
    "metadata no object": (lambda _world: {"message": "x", "metadata": []}, 400, -32000),
}


@pytest.mark.parametrize(("make", "status", "code"), REFUSALS.values(), ids=REFUSALS.keys())
@pytest.mark.parametrize("as_text", [True, False], ids=["text", "object"])
def test_refused_envelopes(house: House, make: Any, status: int, code: int, as_text: bool) -> None:  # noqa: ANN401
    envelope = make(house.world)
    params = [canonicalize(envelope) if as_text else envelope]
    strict = house.rpc("dm3_submitMessage", params, id="a")
    assert (strict.status, strict.json["error"]["code"], strict.json["id"]) == (status, code, "a")
    reference = house.rpc("dm3_submitMessage", params)
    assert (reference.status, reference.json) == (status, {"error": strict.json["error"]["message"]})
    assert house.world.mail() == []


WRONG = {
    "no params": {"method": "dm3_submitMessage"},
    "params null": {"method": "dm3_submitMessage", "params": None},
    "params an object": {"method": "dm3_submitMessage", "params": {}},
    "params a text": {"method": "dm3_submitMessage", "params": "{}"},
    "params empty": {"method": "dm3_submitMessage", "params": []},
    "envelope null": {"method": "dm3_submitMessage", "params": [None]},
    "envelope a number": {"method": "dm3_submitMessage", "params": [7]},
    "envelope no JSON": {"method": "dm3_submitMessage", "params": ["{"]},
    "envelope too deep": {"method": "dm3_submitMessage", "params": ["[" * 5000]},
    "no name": {"method": "dm3_getProfileExtension"},
    "name null": {"method": "dm3_getProfileExtension", "params": [None]},
    "name a list": {"method": "dm3_getProfileExtension", "params": [["bob.eth"]]},
    "properties of something": {"method": "dm3_getDeliveryServiceProperties", "params": [1]},
}


@pytest.mark.parametrize("request_", WRONG.values(), ids=WRONG.keys())
def test_wrong_params(house: House, request_: dict[str, Any]) -> None:
    strict = house.ask("POST", "/rpc", {"jsonrpc": "2.0", **request_, "id": None})
    assert (strict.status, strict.json["error"]["code"], strict.json["id"]) == (400, -32602, None)
    reference = house.ask("POST", "/rpc", {"jsonrpc": "2.0", **request_})
    assert (reference.status, reference.json) == (400, {"error": strict.json["error"]["message"]})


@pytest.mark.parametrize(
    "name", ["\ud800.eth", "a b.eth", "", "..", "\x00", "xn--\u200d", "a" * 5000, "0x" + "1" * 40, "%"]
)
def test_names_that_end_the_references_process(house: House, name: str) -> None:
    strict = house.rpc("dm3_getProfileExtension", [name], id=1)
    assert strict.status in {400, 404}
    assert strict.json["error"]["code"] in {-32000, -32001}
    assert house.rpc("dm3_getProfileExtension", [name]).status == 400
    assert house.get("/hello").status == 200


def test_an_unknown_user_in_both_dialects(house: House) -> None:
    strict = house.rpc("dm3_getProfileExtension", ["nobody.eth"], id=1)
    assert (strict.status, strict.json["error"]["code"]) == (404, -32001)
    reference = house.rpc("dm3_getProfileExtension", ["nobody.eth"])
    assert (reference.status, reference.json) == (400, {"error": "unknown user"})


def test_an_unknown_method_in_both_dialects(house: House) -> None:
    strict = house.rpc("dm3_nothing", id=1)
    assert (strict.status, strict.json["error"]["code"]) == (404, -32601)
    reference = house.rpc("dm3_nothing")
    assert (reference.status, reference.json) == (405, {"error": "Method not allowed"})


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", -32700),
        (b"{", -32700),
        (b"\xff", -32700),
        (b'{"id":NaN}', -32700),
        (b"[]", -32600),
        (b"7", -32600),
    ],
)
@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "application/octet-stream", ""])
def test_what_is_no_request(house: House, body: bytes, code: int, content_type: str) -> None:
    heard = house.ask("POST", "/rpc", raw=body, headers={"Content-Type": content_type})
    assert (heard.status, heard.json["error"]["code"], heard.json["id"]) == (400, code, None)
    assert heard.headers["Access-Control-Allow-Origin"] == "*"


def test_an_object_that_asks_for_nothing(house: House) -> None:
    heard = house.ask("POST", "/rpc", {"hello": 1})
    assert (heard.status, heard.text) == (400, "Bad Request")


def test_two_keys_of_the_same_name_do_no_harm(house: House) -> None:
    heard = house.ask(
        "POST", "/rpc", raw=b'{"jsonrpc":"2.0","id":1,"id":2,"method":"dm3_getDeliveryServiceProperties"}'
    )
    assert heard.status in {200, 400}


def test_a_quota_says_when_to_come_back(house: House) -> None:
    house.world.settings = RelaySettings(RELAY_NAME, Limits(source_submits_per_minute=1))
    house.world.restarted()
    assert house.rpc("dm3_submitMessage", [house.world.letter(text="1")], id=1).status == 200
    strict = house.rpc("dm3_submitMessage", [house.world.letter(text="2")], id=1)
    assert (strict.status, strict.json["error"]["code"]) == (429, -32005)
    assert strict.headers["Retry-After"] == str(strict.json["error"]["data"]["retryAfter"])
    reference = house.rpc("dm3_submitMessage", [house.world.letter(text="2")])
    assert (reference.status, set(reference.json)) == (429, {"error"})
    assert int(reference.headers["Retry-After"]) > 0


def test_each_request_of_a_batch_pays_for_its_lookup(house: House) -> None:
    house.world.settings = RelaySettings(RELAY_NAME, Limits(source_lookups_per_minute=3))
    house.world.restarted()
    ask = {"jsonrpc": "2.0", "method": "dm3_getProfileExtension"}
    batch = [{**ask, "id": number, "params": [f"nobody{number}.eth"]} for number in range(5)]
    codes = [answer["error"]["code"] for answer in house.ask("POST", "/rpc", batch).json]
    assert codes == [-32001] * 3 + [-32005] * 2
    for path in ("/profile/nobody.eth", "/auth/nobody.eth"):
        heard = house.get(path)
        assert heard.status == 429
        assert int(heard.headers["Retry-After"]) > 0


def test_a_message_hash_of_another_form_is_refused_for_good(house: House) -> None:
    letter = house.world.letter(revision=None, extra={"messageHash": "x" * 5_000})
    strict = house.rpc("dm3_submitMessage", [letter], id=1)
    assert (strict.status, strict.json["error"]["code"]) == (400, -32000)
    reference = house.rpc("dm3_submitMessage", [letter])
    assert (reference.status, set(reference.json)) == (400, {"error"})
    assert "Retry-After" not in strict.headers


def test_a_store_that_does_not_answer(house: House) -> None:
    def fail(_operation: str, _moment: Moment) -> None:
        raise Unavailable

    house.world.store.faults = fail
    letter = house.world.letter()
    house.world.restarted()
    strict = house.rpc("dm3_submitMessage", [letter], id=1)
    assert (strict.status, strict.json["error"]["code"]) == (503, -32002)
    assert int(strict.headers["Retry-After"]) > 0
    assert house.rpc("dm3_submitMessage", [letter]).status == 503


def test_a_batch(house: House) -> None:
    world = house.world

    def submit(text: str, **members: object) -> dict[str, object]:
        return {
            "jsonrpc": "2.0",
            "method": "dm3_submitMessage",
            "params": [world.letter(text=text)],
            **members,
        }

    heard = house.ask("POST", "/rpc", [submit("one", id=1), submit("two"), 5, submit("three", id=3)])
    assert heard.status == 200
    assert [answer["id"] for answer in heard.json] == [1, None, 3]
    assert heard.json[1]["error"]["code"] == -32600
    assert len(world.mail()) == 3, "the notification was executed, too"
    assert (nothing := house.ask("POST", "/rpc", [submit("four")])).status == 204
    assert nothing.body == b""
    assert house.ask("POST", "/rpc", [submit("five", id=1)] * 11).status == 400
    assert len(world.mail()) == 4


def test_many_submit_at_once_and_every_message_arrives_once(house: House) -> None:
    letters = [house.world.letter(text=f"text {number}") for number in range(100)]
    with ThreadPoolExecutor(8) as people:
        heard = list(
            people.map(lambda letter: house.rpc("dm3_submitMessage", [letter], id=1), letters + letters)
        )
    assert [answer.status for answer in heard] == [200] * 200
    ids = {answer.json["result"]["messageId"] for answer in heard}
    assert len(ids) == 100
    mail = house.world.mail()
    assert len(mail) == 100
    assert {message.message_id for message in mail} == ids
