"""A whole HTTP flow, and then a search of everything logged for everything that was used in it."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.api import logs
from chalicelib.names.directory import ResolvedName, Toll
from chalicelib.names.memory import MemoryDirectory
from chalicelib.protocol.errors import Dm3Error
from tests.integration.http_house import House, open_house, signed
from tests.unit.relay.world import ALICE, BOB, MALLORY, World

SECRET_TEXT = "the-text-of-the-message"


class Everything(logging.Handler):
    """Keeps every record of every logger, as the relay writes it and as Python would."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.written = io.StringIO()

    def emit(self, record: logging.LogRecord) -> None:
        plain = logging.Formatter().format(record)
        self.written.write(f"{logs.JsonFormatter().format(record)}\n{plain}\n{record.__dict__}\n")


@pytest.fixture
def everything() -> Iterator[Everything]:
    logs.configure()
    handler = Everything()
    loggers = [logging.getLogger(), logging.getLogger("dm3"), logging.getLogger("dm3-relay")]
    before = [log.level for log in loggers]
    for log in loggers:
        log.addHandler(handler)
        log.setLevel(logging.DEBUG)
    yield handler
    for log, level in zip(loggers, before, strict=True):
        log.removeHandler(handler)
        log.setLevel(level)


def flow(house: House) -> set[str]:
    """Everything the API can do, and much that it refuses. Returns what was used."""
    world = house.world
    world.settle(ALICE)
    world.publish(BOB)
    house.post(f"/profile/{BOB.name}", BOB.signed_profile.to_json())
    challenge = house.get(f"/auth/{BOB.name}").json
    token = house.post(
        f"/auth/{BOB.name}", {"challenge": challenge, "signature": signed(BOB, challenge)}
    ).json
    letter: Any = world.letter(text=SECRET_TEXT)
    receipt = house.rpc("dm3_submitMessage", [letter], id=1).json["result"]
    forged: Any = world.letter(MALLORY, claim=ALICE.name)
    house.rpc("dm3_submitMessage", [forged])
    house.rpc("dm3_submitMessage", [json.dumps(letter)[:-1]], id=1)
    house.rpc("dm3_getProfileExtension", ["nobody-at-all.eth"], id=1)
    house.rpc(f"dm3_{token}", [], id=1)
    page = house.get(f"/inbox/{BOB.name}", token).json
    house.get(f"/delivery/messages/incoming/{BOB.name}", token)
    house.get(f"/delivery/messages/{BOB.name}/contact/{ALICE.name}", token)
    house.get(f"/inbox/{BOB.name}?cursor=nonsense", token)
    house.get(f"/inbox/{ALICE.name}", token)
    house.get(f"/inbox/{BOB.name}", token[:-2])
    house.get(f"/{token}", token)
    house.post(f"/auth/{BOB.name}", {"challenge": challenge, "signature": "nonsense"})
    house.post(f"/auth/{BOB.name}", {BOB.address: token})
    house.post(f"/inbox/{BOB.name}/acknowledgements", {"ids": [page["messages"][0]["id"]]}, token)
    world.directory.fail = True
    house.post(f"/profile/{MALLORY.name}", MALLORY.signed_profile.to_json())
    house.get(f"/account/{BOB.name}/export", token)
    house.ask("DELETE", f"/account/{BOB.name}", token=token)
    return {
        SECRET_TEXT,
        *(person.name for person in (ALICE, BOB, MALLORY)),
        *(person.address for person in (ALICE, BOB, MALLORY)),
        *(person.encryption.public_key for person in (ALICE, BOB)),
        "nobody-at-all",
        token,
        token.rsplit(".", 1)[1],
        challenge,
        letter["message"],
        json.loads(letter["message"])["ciphertext"][:40],
        forged["metadata"]["signature"],
        letter["metadata"]["deliveryInformation"],
        receipt["messageId"],
        page["messages"][0]["id"],
        page["cursor"],
    }


def test_nothing_that_was_used_is_logged(everything: Everything, capfd: pytest.CaptureFixture[str]) -> None:
    with open_house(World()) as house:
        used = flow(house)
    captured = capfd.readouterr()
    written = everything.written.getvalue() + captured.out + captured.err
    assert written.count('"event": "request"') >= 18, "the flow was logged"
    found = [text for text in used if text.lower() in written.lower()]
    assert found == []


def test_a_defect_deep_inside_is_logged_without_what_it_says(
    everything: Everything,
) -> None:
    with open_house(World(directory=BrokenDirectory())) as house:
        heard = house.post(f"/profile/{BOB.name}", BOB.signed_profile.to_json())
    assert (heard.status, heard.json) == (500, {"error": Dm3Error.summary})
    assert heard.headers["Access-Control-Allow-Origin"] == "*"
    written = everything.written.getvalue()
    assert "ZeroDivisionError" in written
    assert BOB.name not in written


class BrokenDirectory(MemoryDirectory):
    def lookup(self, name: str, *, fresh: bool = False, toll: Toll | None = None) -> ResolvedName:
        raise ZeroDivisionError(name)
