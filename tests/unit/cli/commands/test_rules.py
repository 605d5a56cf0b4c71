"""`dm3 rules`, and what `dm3 send` says of somebody else's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chalicelib.client import Dm3Client, OwnRules
from chalicelib.protocol.errors import Spam
from chalicelib.protocol.rules import Asked, PublicRules, Question, Requirement, TokenStandard
from tests.unit.cli.conftest import Run, as_json, use_keys
from tests.unit.client.rules import told
from tests.unit.client.world import RELAY, SECOND, World, down

TOKEN = "0x6B175474E89094C44Da98b954EedeAC495271d0F"
NONCE = Question(Asked.NONCE)
EVERY_OPTION = [
    *("--min-nonce", "5", "--min-balance", "0.01", "--token", f"ERC20:{TOKEN}:7"),
    *("--token", f"erc1155:{TOKEN}:3:1", "--stake", f"{TOKEN}:1000", "--first-contact", "3"),
    *("--sender-messages", "10", "--sender-kib", "100", "--total-kib", "5000"),
    *("--fail-open", "--only-allowed", "--types", "NEW,REPLY", "--schemes", "x25519-chacha20-poly1305"),
]
EVERYTHING = {
    "rules": {
        "minNonce": 5,
        "minBalance": "10000000000000000",
        "minTokenBalance": [
            {"address": TOKEN, "amount": "7", "standard": "erc20"},
            {"address": TOKEN, "amount": "1", "standard": "erc1155", "id": "3"},
        ],
        "stake": {"address": TOKEN, "amount": "1000"},
        "firstContact": {"messages": 3},
        "senderQuota": {"messagesPerDay": 10, "kibPerDay": 100},
        "totalQuota": {"kibPerDay": 5000},
        "onChainFailure": "fail_open",
    },
    "allow": [],
    "block": [],
    "onlyAllowed": True,
    "supportedMessageTypes": ["NEW", "REPLY"],
    "encryptionScheme": ["x25519-chacha20-poly1305"],
}
NOTHING = dict(OwnRules().to_json())


@pytest.fixture
def bob(bob_has_keys: Dm3Client) -> Dm3Client:
    return bob_has_keys


def kept_by(client: Dm3Client) -> object:
    """The document that the relay keeps."""
    return client.rules().preferred.to_json()


class TestOwn:
    def test_every_option(self, run: Run, bob: Dm3Client) -> None:
        assert as_json(run("rules", "set", *EVERY_OPTION, "--json")) == {
            "rules": {RELAY: EVERYTHING},
            "unreached": [],
        }
        shown = run("rules", "show").stdout
        for words in (
            "At relay.eth:",
            "Transactions sent   at least 5",
            "Balance             at least 0.01 ETH",
            f"at least 7 of erc20 {TOKEN}",
            f"at least 1 of erc1155 {TOKEN}, id 3",
            f"at least 1000 at {TOKEN}",
            "First contact       3 messages",
            "10 messages and 100 KiB a day",
            "5000 KiB a day",
            "If the chain fails  accept",
            "only who is allowed",
            "NEW, REPLY",
        ):
            assert words in shown

    def test_what_is_not_named_stays(self, run: Run, bob: Dm3Client) -> None:
        run("rules", "set", *EVERY_OPTION)
        run("rules", "allow", "alice.eth")
        run("rules", "set", "--sender-messages", "20", "--everybody", "--fail-closed")
        rules = EVERYTHING["rules"]
        assert isinstance(rules, dict)
        quota = {"messagesPerDay": 20, "kibPerDay": 100}
        assert kept_by(bob) == {
            **EVERYTHING,
            "rules": {**rules, "senderQuota": quota, "onChainFailure": "fail_closed"},
            "allow": ["alice.eth"],
            "onlyAllowed": False,
        }

    def test_rules_are_taken_away_one_by_one(self, run: Run, bob: Dm3Client) -> None:
        run("rules", "set", *EVERY_OPTION)
        gone = ("min-nonce", "min-balance", "token", "stake", "first-contact", "sender-quota", "total-quota")
        for word in (*gone, "types", "schemes"):
            assert run("rules", "set", "--without", word).exit_code == 0
        assert kept_by(bob) == {
            **NOTHING,
            "rules": {"onChainFailure": "fail_open"},
            "onlyAllowed": True,
        }

    def test_lists(self, run: Run, bob: Dm3Client) -> None:
        run("rules", "allow", "alice.eth", "carol.eth")
        run("rules", "block", "carol.eth", "*.spam.eth")
        assert "Allowed             alice.eth\n" in run("rules", "show").stdout
        document = as_json(run("rules", "remove", "alice.eth", "--json"))["rules"][RELAY]
        assert (document["allow"], document["block"]) == ([], ["*.spam.eth", "carol.eth"])

    def test_clearing(self, run: Run, bob: Dm3Client) -> None:
        run("rules", "block", "carol.eth")
        assert run("rules", "clear").stdout == "Everybody is accepted.\n"
        assert run("rules", "show").stdout == "At relay.eth:\n  Everybody is accepted.\n"
        assert as_json(run("rules", "clear", "--json")) == {"cleared": True, "unreached": []}

    def test_a_whole_document(self, run: Run, home: Path, bob: Dm3Client) -> None:
        run("rules", "block", "carol.eth")
        (home / "rules.json").write_text(json.dumps(EVERYTHING))
        assert run("rules", "set", "--file", str(home / "rules.json")).exit_code == 0
        assert kept_by(bob) == EVERYTHING

    @pytest.mark.parametrize("text", ["", "{", "[]", '{"rule": {}}', '{"rules": {"minNonce": "5"}}'])
    def test_a_document_that_is_none(self, run: Run, home: Path, bob: Dm3Client, text: str) -> None:
        (home / "rules.json").write_text(text)
        result = run("rules", "set", "--file", str(home / "rules.json"))
        assert (result.exit_code, kept_by(bob)) == (1, NOTHING)
        assert result.stderr.startswith("Error: ")

    @pytest.mark.parametrize(
        ("words", "status"),
        [
            ((), 2),
            (("--min-nonce", "-1"), 2),
            (("--without", "everything"), 2),
            (("--min-nonce", "1", "--file", "x.json"), 2),
            (("--file", "missing.json"), 1),
            (("--min-balance", "1e18"), 1),
            (("--token", TOKEN), 1),
            (("--token", f"erc20:{TOKEN}:1:1:1"), 1),
            (("--token", f"erc20:{TOKEN}:5:1"), 1),
            (("--token", "erc20:alice.eth:1"), 1),
            (("--stake", TOKEN), 1),
        ],
    )
    def test_called_wrongly(
        self, run: Run, world: World, bob: Dm3Client, words: tuple[str, ...], status: int
    ) -> None:
        before = len(world.transport.requests)
        assert run("rules", "set", *words).exit_code == status
        assert len(world.transport.requests) == before, "nobody was asked"

    def test_services_that_differ_or_are_down_are_told(self, run: Run, home: Path, world: World) -> None:
        use_keys(home, world, "bob.eth", RELAY, SECOND)
        world.faults.insert(0, down(SECOND))
        result = run("rules", "set", "--min-nonce", "5")
        assert "At relay.eth:" in result.stdout
        assert f"Not done at {SECOND}: " in result.stderr
        assert as_json(run("rules", "show", "--json"))["unreached"][0]["deliveryService"] == SECOND
        assert f"Not done at {SECOND}: " in run("rules", "clear").stderr
        run("rules", "set", "--min-nonce", "5")
        del world.faults[0]
        result = run("rules", "show")
        assert "keep different rules" in result.stderr
        assert f"At {RELAY}:\n" in result.stdout
        assert f"At {SECOND}:\n  Everybody is accepted.\n" in result.stdout


class TestOthers:
    @pytest.fixture
    def alice(self, world: World, bob: Dm3Client) -> Dm3Client:
        """Alice asks for five transactions and a token; the keys are Bob's."""
        alice = world.join("alice.eth")
        token = Question(Asked.TOKEN, TOKEN, TokenStandard.ERC20)
        rules = PublicRules(
            requirements=(Requirement(NONCE, 5), Requirement(token, 1)), first_contact_messages=3
        )
        world.faults.append(told(rules))
        world.holdings.numbers[bob.identity.address, token] = 1
        return alice

    def test_checking_what_is_asked(self, run: Run, world: World, bob: Dm3Client, alice: Dm3Client) -> None:
        result = run("rules", "check", "alice.eth")
        assert result.exit_code == 4
        nonce, token, first = result.stdout.splitlines()[:3]
        assert nonce.startswith("✘ The receiver asks for at least 5 transactions")
        assert token.startswith("✔ ")
        assert token.endswith(f"Contract: {TOKEN}")
        assert first.startswith("? ")
        world.holdings.numbers[bob.identity.address, NONCE] = 5
        assert run("rules", "check", "alice.eth").exit_code == 0

    def test_checking_as_json(self, run: Run, world: World, alice: Dm3Client) -> None:
        world.holdings.fail = True
        checked = as_json(run("rules", "check", "alice.eth", "--json"))
        assert checked["verdict"] == "unchecked"
        assert checked["conditions"][0] == {
            "verdict": "unchecked",
            "sentence": "The receiver asks for at least 5 transactions sent by your address.",
            "rule": "minNonce",
            "required": "5",
        }

    def test_somebody_without_rules(self, run: Run, world: World, bob: Dm3Client) -> None:
        world.join("carol.eth")
        assert run("rules", "check", "carol.eth").stdout.startswith("Everybody is accepted.\n")
        assert run("rules", "check", "nobody.eth").exit_code == 1

    def test_sending_in_vain_is_told_before(self, run: Run, alice: Dm3Client) -> None:
        result = run("send", "alice.eth", "hello")
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.startswith(
            "Not sent: The receiver asks for at least 5 transactions sent by your"
        )
        assert "--anyway" in result.stderr
        refused = json.loads(run("send", "alice.eth", "hello", "--json").stderr)
        assert (refused["code"], refused["rule"], refused["required"]) == (Spam.code, "minNonce", "5")
        assert list(alice.inbox()) == []

    def test_sending_anyway(self, run: Run, alice: Dm3Client) -> None:
        assert run("send", "alice.eth", "hello", "--anyway").exit_code == 0
        assert next(alice.inbox()).text == "hello"
