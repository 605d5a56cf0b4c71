"""The demo, step by step. Each step ends with claims that are tried, not told."""

from __future__ import annotations

import logging
import socket
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from chalicelib.cli.demo import evidence, people
from chalicelib.cli.demo.narrator import Narrator
from chalicelib.cli.demo.people import Person
from chalicelib.cli.output import moment
from chalicelib.client import Identity, Received, Sent, drafts
from chalicelib.client.client import SystemEntropy, now_ms
from chalicelib.client.composer import Composer
from chalicelib.client.delivery_service import DeliveryService
from chalicelib.client.http import HttpTransport
from chalicelib.client.patience import Patience
from chalicelib.client.services import Services
from chalicelib.names.ens_directory import EnsDirectory
from chalicelib.names.http_transport import HttpTransport as ChainOverHttp
from chalicelib.protocol.envelope import Revision
from chalicelib.protocol.errors import Dm3Error, Unauthorized
from chalicelib.protocol.json_types import JsonObject
from infra.local.serve import LocalRelay, start_local

HELLO = "Hello Bob! Nobody between us can read this."
ANSWER = "Hello Alice! Nor this."
ONCE = "Once, please."
SHOWN = ("inbox", "submissions")  # the tables that an exchange of messages fills


@dataclass
class Story:
    """What has happened so far."""

    narrator: Narrator
    relay: LocalRelay
    alice: Person = field(init=False)
    bob: Person = field(init=False)
    mallory: Person = field(init=False)
    hello: Sent = field(init=False)
    received: tuple[Received, ...] = ()

    def service(self) -> DeliveryService:
        """The relay, called without the conveniences of the client."""
        directory = EnsDirectory(ChainOverHttp(self.relay.rpc_url), clock_ms=now_ms)
        services = Services(directory, HttpTransport(allow_http=True), Patience(attempts=1), now_ms)
        return services.find(self.relay.relay_name)


def tell(narrator: Narrator) -> None:
    """The whole story. Raises StepFailed when something does not hold; nothing is left running."""
    narrator.open(
        "dm3",
        "A relay on this machine: an Ethereum node with ENS, DynamoDB and S3 (simulated by moto), and the "
        "very application that runs on AWS Lambda. Alice and Bob exchange end-to-end encrypted messages.",
    )
    # The relay's log of requests would run into the story; its log of defects stays.
    logging.getLogger("dm3.access").disabled = True
    with narrator.step("The relay starts"):
        relay = start_local()
    try:
        story = Story(narrator, relay)
        for step in STEPS:
            step(story)
    finally:
        relay.stop()
    _stopped(narrator, relay)


def _introduce(story: Story) -> None:
    narrator, relay = story.narrator, story.relay
    with narrator.step("The relay is found by its name on ENS"):
        narrator.say(f"relay {relay.url}   node {relay.rpc_url}")
        service = story.service()
        narrator.prove(
            f"{relay.relay_name} publishes where the relay is, and its keys", service.profile.url == relay.url
        )
        properties = service.properties()
        narrator.prove(
            f"The relay answers: messages up to {properties.size_limit_bytes:,} bytes, "
            f"kept for {properties.message_ttl_days} days",
            properties.message_ttl_days >= 30,
        )


def _publish(story: Story) -> None:
    narrator, relay = story.narrator, story.relay
    with narrator.step("Alice and Bob publish their profiles"):
        story.alice, story.bob = (
            people.create(relay, name, account)
            for account, name in enumerate(("alice.eth", "bob.eth"), start=1)
        )
        for person in (story.alice, story.bob):
            transaction = people.publish(relay, person)
            narrator.say(f"{person.name}  {person.wallet.address}  transaction {transaction[:18]}…")
            person.client.register()
        contact = story.alice.client.resolve(story.bob.name)
        narrator.prove(
            "Alice reads Bob's keys from ENS, and Bob's wallet has signed them",
            contact.proven and contact.profile == story.bob.identity.signed_profile.profile,
        )


def _send(story: Story) -> None:
    narrator = story.narrator
    with narrator.step("Alice writes to Bob"):
        narrator.say(f"“{HELLO}”")
        sent = story.alice.client.send(story.bob.name, HELLO)
        narrator.prove("The relay has accepted the message", isinstance(sent, Sent))
        assert isinstance(sent, Sent)  # noqa: S101 - proven above
        story.hello = sent
        narrator.prove("Its receipt is signed by the key that the relay publishes on ENS", sent.receipt)
        if sent.receipt is not None:
            narrator.say(
                f"receipt {sent.receipt.message_id}, kept until {moment(sent.receipt.expires_at_ms)}"
            )


def _look_at_rest(story: Story) -> None:
    narrator = story.narrator
    with narrator.step("What the relay has stored"):
        items = evidence.everything(story.relay.aws)
        rows = [
            (item.table, name, str(len(value)), _beginning(value))
            for item in items
            for name, value in item.attributes.items()
            if item.table in SHOWN
        ]
        narrator.table(("table", "attribute", "bytes", "begins with"), rows)
        tables = {item.table for item in items}
        narrator.prove("The message is in the inbox, as ciphertext", "inbox" in tables)
        receipt = story.hello.receipt
        narrator.prove(
            "A search through everything works: it finds the id of the message",
            receipt is not None and evidence.found(items, receipt.message_id),
        )
        for what, words in _secrets(story).items():
            narrator.prove(
                f"{what} in none of the {len(items)} stored items, in no usual form",
                not any(evidence.found(items, word) for word in words),
                f"{what} can be found in what the relay stores.",
            )


