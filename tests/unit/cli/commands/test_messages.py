"""`send`, `inbox`, `ack` and `outbox`: the commands with which people write to each other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chalicelib.client import Attachment, Dm3Client, Identity, Response, drafts
from chalicelib.client.key_file import StoredKeys, save_keys
from chalicelib.protocol.errors import NotFound
from tests.unit.cli.conftest import CHEAP, PASSPHRASE, Run, as_json, use_keys
from tests.unit.client.world import RELAY, SeededChance, World, answering, down, wallet_of


@pytest.fixture
def alice(world: World) -> Dm3Client:
    return world.join("alice.eth")


@pytest.fixture
def bob(bob_has_keys: Dm3Client) -> Dm3Client:
    return bob_has_keys


class TestSend:
    def test_a_text(self, run: Run, bob: Dm3Client, alice: Dm3Client) -> None:
        result = run("send", "alice.eth", "Hello Alice")
        assert result.exit_code == 0, result.output
        assert "Sent to relay.eth." in result.stdout
        (received,) = alice.inbox()
        assert received.text == "Hello Alice"
        assert received.message_hash in result.stdout

    def test_as_json(self, run: Run, bob: Dm3Client, alice: Dm3Client) -> None:
        sent = as_json(run("send", "alice.eth", "Hello", "--json"))
        assert sent["delivered"] is True
        assert sent["receipt"]["messageId"]
        assert sent["messageHash"] == next(alice.inbox()).message_hash

    @pytest.mark.parametrize("words", [(), ("-",)])
    def test_from_standard_input(
        self, run: Run, bob: Dm3Client, alice: Dm3Client, words: tuple[str, ...]
    ) -> None:
        run("send", "alice.eth", *words, given="piped\ntext")
        assert next(alice.inbox()).text == "piped\ntext"

    def test_an_attachment_and_a_revision(
        self, run: Run, home: Path, bob: Dm3Client, alice: Dm3Client
    ) -> None:
        (home / "note.txt").write_text("hi")
        run("send", "alice.eth", "look", "--attach", str(home / "note.txt"), "--revision", "messageHash")
        (received,) = alice.inbox()
        assert [item.name for item in received.attachments] == ["note.txt"]

    @pytest.mark.parametrize(
        ("kind", "words"),
        [
            ("reply", ("yes",)),
            ("edit", ("better",)),
            ("reaction", ("👍",)),
            ("delete-request", ()),
            ("read-receipt", ()),
            ("read-opened", ()),
            ("read-received", ()),
            ("resend-request", ()),
        ],
    )
    def test_every_type(
        self, run: Run, bob: Dm3Client, alice: Dm3Client, kind: str, words: tuple[str, ...]
    ) -> None:
        assert run("send", "alice.eth", *words, "--type", kind, "--reference", "0xab").exit_code == 0
        (received,) = alice.inbox()
        assert received.type == kind.upper().replace("-", "_")
        assert received.message.reference_message_hash == "0xab"
        assert run("send", "alice.eth", *words, "--type", kind).exit_code == 1

    def test_what_cannot_be_sent_yet_is_kept_and_sent_later(
        self, run: Run, home: Path, world: World, bob: Dm3Client
    ) -> None:
        result = run("send", "carol.eth", "welcome")
        assert result.exit_code == 3
        assert "Not sent yet: The receiver has no profile at ENS yet." in result.stderr
        (waiting,) = as_json(run("outbox", "--json"))
        assert (waiting["to"], waiting["attempts"]) == ("carol.eth", 1)
        assert "carol.eth" in run("outbox").stdout
        assert "Still waiting: carol.eth" in run("outbox", "--send").stdout
        carol = world.join("carol.eth")
        (outcome,) = as_json(run("outbox", "--send", "--json"))
        assert outcome == {"messageHash": waiting["messageHash"], "delivered": True, "reason": None}
        assert next(carol.inbox()).text == "welcome"
        for words in ((), ("--send",)):
            assert run("outbox", *words).stdout == "Nothing waits.\n"

    def test_kept_as_json(self, run: Run, bob: Dm3Client, alice: Dm3Client, world: World) -> None:
        limit = (
            b'{"jsonrpc":"2.0","id":null,"error":{"code":-32005,"message":"Full.","data":{"retryAfter":90}}}'
        )
        world.faults.append(answering(Response(429, limit), containing=b"submitMessage"))
        kept = as_json(run("send", "alice.eth", "hello", "--json"))
        assert (kept["delivered"], kept["code"], kept["retryAfter"]) == (False, -32005, 90)

    def test_what_is_refused_for_good_is_told_and_dropped(
        self, run: Run, bob: Dm3Client, world: World
    ) -> None:
        run("send", "carol.eth", "welcome")
        world.join("carol.eth")
        world.directory.remove("bob.eth")
        assert "Refused and dropped: carol.eth" in run("outbox", "--send").stdout
        result = run("send", "carol.eth", "again")
        assert result.exit_code == 1
        assert result.stderr == "Error: The envelope is not signed by the sender it names.\n"

    def test_called_wrongly(self, run: Run) -> None:
        assert run("send").exit_code == 2
        assert run("send", "x.eth", "hi", "--rpc-url", "ftp://x").exit_code == 2
        assert run("send", "x.eth", "hi", env={"DM3_RPC_URL": None}).exit_code == 2
        assert run("sned").exit_code == 2


class TestInbox:
    def test_messages_are_shown_with_their_check_mark(
        self, run: Run, bob: Dm3Client, alice: Dm3Client
    ) -> None:
        sent = alice.send("bob.eth", drafts.reply("0xab", "two\nlines"))
        shown = run("inbox").stdout
        assert shown.startswith("✔ alice.eth  ")
        assert "  two\n  lines\n" in shown
        assert "REPLY" in shown
        assert sent.message_hash in shown

    def test_as_json(self, run: Run, bob: Dm3Client, alice: Dm3Client) -> None:
        alice.send("bob.eth", "one")
        alice.send("bob.eth", "two")
        shown = as_json(run("inbox", "--json"))
        assert [message["text"] for message in shown["messages"]] == ["one", "two"]
        message = shown["messages"][0]
        assert message["verified"] is True
        assert {check["verdict"] for check in message["checks"]} == {"passed"}
        assert shown["unreadable"] == shown["unreachable"] == []

    def test_a_service_that_gives_nothing_is_named_with_its_reason(
        self, run: Run, home: Path, world: World
    ) -> None:
        use_keys(home, world, "bob.eth", "never.eth", RELAY)
        world.join("alice.eth").send("bob.eth", "hello")
        result = run("inbox")
        assert result.exit_code == 0
        assert "hello" in result.stdout
        sentence = "A delivery service has no profile at ENS."
        assert result.stderr == f"Nothing could be read from never.eth: {sentence}\n"
        shown = as_json(run("inbox", "--json"))
        assert (shown["unreachable"], shown["reasons"]) == (["never.eth"], {"never.eth": sentence})

    def test_without_an_account_it_says_how_to_open_one(self, run: Run, bob: Dm3Client) -> None:
        bob.delete_account()
        result = run("inbox")
        sentence = "There is no account at the delivery service; open one: dm3 profile publish."
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.splitlines()[-1] == f"Error: {sentence}"
        assert json.loads(run("inbox", "--json").stderr.splitlines()[-1]) == {
            "error": sentence,
            "code": NotFound.code,
        }

    def test_an_empty_inbox(self, run: Run, bob: Dm3Client) -> None:
        assert run("inbox").stdout == "No messages.\n"

    def test_a_message_that_is_not_verified_says_why(
        self, run: Run, bob: Dm3Client, alice: Dm3Client, world: World
    ) -> None:
        alice.send("bob.eth", "hello")
        world.directory.remove("alice.eth")
        shown = run("inbox").stdout
        assert shown.startswith("✘ not verified alice.eth")
        assert "The message is not signed by the sender it names." in shown

    def test_what_others_write_does_not_reach_the_terminal_as_it_is(
        self, run: Run, bob: Dm3Client, alice: Dm3Client
    ) -> None:
        alice.send("bob.eth", "\x1b[2J\x1b]0;owned\x07 [bold]hi[/bold]\u202e")
        shown = run("inbox").stdout
        assert "\x1b" not in shown
        assert "\x07" not in shown
        assert "\u202e" not in shown
        assert "[bold]hi[/bold]" in shown

    def test_acknowledging_what_was_shown(self, run: Run, bob: Dm3Client, alice: Dm3Client) -> None:
        alice.send("bob.eth", "hello")
        run("inbox", "--ack")
        assert list(bob.inbox()) == []

    def test_junk_is_counted(self, run: Run, bob: Dm3Client, world: World) -> None:
        page = {"messages": [{"id": "junk", "envelope": {}}], "cursor": "c", "more": False, "unreadable": 0}
        world.faults.append(answering(Response(200, json.dumps(page).encode()), path="/inbox/bob.eth"))
        assert "1 more cannot be opened with these keys." in run("inbox").stderr
        (junk,) = as_json(run("inbox", "--json"))["unreadable"]
        assert junk["id"] == f"{RELAY}/junk"

    def test_mail_for_a_replaced_key_is_told(
        self, run: Run, home: Path, bob: Dm3Client, alice: Dm3Client, world: World
    ) -> None:
        alice.send("bob.eth", "for the old key")
        (home / "keys.json").rename(home / "old.json")
        wallet = wallet_of("bob.eth")
        new = Identity.create("bob.eth", wallet.address, wallet.sign, [RELAY], nonce="another")
        world.publish(new)
        world.client(new).register()
        keys = StoredKeys(new, None)
        save_keys(home / "keys.json", keys, PASSPHRASE, SeededChance(), cost=CHEAP)
        assert "that you have replaced; open it with the key file of then." in run("inbox").stderr
        older = ("--older-keys", str(home / "old.json"))
        alice.send("bob.eth", "while old keys are remembered")
        result = run("inbox", *older, "--ack")
        assert "✔ alice.eth" in result.stdout
        assert "for the old key" in result.stdout
        assert "cannot be opened" not in result.stderr
        assert as_json(run("inbox", *older, "--json"))["messages"] == []

    def test_a_relay_that_is_down(self, run: Run, bob: Dm3Client, world: World) -> None:
        world.faults.append(down(RELAY))
        result = run("inbox")
        assert result.exit_code == 1
        assert result.stderr == "Error: The delivery service cannot be reached; try again.\n"

    def test_following_until_ctrl_c(
        self,
        run: Run,
        bob: Dm3Client,
        alice: Dm3Client,
        world: World,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        waits = iter(["write", "stop"])

        def sleep(_seconds: float) -> None:
            if next(waits) == "stop":
                raise KeyboardInterrupt
            alice.send("bob.eth", "later")

        monkeypatch.setattr(world.clock, "sleep", sleep)
        alice.send("bob.eth", "first")
        result = run("inbox", "--follow", "--json", "--ack")
        assert result.exit_code == 0
        assert [json.loads(line)["text"] for line in result.stdout.splitlines()] == ["first", "later"]
        assert list(bob.inbox()) == []

    def test_following_for_people(
        self, run: Run, bob: Dm3Client, alice: Dm3Client, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def sleep(_seconds: float) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(world.clock, "sleep", sleep)
        alice.send("bob.eth", "first")
        assert "✔ alice.eth" in run("inbox", "--follow").stdout


class TestAck:
    def test_by_id(self, run: Run, bob: Dm3Client, alice: Dm3Client) -> None:
        alice.send("bob.eth", "one")
        alice.send("bob.eth", "two")
        first, second = as_json(run("inbox", "--json"))["messages"]
        assert run("ack", first["id"]).stdout == "Acknowledged: 1\n"
        assert [message.id for message in bob.inbox()] == [second["id"]]

    def test_all(self, run: Run, bob: Dm3Client, alice: Dm3Client) -> None:
        alice.send("bob.eth", "one")
        alice.send("bob.eth", "two")
        assert as_json(run("ack", "--all", "--json")) == {"acknowledged": 2}
        assert list(bob.inbox()) == []

    @pytest.mark.parametrize("words", [(), ("--all", "x"), ("x",), ("relay.eth/x",)])
    def test_called_wrongly(self, run: Run, bob: Dm3Client, words: tuple[str, ...]) -> None:
        result = run("ack", *words)
        assert result.exit_code == 1
        assert result.stderr.startswith("Error: ")


def test_commands_that_need_keys_say_how_to_make_them(run: Run) -> None:
    for words in (("send", "a.eth", "x"), ("inbox",), ("ack", "--all"), ("outbox",)):
        result = run(*words)
        assert result.exit_code == 1
        assert "dm3 keys create" in result.stderr


def test_an_attachment_without_a_name_is_shown(run: Run, bob: Dm3Client, alice: Dm3Client) -> None:
    alice.send("bob.eth", drafts.new("x", [Attachment(data="https://example.org/x")]))
    assert "[attached: a file]" in run("inbox").stdout
