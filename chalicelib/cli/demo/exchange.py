"""The first half of the demo: what people use a relay for."""

from __future__ import annotations

from chalicelib.cli.demo import people
from chalicelib.cli.demo.stage import Stage
from chalicelib.cli.output import moment
from chalicelib.client import Sent, Verdict, drafts

HELLO = "Hello Bob! Nobody between us can read this."
ANSWER = "Hello Alice! Nor this."

# What each check of a received message means here.
_MEANINGS = {
    "message": "The message is signed by the key alice.eth publishes",
    "envelope": "So is its envelope, which names the same sender",
    "receiver": "It was written to Bob",
    "postmark": "The relay has stamped it, with the key it publishes",
}


def introduce(story: Stage) -> None:
    """The relay is found, and says what it offers."""
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


def publish(story: Stage) -> None:
    """Alice and Bob publish their profiles and open accounts."""
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


def send(story: Stage) -> None:
    """Alice writes to Bob."""
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


def receive(story: Stage) -> None:
    """Bob reads and checks what came in."""
    narrator = story.narrator
    with narrator.step("Bob reads"):
        messages = tuple(story.bob.client.inbox())
        narrator.prove("Bob's inbox holds one message", len(messages) == 1)
        message = messages[0]
        narrator.say(f"“{message.text}”  from {message.sender}, {moment(message.received_at_ms)}")
        narrator.prove("Bob decrypts what Alice wrote", message.text == HELLO)
        for check in message.checks:
            narrator.prove(_MEANINGS[check.name], check.verdict is Verdict.PASSED, check.reason)
        narrator.prove(
            "It is the very message that Alice sent", message.message_hash == story.hello.message_hash
        )


def answer(story: Stage) -> None:
    """Bob answers, and Alice reads."""
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
