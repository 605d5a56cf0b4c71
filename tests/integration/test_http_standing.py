"""Over HTTP: a receiver who has moved, and one whose keys have changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.api.results import MODELS
from chalicelib.protocol.errors import ReceiverMoved
from chalicelib.relay.settings import RelaySettings
from tests.integration.http_house import House, open_house
from tests.unit.relay.world import ALICE, BOB, RELAY_NAME, World

MOVED = BOB.moved_to("other.eth")


@pytest.fixture(scope="module")
def served() -> Iterator[House]:
    with open_house() as house:
        yield house


@pytest.fixture
def house(served: House) -> House:
    """A fresh world with Alice and Bob at home, whose processes remember no account."""
    served.world = World(RelaySettings(RELAY_NAME, remember_s=0))
    served.world.settle(ALICE, BOB)
    return served


def described(answer: Any, model: str) -> Any:  # noqa: ANN401 - any JSON
    """An answer, which must be as the documents describe it."""
    MODELS[model].model_validate_json(json.dumps(answer))
    return answer


def test_mail_to_a_receiver_who_has_moved_is_refused_in_both_dialects(house: House) -> None:
    house.world.publish(MOVED)
    letter = house.world.letter()
    strict = house.rpc("dm3_submitMessage", [letter], id=1)
    assert (strict.status, strict.json["error"]["code"]) == (404, -32001)
    assert strict.json["error"]["message"] == ReceiverMoved.summary
    reference = house.rpc("dm3_submitMessage", [letter])
    assert (reference.status, reference.json) == (404, {"error": ReceiverMoved.summary})
    assert house.world.mail() == []


def test_a_receiver_who_has_moved_keeps_everything_else(house: House) -> None:
    token = house.token(BOB)
    for text in ("one", "two"):
        assert house.rpc("dm3_submitMessage", [house.world.letter(text=text)], id=1).status == 200
    house.world.publish(MOVED)
    assert house.get(f"/profile/{BOB.name}").status == 200
    assert house.rpc("dm3_getProfileExtension", [BOB.name], id=1).status == 200
    assert house.token(BOB), "signing in"
    assert len(house.get(f"/delivery/messages/incoming/{BOB.name}", token).json) == 2
    messages = described(house.get(f"/inbox/{BOB.name}", token).json, "Page")["messages"]
    acknowledged = house.post(f"/inbox/{BOB.name}/acknowledgements", {"ids": [messages[0]["id"]]}, token)
    assert acknowledged.json == {"acknowledged": 1}
    export = described(house.get(f"/account/{BOB.name}/export", token).json, "Export")
    assert len(export["messages"]) == 1
    assert described(house.get(f"/account/{BOB.name}", token).json, "AccountStatus")["listed"] is False
    assert house.ask("DELETE", f"/account/{BOB.name}", token=token).status == 204


def test_a_change_of_keys_is_told_to_the_owner(house: House) -> None:
    house.rpc("dm3_submitMessage", [house.world.letter(text="old")], id=1)
    new_bob = BOB.with_new_keys()
    house.world.publish(new_bob)
    assert house.post(f"/profile/{BOB.name}", new_bob.signed_profile.to_json()).status == 200
    letter = house.world.letter(receiver=new_bob, text="new")
    house.rpc("dm3_submitMessage", [letter], id=1)
    token = house.token(new_bob)
    page = described(house.get(f"/inbox/{BOB.name}", token).json, "Page")
    assert [(message["encryptionKey"], message["olderKey"]) for message in page["messages"]] == [
        (BOB.encryption.public_key, True),
        (new_bob.encryption.public_key, False),
    ]
    status = described(house.get(f"/account/{BOB.name}", token).json, "AccountStatus")
    assert status == {
        "address": BOB.address,
        "names": [BOB.name],
        "createdAt": status["createdAt"],
        "publicEncryptionKey": new_bob.encryption.public_key,
        "formerKeys": [
            {
                "publicEncryptionKey": BOB.encryption.public_key,
                "replacedAt": status["formerKeys"][0]["replacedAt"],
            }
        ],
        "listed": True,
    }
    assert (
        described(house.get(f"/account/{BOB.name}/export", token).json, "Export")["formerKeys"]
        == (status["formerKeys"])
    )
    plain = house.get(f"/delivery/messages/incoming/{BOB.name}", token).json
    assert all(set(envelope) == {"message", "metadata", "postmark"} for envelope in plain)


def test_a_status_is_given_while_ens_does_not_answer(house: House) -> None:
    token = house.token(BOB)
    house.get(f"/account/{BOB.name}", token)
    house.world.directory.fail = True
    assert described(house.get(f"/account/{BOB.name}", token).json, "AccountStatus")["listed"] is None
