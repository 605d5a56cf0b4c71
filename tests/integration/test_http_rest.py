"""The REST routes over HTTP: those of the reference to the letter, and ours."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.api.results import MODELS
from chalicelib.protocol.errors import Unavailable
from chalicelib.relay.settings import Limits, RelaySettings
from chalicelib.store.memory import Moment
from tests.integration.http_house import House, open_house, signed
from tests.unit.relay.world import ALICE, BOB, MALLORY, RELAY_NAME, World


@pytest.fixture(scope="module")
def served() -> Iterator[House]:
    with open_house() as house:
        yield house


@pytest.fixture
def house(served: House) -> House:
    """A fresh world with Alice and Bob at home."""
    served.world, served.down = World(), False
    served.world.settle(ALICE, BOB)
    return served


@pytest.fixture
def token(house: House) -> str:
    return house.token(BOB)


def described(answer: Any, model: str) -> Any:  # noqa: ANN401 - any JSON
    """An answer, which must be as the documents describe it."""
    MODELS[model].model_validate_json(json.dumps(answer))
    return answer


def submit(house: House, *texts: str) -> None:
    for text in texts:
        house.world.submit(house.world.letter(text=text))
        house.world.clock.pass_s(1)


def test_hello(house: House) -> None:
    heard = house.get("/hello")
    assert (heard.status, heard.text) == (200, "Hello DM3")
    assert heard.headers["Content-Type"].startswith("text/plain")


def test_health_needs_neither_store_nor_chain(house: House) -> None:
    house.down = house.world.directory.fail = True
    heard = house.get("/health")
    assert (heard.status, heard.json) == (200, {"status": "ok"})


def test_health_of_the_store(house: House) -> None:
    assert house.get("/health/store").status == 200
    house.down = True
    heard = house.get("/health/store")
    assert (heard.status, heard.json["code"]) == (503, -32002)
    assert int(heard.headers["Retry-After"]) > 0


def test_signing_in(house: House) -> None:
    challenge = house.get(f"/auth/{BOB.name}")
    assert challenge.status == 200
    assert challenge.json.count(".") == 2, "a JSON string with a JWT"
    proof = {"challenge": challenge.json, "signature": signed(BOB, challenge.json)}
    answer = house.post(f"/auth/{BOB.name}", proof)
    assert answer.status == 200
    assert house.get(f"/delivery/messages/incoming/{BOB.name}", answer.json).status == 200
    again = house.post(f"/auth/{BOB.name}", proof)
    assert (again.status, set(again.json)) == (400, {"error"})


def test_a_wrong_signature_to_the_letter(house: House) -> None:
    challenge = house.get(f"/auth/{BOB.name}").json
    heard = house.post(f"/auth/{BOB.name}", {"challenge": challenge, "signature": signed(MALLORY, challenge)})
    assert (heard.status, heard.text) == (400, '{"error":"Signature invalid"}')


def test_repeated_wrong_signatures_end_in_403(house: House) -> None:
    house.world.settings = RelaySettings(RELAY_NAME, Limits(sign_in_failures_per_hour=2))
    house.world.restarted()
    statuses = []
    for _ in range(4):
        challenge = house.get(f"/auth/{BOB.name}").json
        proof = {"challenge": challenge, "signature": signed(MALLORY, challenge)}
        statuses.append(house.post(f"/auth/{BOB.name}", proof).status)
    assert statuses[0] == 400
    assert statuses[-1] == 403


def test_no_challenge_for_nobody(house: House) -> None:
    heard = house.get("/auth/nobody.eth")
    assert (heard.status, heard.text) == (404, "Not Found")


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"challenge": 1, "signature": "a"},
        {"challenge": "a"},
        {"challenge": "a", "signature": None},
    ],
)
def test_a_sign_in_of_another_shape(house: House, body: object) -> None:
    heard = house.post(f"/auth/{BOB.name}", body)
    assert (heard.status, set(heard.json)) == (400, {"error"})


@pytest.mark.parametrize(
    ("challenge", "signature"), [("a", "b"), ("a.b.c", "AA=="), ("", ""), ("\ud800", "\ud800")]
)
def test_a_sign_in_with_nonsense(house: House, challenge: str, signature: str) -> None:
    heard = house.post(f"/auth/{BOB.name}", {"challenge": challenge, "signature": signature})
    assert (heard.status, set(heard.json)) == (400, {"error"})


def test_a_profile_is_shown(house: House) -> None:
    heard = house.get(f"/profile/{BOB.name}")
    assert (heard.status, heard.json) == (200, BOB.signed_profile.to_json())
    described(heard.json, "SignedProfile")


def test_no_profile_of_nobody(house: House) -> None:
    heard = house.get("/profile/nobody.eth")
    assert (heard.status, heard.text) == (404, "Not Found")


def test_a_posted_profile_is_answered_by_a_string_that_opens_nothing(house: House) -> None:
    house.world.publish(MALLORY)
    heard = house.post(f"/profile/{MALLORY.name}", MALLORY.signed_profile.to_json())
    assert heard.status == 200
    assert isinstance(heard.json, str)
    opened = house.get(f"/delivery/messages/incoming/{MALLORY.name}", heard.json)
    assert (opened.status, opened.text) == (401, "Unauthorized")
    assert house.get(f"/profile/{MALLORY.name}").status == 200
    # The whole takeover: somebody reads Bob's public profile and posts it.
    stolen = house.post(f"/profile/{BOB.name}", house.get(f"/profile/{BOB.name}").json).json
    assert house.get(f"/delivery/messages/incoming/{BOB.name}", stolen).status == 401


PROFILE = BOB.signed_profile.to_json()


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"profile": {}, "signature": "0x"},
        {**PROFILE, "signature": None},
        {**PROFILE, "more": 1},
        {"profile": PROFILE["profile"]},
        {**PROFILE, "profile": {**PROFILE["profile"], "deliveryServices": "relay.eth"}},  # type: ignore[dict-item]
        {**PROFILE, "profile": {**PROFILE["profile"], "publicSigningKey": 1}},  # type: ignore[dict-item]
    ],
)
def test_a_profile_of_another_shape(house: House, body: object) -> None:
    heard = house.post(f"/profile/{BOB.name}", body)
    assert heard.status == 400
    assert body is None or heard.json == {"error": "invalid schema"}


def test_a_profile_that_cannot_be_stored(house: House) -> None:
    unresolved = house.post("/profile/nobody.eth", BOB.signed_profile.to_json())
    assert (unresolved.status, set(unresolved.json)) == (400, {"message"})
    foreign = house.post(f"/profile/{ALICE.name}", BOB.signed_profile.to_json())
    assert (foreign.status, set(foreign.json)) == (400, {"message", "error"})


@pytest.mark.parametrize("slash", ["", "/"])
def test_incoming_is_an_array_of_envelopes(house: House, token: str, slash: str) -> None:
    submit(house, "one", "two")
    heard = house.get(f"/delivery/messages/incoming/{BOB.name}{slash}", token)
    assert heard.status == 200
    assert len(described(heard.json, "Envelopes")) == 2
    assert heard.headers["Link"] is None
    assert heard.json[0]["metadata"]["deliveryInformation"]["from"] == ALICE.name


def test_when_there_is_more_a_link_leads_on(house: House, token: str) -> None:
    house.world.settings = RelaySettings(RELAY_NAME, Limits(page_messages=4, page_messages_max=4))
    house.world.restarted()
    submit(house, *(f"text {number}" for number in range(9)))
    seen = set()
    for _ in range(6):
        heard = house.get(f"/delivery/messages/incoming/{BOB.name}", token)
        seen |= {envelope["message"] for envelope in heard.json}
    assert len(seen) == 9, "repeated fetches reach everything"
    link = re.fullmatch(r'<(/[^>]+)>; rel="next"', heard.headers["Link"])
    assert link is not None
    assert house.get(link[1], token).status == 200


def test_a_conversation(house: House, token: str) -> None:
    house.world.settle(MALLORY)
    submit(house, "one")
    house.world.submit(house.world.letter(MALLORY))
    heard = house.get(f"/delivery/messages/{BOB.name}/contact/{ALICE.name}", token)
    assert [envelope["metadata"]["deliveryInformation"]["from"] for envelope in heard.json] == [ALICE.name]
    assert house.get(f"/delivery/messages/{BOB.name}/contact/nobody.eth", token).json == []
    assert house.get(f"/delivery/messages/{BOB.name}/contact/a%20b", token).status in {200, 400}


@pytest.mark.parametrize("slash", ["", "/"])
def test_acknowledging_as_the_reference_does(house: House, token: str, slash: str) -> None:
    submit(house, "one", "two")
    first, second = house.get(f"/delivery/messages/incoming/{BOB.name}", token).json
    hash_ = first["metadata"]["messageHash"]
    entries = [
        {"contactAddress": MALLORY.name, "messageHash": second["metadata"]["messageHash"]},
        {"contactAddress": ALICE.name, "messageHash": hash_, "messageDeliveryServiceTimestamp": 1},
        {"contactAddress": ALICE.name, "messageHash": hash_},
        {"contactAddress": ALICE.name},
        {"contactAddress": ALICE.name, "messageHash": None},
        {"contactAddress": 7, "messageHash": hash_},
        {"contactAddress": "a b", "messageHash": "nonsense"},
        {},
    ]
    path = f"/delivery/messages/{BOB.name}/syncAcknowledgements{slash}"
    heard = house.post(path, {"acknowledgements": entries}, token)
    assert (heard.status, heard.body) == (200, b"")
    left = house.get(f"/delivery/messages/incoming/{BOB.name}", token).json
    assert [envelope["message"] for envelope in left] == [second["message"]]


@pytest.mark.parametrize(
    "body", [None, [], {}, {"acknowledgements": None}, {"acknowledgements": {}}, {"acknowledgements": [1]}]
)
def test_acknowledgements_of_another_shape(house: House, token: str, body: object) -> None:
    heard = house.post(f"/delivery/messages/{BOB.name}/syncAcknowledgements/", body, token)
    assert heard.status == 400


def test_of_too_many_acknowledgements_the_first_are_worked(house: House, token: str) -> None:
    """100,000 entries, most of them the same, are one call of the reference's client."""
    submit(house, "first", "last")
    hashes = [
        envelope["metadata"]["messageHash"]
        for envelope in house.get(f"/delivery/messages/incoming/{BOB.name}", token).json
    ]
    path = f"/delivery/messages/{BOB.name}/syncAcknowledgements/"
    names = [hashes[0], *(f"0x{number:064x}" for number in range(1000)), hashes[1]]
    entries = [{"contactAddress": ALICE.name, "messageHash": name} for name in names]
    assert house.post(path, {"acknowledgements": entries[:1] * 10_000 + entries}, token).status == 200
    left = house.get(f"/delivery/messages/incoming/{BOB.name}", token).json
    assert [envelope["metadata"]["messageHash"] for envelope in left] == [hashes[1]]


