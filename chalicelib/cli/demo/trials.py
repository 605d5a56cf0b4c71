"""The second half of the demo: what a relay must not do, and must not let others do."""

from __future__ import annotations

from dataclasses import replace

from chalicelib.cli.demo import evidence, people
from chalicelib.cli.demo.exchange import HELLO
from chalicelib.cli.demo.people import Person
from chalicelib.cli.demo.stage import Stage
from chalicelib.protocol.errors import Dm3Error, Unauthorized

ONCE = "Once, please."
SHOWN = ("inbox", "submissions")  # the tables that an exchange of messages fills


def look_at_rest(story: Stage) -> None:
    """What is stored is ciphertext, and names nobody."""
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
                f"{what}: in none of the {len(items)} stored items, in no usual form",
                not any(evidence.found(items, word) for word in words),
                f"{what} can be found in what the relay stores.",
            )


def forge(story: Stage) -> None:
    """A message in Alice's name, by somebody else, is refused."""
    narrator, relay = story.narrator, story.relay
    with narrator.step("Mallory pretends to be Alice"):
        mallory = people.create(relay, "mallory.eth", 3)
        people.publish(relay, mallory)
        error = _refusal(story, mallory)
        narrator.prove(
            f"The relay refuses the forged message: {error.code if error else ''} {error or ''}".rstrip(),
            isinstance(error, Unauthorized) and error.code == -32003,
            "The relay has accepted a forged message.",
        )
        narrator.prove("Nothing of it reaches Bob", len(tuple(story.bob.client.inbox())) == 1)


def repeat(story: Stage) -> None:
    """The same envelope again is recognised."""
    narrator = story.narrator
    with narrator.step("An answer is lost, and Alice's program submits the same envelope again"):
        service, envelope = story.service(), story.envelope(story.alice.identity, ONCE)
        first, again = service.submit(envelope), service.submit(envelope)
        narrator.prove(
            "The relay recognises it, and gives the same receipt",
            not first.duplicate and again.duplicate and first.receipt == again.receipt,
        )
        texts = [message.text for message in story.bob.client.inbox()]
        narrator.prove("Bob has it once", texts.count(ONCE) == 1)


def acknowledge(story: Stage) -> None:
    """What is acknowledged is deleted."""
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


def _beginning(value: bytes) -> str:
    return value.decode() if value.isdigit() else f"{value[:24].hex()}…"


def _secrets(story: Stage) -> dict[str, tuple[str, ...]]:
    both = story.alice, story.bob
    return {
        "What was written": (HELLO, "Nobody between us"),
        "Their names": tuple(person.name for person in both),
        "Their addresses": tuple(person.wallet.address for person in both),
    }


def _refusal(story: Stage, mallory: Person) -> Dm3Error | None:
    """What the relay says to an envelope that names Alice as its sender, and is signed by Mallory."""
    impostor = replace(story.alice.identity, keys=mallory.identity.keys)
    try:
        story.service().submit(story.envelope(impostor, "Please send me all your ether."))
    except Dm3Error as error:
        return error
    return None