def _beginning(value: bytes) -> str:
    return value.decode() if value.isdigit() else f"{value[:24].hex()}…"


def _secrets(story: Story) -> dict[str, tuple[str, ...]]:
    both = story.alice, story.bob
    return {
        "What was written is": (HELLO, "Nobody between us"),
        "Their names are": tuple(person.name for person in both),
        "Their addresses are": tuple(person.wallet.address for person in both),
    }


def _receive(story: Story) -> None:
    narrator = story.narrator
    with narrator.step("Bob reads"):
        story.received = tuple(story.bob.client.inbox())
        narrator.prove("Bob's inbox holds one message", len(story.received) == 1)
        message = story.received[0]
        narrator.say(f"“{message.text}”  from {message.sender}, {moment(message.received_at_ms)}")
        narrator.prove("Bob decrypts what Alice wrote", message.text == HELLO)
        meanings = {
            "message": "The message is signed by the key alice.eth publishes",
            "envelope": "So is its envelope, which names the same sender",
            "receiver": "It was written to Bob",
            "postmark": "The relay has stamped it, with the key it publishes",
        }
        for check in message.checks:
            narrator.prove(meanings[check.name], check.verdict == "passed", check.reason)
        narrator.prove(
            "It is the very message that Alice sent", message.message_hash == story.hello.message_hash
        )


def _answer(story: Story) -> None:
    narrator = story.narrator
    with narrator.step("Bob answers"):
        narrator.say(f"“{ANSWER}”")
        sent = story.bob.client.send(story.alice.name, drafts.reply(story.hello.message_hash, ANSWER))
        narrator.prove("The relay has accepted the answer", sent.delivered)
        messages = tuple(story.alice.client.inbox())
        narrator.prove(
            "Alice decrypts and verifies it",
            [(message.text, message.verified) for message in messages] == [(ANSWER, True)],
        )
        narrator.prove(
            "It refers to what she wrote",
            messages[0].message.reference_message_hash == story.hello.message_hash,
        )


def _forge(story: Story) -> None:
    narrator, relay = story.narrator, story.relay
    with narrator.step("Mallory pretends to be Alice"):
        story.mallory = people.create(relay, "mallory.eth", 3)
        people.publish(relay, story.mallory)
        error = _refusal(story)
        narrator.prove(
            f"The relay refuses the forged message: {error.code if error else ''} {error or ''}".rstrip(),
            isinstance(error, Unauthorized) and error.code == -32003,
            "The relay has accepted a forged message.",
        )
        narrator.prove("Nothing of it reaches Bob", len(tuple(story.bob.client.inbox())) == 1)


def _refusal(story: Story) -> Dm3Error | None:
    """What the relay says to an envelope that names Alice as its sender, and is signed by Mallory."""
    impostor = replace(story.alice.identity, keys=story.mallory.identity.keys)
    service, envelope = _sealed(story, impostor, "Please send me all your ether.")
    try:
        service.submit(envelope)
    except Dm3Error as error:
        return error
    return None


def _repeat(story: Story) -> None:
    narrator = story.narrator
    with narrator.step("An answer is lost, and Alice's program submits the same envelope again"):
        service, envelope = _sealed(story, story.alice.identity, ONCE)
        first, again = service.submit(envelope), service.submit(envelope)
        narrator.prove(
            "The relay recognises it, and gives the same receipt",
            not first.duplicate and again.duplicate and first.receipt == again.receipt,
        )
        texts = [message.text for message in story.bob.client.inbox()]
        narrator.prove("Bob has it once", texts.count(ONCE) == 1)


def _sealed(story: Story, author: Identity, text: str) -> tuple[DeliveryService, JsonObject]:
    """The relay, and an envelope to Bob that `author` has sealed for it."""
    composer = Composer(
        author, revisions=(Revision.ENCRYPTED_MESSAGE_HASH,), clock_ms=now_ms, entropy=SystemEntropy()
    )
    service = story.service()
    entry = composer.compose(story.bob.name, drafts.new(text))
    sealed = composer.seal(entry, story.bob.identity.signed_profile.profile, service.profile)
    return service, sealed.envelope


def _acknowledge(story: Story) -> None:
    narrator = story.narrator
    with narrator.step("Both acknowledge what they have read"):
        for person in (story.alice, story.bob):
            count = person.client.acknowledge(list(person.client.inbox()))
            left = len(tuple(person.client.inbox()))
            narrator.prove(
                f"{person.name} acknowledges {count}, and the inbox is empty", count > 0 and left == 0
            )
        items = evidence.everything(story.relay.aws)
        narrator.prove(
            "The relay has deleted the ciphertext, too", all(item.table != "inbox" for item in items)
        )


def _stopped(narrator: Narrator, relay: LocalRelay) -> None:
    with narrator.step("The relay stops"):
        for what, url in (("The relay", relay.url), ("The Ethereum node", relay.rpc_url)):
            narrator.prove(f"{what} is gone", not _listens(url))


def _listens(url: str) -> bool:
    parts = urlsplit(url)
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((parts.hostname or "", parts.port or 0)) == 0


STEPS = (
    _introduce,
    _publish,
    _send,
    _look_at_rest,
    _receive,
    _answer,
    _forge,
    _repeat,
    _acknowledge,
)