SIGNED_IN = [
    ("GET", f"/delivery/messages/incoming/{BOB.name}"),
    ("GET", f"/delivery/messages/{BOB.name}/contact/{ALICE.name}"),
    ("POST", f"/delivery/messages/{BOB.name}/syncAcknowledgements/"),
    ("GET", f"/inbox/{BOB.name}"),
    ("POST", f"/inbox/{BOB.name}/acknowledgements"),
    ("GET", f"/account/{BOB.name}"),
    ("GET", f"/account/{BOB.name}/export"),
    ("DELETE", f"/account/{BOB.name}"),
    ("POST", f"/auth/{BOB.name}/sign-out-everywhere"),
]


@pytest.mark.parametrize(("method", "path"), SIGNED_IN)
@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Bearer a.b.c", "Basic YTpi", "Bearer \u00e9", "bearer null"]
)
def test_without_a_token_there_is_nothing(house: House, method: str, path: str, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    heard = house.ask(method, path, headers=headers)
    assert heard.status == 401
    assert path.startswith(("/inbox", "/account", "/auth")) or heard.text == "Unauthorized"
    assert heard.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(("method", "path"), SIGNED_IN)
def test_somebody_elses_token_is_no_reason_to_sign_in_again(house: House, method: str, path: str) -> None:
    heard = house.ask(method, path, token=house.token(ALICE))
    assert heard.status == 403
    assert heard.json["error"]


def test_an_expired_token(house: House, token: str) -> None:
    house.world.clock.pass_s(3601)
    assert house.get(f"/inbox/{BOB.name}", token).status == 401


def test_the_paged_inbox(house: House, token: str) -> None:
    submit(house, "one", "two", "three")
    first = house.get(f"/inbox/{BOB.name}?limit=2", token)
    page = described(first.json, "Page")
    assert (len(page["messages"]), page["more"], page["unreadable"]) == (2, True, 0)
    rest = described(house.get(f"/inbox/{BOB.name}?limit=2&cursor={page['cursor']}", token).json, "Page")
    assert (len(rest["messages"]), rest["more"]) == (1, False)
    end = house.get(f"/inbox/{BOB.name}?cursor={rest['cursor']}", token).json
    assert (end["messages"], end["more"]) == ([], False)
    follow = house.get(f"/inbox/{BOB.name}?follow=true&cursor={rest['cursor']}", token).json
    assert len(follow["messages"]) == 3, "it restarts early"
    ids = [message["id"] for message in page["messages"]]
    acknowledged = house.post(f"/inbox/{BOB.name}/acknowledgements", {"ids": ids + ids}, token)
    assert (acknowledged.status, described(acknowledged.json, "Acknowledged")) == (200, {"acknowledged": 2})
    left = house.get(f"/inbox/{BOB.name}", token).json["messages"]
    assert [message["id"] for message in left] == [rest["messages"][0]["id"]]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=-1", "limit=a", "limit=", "limit=9999999", "cursor=nonsense", "cursor=%ff"]
)
def test_a_page_that_cannot_be_had(house: House, token: str, query: str) -> None:
    heard = house.get(f"/inbox/{BOB.name}?{query}", token)
    assert (heard.status, heard.json["code"]) == (400, -32602)


