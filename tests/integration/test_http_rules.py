"""The rules of receivers over HTTP: how their owner writes them, and what they let in and what not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import pytest

from chalicelib.api.results import MODELS
from chalicelib.protocol.canonical import canonicalize
from chalicelib.protocol.errors import Unavailable
from chalicelib.protocol.json_types import JsonValue
from chalicelib.relay.settings import RelaySettings
from chalicelib.store.memory import Moment
from tests.integration.http_house import Heard, House, open_house
from tests.unit.relay.world import ALICE, BOB, MALLORY, RELAY_NAME, Person, Stranger, World

Say = Callable[[str], None]

TOKEN, SAFE = "0x00000000000C2E074eC69A0dFb2997BA6C7d2e1e", "0x0000000000000000000000000000000000000001"
RULES, LISTS = f"/rules/{BOB.name}", f"/rules/{BOB.name}/lists"
CAROL, DAVE = Stranger("carol.eth"), Stranger("dave.friends.eth")
NO_RULES = {"rules": {}, "allow": [], "block": [], "onlyAllowed": False}
DAY_S = 86_400


@pytest.fixture(scope="module")
def served() -> Iterator[House]:
    with open_house() as house:
        yield house


@pytest.fixture
def house(served: House) -> House:
    """A fresh world: Alice and Bob have accounts, Carol, Dave and Mallory write from elsewhere."""
    return furnish(served)


def furnish(house: House, world: World | None = None) -> House:
    house.world = world or World()
    house.world.settle(ALICE, BOB)
    for person in (CAROL, DAVE, MALLORY):
        house.world.publish(person)
    return house


@pytest.fixture
def token(house: House) -> str:
    return house.token(BOB)


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    """Print past pytest: what the tests have shown is to be read."""

    def printed(text: str) -> None:
        with capsys.disabled():
            print(text)  # noqa: T201

    return printed


def put(house: House, document: object, token: str | None = None) -> Heard:
    return house.ask("PUT", RULES, document, token=token or house.token(BOB))


def described(heard: Heard) -> Any:  # noqa: ANN401 - any JSON
    """A document of rules, which must be as the OpenAPI document describes it."""
    assert heard.status == HTTPStatus.OK
    MODELS["Rules"].model_validate_json(heard.body)
    return heard.json


def send(
    house: House, sender: Person, text: str = "", *, strict: bool = True, receiver: Person = BOB
) -> Heard:
    """A letter from `sender`, in one of the two dialects."""
    world = house.world
    letter = world.letter(sender, receiver, text or f"message {world.clock.now_ms()}")
    if strict:
        return house.rpc("dm3_submitMessage", [letter], id=1)
    return house.rpc("dm3_submitMessage", [json.dumps(letter)])


# The owner's side


def test_rules_from_nothing_to_nothing(house: House, token: str) -> None:
    assert described(house.get(RULES, token)) == NO_RULES
    document = {
        "rules": {"minNonce": 1, "minTokenBalance": [{"address": TOKEN.lower(), "standard": "erc721"}]},
        "allow": ["*.Friends.eth", ALICE.address.lower()],
        "block": ["mallory.eth"],
        "supportedMessageTypes": ["NEW", "EDIT"],
        "encryptionScheme": ["x25519-chacha20-poly1305"],
    }
    stored = described(put(house, document, token))
    assert stored == {
        **document,
        "rules": {
            "minNonce": 1,
            "minTokenBalance": [{"address": TOKEN, "amount": "1", "standard": "erc721"}],
            "onChainFailure": "fail_closed",
        },
        "allow": ["*.friends.eth", ALICE.address],
        "onlyAllowed": False,
    }
    assert described(house.get(RULES, token)) == stored
    assert described(put(house, stored, token)) == stored
    changes = {"allow": ["mallory.eth"], "block": ["spam.eth"], "remove": ["*.friends.eth"]}
    changed = described(house.post(LISTS, changes, token))
    assert changed == {**stored, "allow": [ALICE.address, "mallory.eth"], "block": ["spam.eth"]}
    deleted = house.ask("DELETE", RULES, token=token)
    assert (deleted.status, deleted.body) == (HTTPStatus.NO_CONTENT, b"")
    assert described(house.get(RULES, token)) == NO_RULES


def test_a_member_that_is_left_out_is_back_at_its_default(house: House, token: str) -> None:
    put(house, {"block": ["mallory.eth"], "onlyAllowed": True}, token)
    assert described(put(house, {"allow": ["carol.eth"]}, token)) == {**NO_RULES, "allow": ["carol.eth"]}


def test_every_kind_of_rule_is_as_described(house: House, token: str) -> None:
    rules = {
        "minNonce": 1,
        "minBalance": "1",
        "minTokenBalance": [
            {"address": TOKEN, "amount": "5", "standard": "erc20"},
            {"address": TOKEN, "amount": "1", "standard": "erc1155", "id": "7"},
        ],
        "stake": {"address": SAFE, "amount": "3"},
        "firstContact": {"messages": 3},
        "senderQuota": {"messagesPerDay": 4, "kibPerDay": 5},
        "totalQuota": {"kibPerDay": 6},
        "onChainFailure": "fail_open",
    }
    assert described(put(house, {"rules": rules}, token))["rules"] == rules
    exported = house.get(f"/account/{BOB.name}/export", token)
    MODELS["Export"].model_validate_json(exported.body)
    assert exported.json["rules"]["rules"] == rules


@pytest.mark.parametrize("with_id", [True, False])
def test_senders_are_told_before_and_after(house: House, token: str, with_id: bool) -> None:
    def told() -> Any:  # noqa: ANN401 - any JSON
        heard = house.rpc("dm3_getProfileExtension", [BOB.name], **({"id": 1} if with_id else {}))
        assert heard.status == HTTPStatus.OK
        result = heard.json["result"]
        extension = result if with_id else json.loads(result)
        MODELS["ProfileExtension"].model_validate(extension)
        return extension

    before = told()
    assert set(before) == {"supportedMessageTypes"}
    rules = {"firstContact": {"messages": 3}}
    types, schemes = ["NEW", "REACTION"], ["other", "x25519-chacha20-poly1305"]
    document = {"rules": rules, "supportedMessageTypes": types, "encryptionScheme": schemes}
    put(house, {**document, "allow": ["carol.eth"], "block": ["mallory.eth"], "onlyAllowed": True}, token)
    assert told() == document
    house.ask("DELETE", RULES, token=token)
    assert told() == before


@pytest.mark.parametrize(
    ("method", "path"), [("GET", RULES), ("PUT", RULES), ("POST", LISTS), ("DELETE", RULES)]
)
def test_only_the_owner_reads_and_writes(house: House, method: str, path: str) -> None:
    body = None if method in {"GET", "DELETE"} else {"allow": ["carol.eth"]}
    for token, status in ((None, 401), ("nonsense", 401), (house.token(ALICE), 403)):
        heard = house.ask(method, path, body, token=token)
        assert (heard.status, set(heard.json)) == (status, {"error", "code"})
        assert heard.headers["Access-Control-Allow-Origin"] == "*"
    assert described(house.get(RULES, house.token(BOB))) == NO_RULES


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        "rules",
        {"minNonce": 1},
        {"rules": {"minAge": 1}},
        {"rules": {"minNonce": -1}},
        {"rules": {"minNonce": "1"}},
        {"rules": {"minBalance": 1}},
        {"rules": {"minTokenBalance": [{"address": "0x12", "amount": "1"}]}},
        {"rules": {"stake": {"amount": "1"}}},
        {"rules": {"firstContact": {}}},
        {"rules": {"senderQuota": {}}},
        {"rules": {"onChainFailure": "open"}},
        {"allow": "carol.eth"},
        {"allow": [7]},
        {"allow": ["no name at all"]},
        {"allow": ["carol.eth"], "block": ["carol.eth"]},
        {"allow": [f"{number}.eth" for number in range(1_001)]},
        {"block": ["a.eth"] * 100_000},
        {"block": ["x" * 1_000_000]},
        {"onlyAllowed": "yes"},
        {"supportedMessageTypes": ["EDIT"]},
        {"supportedMessageTypes": None},
        {"encryptionScheme": ["other"]},
        {f"member {number}": number for number in range(100_000)},
    ],
)
def test_what_is_wrong_is_told_in_one_sentence_and_not_stored(
    house: House, token: str, document: object
) -> None:
    heard = house.ask("PUT", RULES, raw=json.dumps(document).encode(), token=token)
    assert (heard.status, heard.json["code"]) == (400, -32000)
    assert heard.json["error"].endswith(".")
    assert "carol" not in heard.text
    assert described(house.get(RULES, token)) == NO_RULES


@pytest.mark.parametrize(
    "changes", [None, [], {"add": ["carol.eth"]}, {"allow": [1]}, {"remove": "carol.eth"}]
)
def test_changes_that_are_none(house: House, token: str, changes: object) -> None:
    heard = house.ask("POST", LISTS, raw=json.dumps(changes).encode(), token=token)
    assert (heard.status, heard.json["code"]) == (400, -32000)


@pytest.mark.parametrize(("path", "method"), [(RULES, "PUT"), (LISTS, "POST")])
def test_what_is_no_json_and_what_is_too_large_for_any_request(
    house: House, token: str, path: str, method: str
) -> None:
    assert house.ask(method, path, raw=b"{", token=token).status == HTTPStatus.BAD_REQUEST
    huge = house.ask(method, path, raw=b'"' + b"x" * (6 * 1024 * 1024) + b'"', token=token)
    assert huge.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE


def test_browsers_may_use_every_method(house: House) -> None:
    preflight = house.ask("OPTIONS", RULES)
    allowed = set(preflight.headers["Access-Control-Allow-Methods"].replace(" ", "").split(","))
    assert {"GET", "PUT", "DELETE"} <= allowed


def test_a_store_that_fails_is_asked_again(house: House, token: str) -> None:
    def fail(operation: str, _moment: Moment) -> None:
        if operation.startswith("rules."):
            raise Unavailable

    house.world.store.faults = fail
    heard = put(house, {"onlyAllowed": True}, token)
    assert (heard.status, heard.json["code"]) == (503, -32002)
    refused = send(house, CAROL)
    assert (refused.status, refused.json["error"]["code"]) == (503, -32002)
    house.world.store.faults = None
    assert send(house, CAROL).status == HTTPStatus.OK


# The sender's side: each rule, a message that passes and one that does not


@dataclass(frozen=True)
class Case:
    """A document of rules, who passes under it, who does not, and what the latter is told."""

    rule: str
    document: dict[str, JsonValue]
    passes: Person
    refused: Person
    data: dict[str, object]
    before: int = 0  # messages of the refused one that pass before


PRIVATE: dict[str, object] = {"rule": "receiver"}


def of_token(standard: str, amount: str, **more: str) -> dict[str, JsonValue]:
    rule = {"address": TOKEN, "amount": amount, "standard": standard, **more}
    return {"rules": {"minTokenBalance": [rule]}}


def told_token(standard: str, required: str, **more: str) -> dict[str, object]:
    return {
        "rule": "minTokenBalance",
        "required": required,
        "address": TOKEN,
        "standard": standard,
        **more,
    }


CASES = [
    Case("block a name", {"block": ["mallory.eth"]}, CAROL, MALLORY, PRIVATE),
    Case("block a subtree", {"block": ["*.friends.eth"]}, CAROL, DAVE, PRIVATE),
    Case("block an address", {"block": [MALLORY.address]}, CAROL, MALLORY, PRIVATE),
    Case("onlyAllowed, a name", {"onlyAllowed": True, "allow": ["carol.eth"]}, CAROL, MALLORY, PRIVATE),
    Case("onlyAllowed, a subtree", {"onlyAllowed": True, "allow": ["*.friends.eth"]}, DAVE, CAROL, PRIVATE),
    Case("onlyAllowed, an address", {"onlyAllowed": True, "allow": [CAROL.address]}, CAROL, DAVE, PRIVATE),
    Case("allow wins over block", {"allow": ["carol.eth"], "block": ["*.eth"]}, CAROL, MALLORY, PRIVATE),
    Case(
        "allow skips the rest",
        {"allow": ["carol.eth"], "rules": {"firstContact": {"messages": 0}}},
        CAROL,
        MALLORY,
        {"rule": "firstContact", "messages": 0},
    ),
    Case("minNonce", {"rules": {"minNonce": 5}}, CAROL, MALLORY, {"rule": "minNonce", "required": "5"}),
    Case(
        "minBalance",
        {"rules": {"minBalance": "10000000000000000"}},
        CAROL,
        MALLORY,
        {"rule": "minBalance", "required": "10000000000000000"},
    ),
    Case("ERC-20", of_token("erc20", "10"), CAROL, MALLORY, told_token("erc20", "10")),
    Case("ERC-721", of_token("erc721", "1"), CAROL, MALLORY, told_token("erc721", "1")),
    Case("ERC-1155", of_token("erc1155", "1", id="7"), CAROL, MALLORY, told_token("erc1155", "1", id="7")),
    Case(
        "stake",
        {"rules": {"stake": {"address": SAFE, "amount": "3"}}},
        CAROL,
        MALLORY,
        {"rule": "stake", "required": "3", "address": SAFE},
    ),
    Case(
        "firstContact",
        {"rules": {"firstContact": {"messages": 3}}},
        CAROL,
        MALLORY,
        {"rule": "firstContact", "messages": 3},
        before=3,
    ),
    Case(
        "senderQuota, messages",
        {"rules": {"senderQuota": {"messagesPerDay": 2}}},
        CAROL,
        MALLORY,
        {"rule": "senderQuota"},
        before=2,
    ),
    Case(
        "senderQuota, KiB",
        {"rules": {"senderQuota": {"kibPerDay": 12}}},
        CAROL,
        MALLORY,
        {"rule": "senderQuota"},
        before=2,
    ),
    Case(
        "totalQuota, messages",
        {"rules": {"totalQuota": {"messagesPerDay": 2}}},
        CAROL,
        MALLORY,
        {"rule": "totalQuota"},
        before=1,
    ),
    Case(
        "totalQuota, KiB",
        {"rules": {"totalQuota": {"kibPerDay": 12}}},
        CAROL,
        MALLORY,
        {"rule": "totalQuota"},
        before=1,
    ),
]


def grant(house: House, person: Person) -> None:
    """The person's address has what Bob's rules ask for, exactly."""
    world = house.world
    for one in world.relay.rules.get(world.account(BOB)).public.requirements:
        world.holdings.numbers[person.address, one.question] = one.least


def test_each_rule_lets_one_message_in_and_another_not(served: House, say: Say) -> None:
    lines = [f"{'rule':<24} | passes | refused: with id, without id, data"]
    for case in CASES:
        house = furnish(served)
        assert put(house, case.document).status == HTTPStatus.OK
        grant(house, case.passes)
        passed = send(house, case.passes)
        assert passed.status == HTTPStatus.OK, case.rule
        for _ in range(case.before):
            assert send(house, case.refused).status == HTTPStatus.OK, case.rule
        strict, reference = (send(house, case.refused, strict=strict) for strict in (True, False))
        error = strict.json["error"]
        assert (strict.status, error["code"]) == (403, -32010), case.rule
        data = dict(error["data"])
        wait_s = data.pop("retryAfter", None)
        assert data == case.data, case.rule
        assert (wait_s is not None) == ("Quota" in case.rule)
        for heard in (strict, reference):
            assert heard.headers["Retry-After"] == (None if wait_s is None else str(wait_s))
        assert (reference.status, reference.json) == (403, {"error": error["message"]})
        assert len(house.world.mail(BOB)) == 1 + case.before
        told = canonicalize(error["data"])
        refused = f"{strict.status} {error['code']}, {reference.status}, {told}"
        lines.append(f"{case.rule:<24} | {passed.status}    | {refused}")
    say("\n" + "\n".join(lines))


def test_private_refusals_are_the_same_to_the_byte(served: House) -> None:
    bodies = set()
    for case in CASES:
        if case.data == PRIVATE:
            house = furnish(served)
            put(house, case.document)
            bodies.add((send(house, case.refused).body, send(house, case.refused, strict=False).body))
    assert len(bodies) == 1


@pytest.mark.parametrize("choice", ["fail_closed", "fail_open"])
def test_while_the_chain_cannot_be_asked(house: House, choice: str, say: Say) -> None:
    put(house, {"rules": {"minNonce": 1, "onChainFailure": choice}})
    house.world.holdings.fail = True
    strict, reference = (send(house, CAROL, strict=strict) for strict in (True, False))
    answers = f"with id {strict.status}, without id {reference.status}: {strict.text[:150]}"
    say(f"\nchain silent, {choice:<11} | {answers}")
    if choice == "fail_open":
        assert (strict.status, reference.status) == (200, 200)
        assert len(house.world.mail(BOB)) == 2
        return
    assert (strict.status, strict.json["error"]["code"]) == (503, -32002)
    assert strict.json["error"]["message"].endswith("try again.")
    assert (reference.status, set(reference.json)) == (503, {"error"})
    assert int(strict.headers["Retry-After"]) > 0
    assert house.world.mail(BOB) == []
    house.world.holdings.fail = False
    grant(house, CAROL)
    assert send(house, CAROL).status == HTTPStatus.OK


def test_a_bare_profile_passes_no_rule_about_addresses(house: House) -> None:
    bare = Person("evil.eth")
    record = "data:application/json," + canonicalize(bare.profile.to_json())
    house.world.directory.add(bare.name, CAROL.address, record)
    for document in (
        {"rules": {"minNonce": 1, "onChainFailure": "fail_open"}},
        {"onlyAllowed": True, "allow": [CAROL.address]},
    ):
        put(house, document)
        grant(house, CAROL)
        assert send(house, CAROL).status == HTTPStatus.OK
        assert send(house, bare).json["error"]["code"] == -32010


def test_a_claim_at_a_lenient_relay_is_allowed_nowhere_and_blocked_by_its_name(served: House) -> None:
    house = furnish(served, World(RelaySettings(RELAY_NAME, lenient=True)))
    forged = house.world.letter(MALLORY, claim=CAROL.name)
    put(house, {"onlyAllowed": True, "allow": ["carol.eth"]})
    assert send(house, CAROL).status == HTTPStatus.OK
    assert house.rpc("dm3_submitMessage", [forged], id=1).json["error"]["data"] == PRIVATE
    put(house, {"block": ["carol.eth"]})
    assert house.rpc("dm3_submitMessage", [forged], id=1).json["error"]["data"] == PRIVATE
    put(house, {})
    assert house.rpc("dm3_submitMessage", [forged], id=1).status == HTTPStatus.OK


def test_a_stranger_is_known_once_answered_or_allowed(house: House, token: str, say: Say) -> None:
    put(house, {"rules": {"firstContact": {"messages": 2}}}, token)
    answers = [send(house, ALICE).status for _ in range(4)]
    assert answers == [200, 200, 403, 403]
    assert send(house, BOB, receiver=ALICE).status == HTTPStatus.OK
    answered = [send(house, ALICE).status for _ in range(4)]
    assert answered == [200] * 4
    carol = [send(house, CAROL).status for _ in range(3)]
    assert carol == [200, 200, 403]
    house.post(LISTS, {"allow": ["carol.eth"]}, token)
    allowed = [send(house, CAROL).status for _ in range(2)]
    assert allowed == [200, 200]
    say(f"\nfirst contact, 2 messages: {answers}, answered {answered}; another {carol}, allowed {allowed}")


# Never more than the quota


@pytest.mark.parametrize(
    ("rules", "most"),
    [
        ({"totalQuota": {"messagesPerDay": 40}}, 40),
        ({"senderQuota": {"messagesPerDay": 3}}, 96),
        ({"totalQuota": {"kibPerDay": 200}}, None),
        ({"firstContact": {"messages": 2}}, 64),
        (
            {
                "firstContact": {"messages": 3},
                "senderQuota": {"messagesPerDay": 2},
                "totalQuota": {"messagesPerDay": 50},
            },
            50,
        ),
    ],
)
def test_32_senders_at_once_never_get_in_more_than_the_quota(
    house: House, rules: dict[str, JsonValue], most: int | None, say: Say
) -> None:
    put(house, {"rules": rules})
    world, each = house.world, 5
    senders = [Stranger(f"sender{number}.eth") for number in range(32)]
    for sender in senders:
        world.publish(sender)
    letters = [world.letter(sender, text=f"{sender.name} {n}") for n in range(each) for sender in senders]
    kib = len(canonicalize(letters[0]).encode()) // 1_024 + 1

    def submit(letter: object) -> Heard:
        return house.rpc("dm3_submitMessage", [letter], id=1)

    with ThreadPoolExecutor(32) as pool:
        heard = list(pool.map(submit, letters))
    accepted = sum(one.status == HTTPStatus.OK for one in heard)
    refused = [one for one in heard if one.status != HTTPStatus.OK]
    assert {(one.status, one.json["error"]["code"]) for one in refused} == {(403, -32010)}
    limit = 200 // kib if most is None else most
    tried = f"32 senders, {len(heard)} messages of {kib} KiB, {canonicalize(rules)}"
    say(f"\n{tried}: {accepted} accepted, at most {limit}")
    assert accepted == limit == len(world.mail(BOB))
    assert {one.json["error"]["data"]["rule"] for one in refused} <= set(rules)


def test_a_quota_begins_anew_with_the_day(house: House) -> None:
    put(house, {"rules": {"totalQuota": {"messagesPerDay": 1}}})
    assert send(house, CAROL).status == HTTPStatus.OK
    wait_s = send(house, CAROL).json["error"]["data"]["retryAfter"]
    assert 0 < wait_s <= DAY_S
    house.world.clock.pass_s(wait_s)
    assert send(house, CAROL).status == HTTPStatus.OK
