from __future__ import annotations

import json
from pathlib import Path

import pytest

from chalicelib.client import Dm3Client, Identity, Response
from chalicelib.client.key_file import StoredKeys, save_keys
from chalicelib.protocol.errors import NotFound, Unavailable
from tests.unit.cli.conftest import CHEAP, PASSPHRASE, Run, as_json, use_keys
from tests.unit.client.world import RELAY, SECOND, SeededChance, World, answering, down, wallet_of


@pytest.fixture
def bob(bob_has_keys: Dm3Client) -> Dm3Client:
    return bob_has_keys


def test_showing_how_the_account_stands(run: Run, bob: Dm3Client) -> None:
    result = run("account", "show")
    assert result.exit_code == 0, result.output
    assert f"Delivery service   {RELAY}" in result.stdout
    assert f"Address            {bob.identity.address}" in result.stdout
    assert "Listed at ENS      yes" in result.stdout
    (told,) = as_json(run("account", "show", "--json"))
    assert (told["deliveryService"], told["names"], told["listed"]) == (RELAY, ["bob.eth"], True)
    assert told["publicEncryptionKey"] == bob.identity.keys.encryption.public_key
    assert told["formerKeys"] == []


def test_showing_that_ens_lists_another_service(run: Run, bob: Dm3Client, world: World) -> None:
    world.publish(world.identity("bob.eth", SECOND))
    assert "Listed at ENS      no: new mail" in run("account", "show").stdout
    world.directory.remove("bob.eth")
    world.directory.add("bob.eth", bob.identity.address)
    assert "Listed at ENS      not known" in run("account", "show").stdout


def test_showing_replaced_keys(run: Run, home: Path, bob: Dm3Client, world: World) -> None:
    wallet = wallet_of("bob.eth")
    new = Identity.create("bob.eth", wallet.address, wallet.sign, [RELAY], nonce="another")
    world.publish(new)
    world.client(new).register()
    save_keys(home / "keys.json", StoredKeys(new, None), PASSPHRASE, SeededChance(), cost=CHEAP, replace=True)
    old_key = bob.identity.keys.encryption.public_key
    assert f"Replaced key       {old_key}  until 2027-" in run("account", "show").stdout
    (told,) = as_json(run("account", "show", "--json"))
    assert [former["publicEncryptionKey"] for former in told["formerKeys"]] == [old_key]


def test_a_service_that_is_down_is_named(run: Run, home: Path, world: World) -> None:
    use_keys(home, world, "bob.eth", RELAY, SECOND)
    world.faults.append(down(SECOND))
    result = run("account", "show")
    assert result.exit_code == 0
    assert f"But not at {SECOND}: " in result.stderr
    _, missing = as_json(run("account", "show", "--json"))
    assert (missing["deliveryService"], missing["code"]) == (SECOND, Unavailable.code)


def test_what_a_service_says_does_not_reach_the_terminal_as_it_came(
    run: Run, bob: Dm3Client, world: World
) -> None:
    (told,) = as_json(run("account", "show", "--json"))
    del told["deliveryService"]
    evil = {**told, "address": "\x1b[2J", "names": ["\u202e"], "publicEncryptionKey": "\x07"}
    world.faults.append(answering(Response(200, json.dumps(evil).encode()), path="/account/bob.eth"))
    shown = run("account", "show").stdout
    assert not {"\x1b", "\u202e", "\x07"} & set(shown)


def test_exporting(run: Run, bob: Dm3Client, world: World) -> None:
    world.join("alice.eth").send("bob.eth", "hello")
    (exported,) = as_json(run("account", "export"))
    assert (exported["deliveryService"], exported["names"]) == (RELAY, ["bob.eth"])
    assert len(exported["messages"]) == 1
    assert as_json(run("account", "export", "--json")) == [exported]


def test_signing_out_everywhere(run: Run, bob: Dm3Client, world: World) -> None:
    bob.fetch()
    assert run("account", "sign-out-everywhere").stdout == "Signed out everywhere.\n"
    before = len(world.transport.requests)
    bob.fetch()
    assert any("/auth/" in request.url for request in world.transport.requests[before:])
    assert as_json(run("account", "sign-out-everywhere", "--json")) == {"done": True, "failed": []}


@pytest.mark.parametrize("answer", ["n\n", "\n", ""])
def test_deleting_asks_first(run: Run, bob: Dm3Client, answer: str) -> None:
    result = run("account", "delete", given=answer)
    assert result.exit_code == 1
    assert bob.fetch().messages == ()


@pytest.mark.parametrize(("words", "answer"), [((), "y\n"), (("--yes",), None)])
def test_deleting(run: Run, bob: Dm3Client, words: tuple[str, ...], answer: str | None) -> None:
    result = run("account", "delete", *words, given=answer)
    assert (result.exit_code, result.stdout) == (0, "The account is deleted.\n")
    with pytest.raises(NotFound):
        bob.fetch()


def test_deleting_says_where_the_account_still_is(run: Run, home: Path, world: World) -> None:
    use_keys(home, world, "bob.eth", RELAY, SECOND)
    world.faults.append(down(SECOND))
    told = as_json(run("account", "delete", "--yes", "--json"))
    assert told["done"] is False
    assert [failure["deliveryService"] for failure in told["failed"]] == [SECOND]


@pytest.mark.parametrize("words", [("show",), ("export",), ("sign-out-everywhere",), ("delete", "--yes")])
def test_without_an_account_anywhere(run: Run, bob: Dm3Client, words: tuple[str, ...]) -> None:
    bob.delete_account()
    result = run("account", *words)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: There is no account")
    told = run("account", *words, "--json")
    assert json.loads(told.stderr)["code"] == NotFound.code