@pytest.mark.parametrize(
    "body", [None, {}, {"ids": "a"}, {"ids": [1]}, {"ids": ["nonsense"]}, {"ids": ["a"] * 1001}]
)
def test_ids_that_are_none(house: House, token: str, body: object) -> None:
    heard = house.post(f"/inbox/{BOB.name}/acknowledgements", body, token)
    assert heard.status == 400
    assert heard.json["code"] in {-32602, -32700, -32000}


def test_leaving(house: House, token: str) -> None:
    submit(house, "one")
    export = described(house.get(f"/account/{BOB.name}/export", token).json, "Export")
    assert (export["address"], export["names"], len(export["messages"])) == (BOB.address, [BOB.name], 1)
    assert (gone := house.ask("DELETE", f"/account/{BOB.name}", token=token)).status == 204
    assert gone.body == b""
    assert house.get(f"/inbox/{BOB.name}", token).status == 403, "signing in does not cure it"
    assert house.get(f"/profile/{BOB.name}").status == 404


def test_signing_out_everywhere(house: House, token: str) -> None:
    other = house.token(BOB)
    heard = house.post(f"/auth/{BOB.name}/sign-out-everywhere", {}, token)
    assert (heard.status, heard.body) == (204, b"")
    house.world.clock.pass_s(60)
    assert house.get(f"/inbox/{BOB.name}", token).status == 401
    assert house.get(f"/inbox/{BOB.name}", other).status == 401


