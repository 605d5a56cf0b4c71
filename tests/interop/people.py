"""People for the interop suite: a fresh name and wallet each, and one relay for all of them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from tests.interop.reference import Json, Reference


@dataclass(frozen=True, slots=True)
class RunningRelay:
    """A relay that answers on loopback: the members of the first line that `dm3 local` prints."""

    url: str
    rpc_url: str
    ens_registry: str
    ens_resolver: str
    universal_resolver: str
    relay_name: str

    @classmethod
    def parse(cls, line: Mapping[str, Json]) -> RunningRelay:
        """Take what the suite needs; a missing member is a KeyError."""
        return cls(**{name: line[name] for name in cls.__slots__})

    def members(self) -> dict[str, str]:
        """The same as JSON members."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody whose keys, profile and messages the published libraries make."""

    reference: Reference
    relay: RunningRelay
    name: str
    address: str
    wallet_key: str
    keys: dict[str, Json]
    signed_profile: dict[str, Json]

    def call(self, call: str, /, **arguments: Json) -> Json:
        """Call the libraries on behalf of this person at this relay."""
        return self.reference.call(call, name=self.name, url=self.relay.url, **arguments)

    @property
    def signing_key(self) -> str:
        """The public signing key in the profile."""
        return str(self.signed_profile["profile"]["publicSigningKey"])

    def submit_profile(self) -> str:
        """Post the signed profile to the relay and go on with what it answers, as the web client does."""
        token = self.call("submitProfile")
        self.call("useToken", token=token)
        return str(token)

    def send(self, to: Person, text: str, *, revision: str | None = None, **members: Json) -> dict[str, Json]:
        """Make, seal and submit a message. Returns {message, envelop, url, size, answer}."""
        message = {"from": self.name, "to": to.name, "text": text, **members}
        sent: dict[str, Json] = self.reference.call("send", message=message, revision=revision)
        return sent

    def incoming(self) -> list[dict[str, Json]]:
        """Every envelope that waits, as the web client fetches them."""
        waiting: list[dict[str, Json]] = self.call("incoming")
        return waiting

    def open(self, envelop: dict[str, Json], sender: Person) -> dict[str, Json]:
        """Decrypt an envelope and check what the libraries can check of it."""
        return self.open_from(envelop, sender.signing_key)

    def open_from(self, envelop: dict[str, Json], sender_signing_key: str) -> dict[str, Json]:
        """`open`, by a sender of whom only the public signing key is known."""
        service = self.reference.call("readServiceProfile", name=self.relay.relay_name)
        opened: dict[str, Json] = self.call(
            "open",
            envelop=envelop,
            senderSigningKey=sender_signing_key,
            serviceSigningKey=service["publicSigningKey"],
        )
        return opened


class People:
    """Makes people whose names are on the chain and who have published their profiles."""

    def __init__(self, reference: Reference, relay: RunningRelay) -> None:
        self._reference = reference
        self._relay = relay
        reference.call("connect", **relay.members())

    def create(self, label: str) -> Person:
        """A person called `<label>-<random>.eth`, registered and with a published profile."""
        label = f"{label}-{secrets.token_hex(4)}"
        wallet_key = "0x" + secrets.token_hex(32)
        made = self._reference.call(
            "createPerson",
            name=f"{label}.eth",
            privateKey=wallet_key,
            deliveryServices=[self._relay.relay_name],
        )
        name = self._reference.call("registerName", label=label, address=made["address"])
        self._reference.call("publishProfile", name=name)
        return Person(
            self._reference,
            self._relay,
            name,
            made["address"],
            wallet_key,
            made["keys"],
            made["signedProfile"],
        )

    def join(self, label: str) -> Person:
        """A person who has an account at the relay too."""
        person = self.create(label)
        person.submit_profile()
        return person