@pytest.mark.parametrize(
    "name", ["%ff", "%00", "a%20b.eth", "%F0%9F%98%80%ff", "%2e%2e", "a" * 3000, "%ed%a0%80", "xn--%e2%80%8d"]
)
@pytest.mark.parametrize("path", ["/auth/{}", "/profile/{}", "/delivery/messages/incoming/{}", "/inbox/{}"])
def test_names_that_are_none(house: House, path: str, name: str) -> None:
    heard = house.get(path.format(name))
    assert heard.status in {400, 401, 404}
    assert house.post(path.format(name), {}).status in {400, 401, 404}


@pytest.mark.parametrize("name", ["BOB.eth", "%42ob.eth", "bob%2Eeth"])
def test_names_are_normalised(house: House, token: str, name: str) -> None:
    assert house.get(f"/profile/{name}").status == 200
    assert house.get(f"/delivery/messages/incoming/{name}", token).status == 200


@pytest.mark.parametrize("path", ["/rpc", "/auth/bob.eth", "/delivery/messages/incoming/bob.eth", "/hello"])
def test_preflight(house: House, path: str) -> None:
    heard = house.ask("OPTIONS", path)
    assert heard.status == 200
    assert heard.headers["Access-Control-Allow-Origin"] == "*"
    assert "Authorization" in heard.headers["Access-Control-Allow-Headers"]
    assert "OPTIONS" in heard.headers["Access-Control-Allow-Methods"]


def test_a_chain_that_does_not_answer(house: House) -> None:
    house.world.publish(MALLORY)
    house.world.directory.fail = True
    heard = house.post(f"/profile/{MALLORY.name}", MALLORY.signed_profile.to_json())
    assert (heard.status, set(heard.json)) == (503, {"error"})
    assert int(heard.headers["Retry-After"]) > 0


def test_a_store_that_does_not_answer(house: House, token: str) -> None:
    def fail(_operation: str, _moment: Moment) -> None:
        raise Unavailable

    house.world.store.faults = fail
    house.world.restarted()
    for method, path in SIGNED_IN:
        assert house.ask(method, path, token=token).status == 503


def test_the_documents_describe_every_route(house: House) -> None:
    document = house.get("/openapi.json").json
    assert document["openapi"] == "3.1.0"
    routes = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    assert {path for _, path in routes} >= {"/rpc", "/hello", "/auth/{ensName}", "/inbox/{ensName}"}
    for _method, path in routes:
        assert house.ask("OPTIONS", path.replace("{", "").replace("}", "")).status == 200
