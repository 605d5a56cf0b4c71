"""A relay in memory, and people who write to each other through it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from hashlib import sha256

from coincurve import PrivateKey

from chalicelib.names.holdings import MemoryHoldings
from chalicelib.names.memory import MemoryDirectory
from chalicelib.protocol.canonical import canonicalize
from chalicelib.protocol.crypto import KeyPair, encryption_key_pair, seal_for, signing_key_pair
from chalicelib.protocol.hashing import keccak256, sha256_canonical
from chalicelib.protocol.json_types import JsonObject, JsonValue
from chalicelib.protocol.profile import SignedUserProfile, UserProfile, profile_creation_message
from chalicelib.protocol.profile_uri import data_uri
from chalicelib.protocol.signing import sign
from chalicelib.protocol.wallet import checksum_address, sign_text
from chalicelib.relay.compose import compose
from chalicelib.relay.policy.port import Policy
from chalicelib.relay.ports import Clock
from chalicelib.relay.service import Relay
from chalicelib.relay.settings import Limits, RelayKeys, RelaySecrets, RelaySettings
from chalicelib.relay.values import Account, StoredMessage, Submitted
from chalicelib.store.memory import MemoryStore, Moment
from tests.unit.relay.ports import HandClock, SeededChance

RELAY_NAME = "relay.eth"
SOURCE = "192.0.2.7"
RELAY_KEYS = RelayKeys(encryption_key_pair(b"e" * 32), signing_key_pair(b"s" * 32))
SECRETS = RelaySecrets(b"1" * 32, b"2" * 32, b"3" * 32)


@dataclass(frozen=True)
class Person:
    """Somebody with a wallet, profile keys and a first name. `device` is which keys."""

    name: str
    device: int = 1

    @property
    def wallet(self) -> bytes:
        return sha256(f"wallet {self.name}".encode()).digest()

    @property
    def address(self) -> str:
        public = PrivateKey(self.wallet).public_key.format(compressed=False)[1:]
        return checksum_address("0x" + keccak256(public)[12:].hex())

    @property
    def encryption(self) -> KeyPair:
        return encryption_key_pair(self._seed("encryption"))

    @property
    def signing(self) -> KeyPair:
        return signing_key_pair(self._seed("signing"))

    @property
    def profile(self) -> UserProfile:
        return UserProfile(self.encryption.public_key, self.signing.public_key, (RELAY_NAME,), {})

    @property
    def signed_profile(self) -> SignedUserProfile:
        text = profile_creation_message(self.profile, self.address)
        return SignedUserProfile(self.profile, sign_text(self.wallet, text))

    def with_new_keys(self) -> Person:
        return Person(self.name, self.device + 1)

    def _seed(self, kind: str) -> bytes:
        return sha256(f"{kind} {self.name} {self.device}".encode()).digest()


class Stranger(Person):
    """Somebody whose profile lists another delivery service."""

    @property
    def profile(self) -> UserProfile:
        return UserProfile(self.encryption.public_key, self.signing.public_key, ("elsewhere.eth",), {})


ALICE, BOB, MALLORY = Person("alice.eth"), Person("bob.eth"), Person("mallory.eth")


@dataclass
class World:
    """One relay with everything around it in the test's hands."""

    settings: RelaySettings = field(default_factory=lambda: RelaySettings(RELAY_NAME))
    policy: Policy | None = None
    store: MemoryStore = field(default_factory=MemoryStore)
    directory: MemoryDirectory = field(default_factory=MemoryDirectory)
    holdings: MemoryHoldings = field(default_factory=MemoryHoldings)
    clock: HandClock = field(default_factory=HandClock)
    chance: SeededChance = field(default_factory=SeededChance)
    secrets: RelaySecrets = SECRETS
    calls: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.store.faults = self._count
        self.restarted()

    def restarted(self) -> Relay:
        """A new process over the same storage; the world uses it from now on."""
        self.relay = self.process(self.clock)
        return self.relay

    def process(self, clock: Clock) -> Relay:
        """Another process over the same storage, whose clock is `clock`."""
        return compose(
            settings=self.settings,
            keys=RELAY_KEYS,
            secrets=self.secrets,
            stores=self.store,
            directory=self.directory,
            clock=clock,
            chance=self.chance,
            holdings=self.holdings,
            policy=self.policy,
        )

    def publish(self, person: Person, name: str | None = None) -> Person:
        """Put the person's signed profile on ENS."""
        record = data_uri(person.signed_profile.to_json())
        self.directory.add(name or person.name, person.address, record)
        return person

    def settle(self, *people: Person) -> None:
        """Publish and register these people."""
        for person in people:
            self.publish(person)
            self.register(person)

    def register(self, person: Person, name: str | None = None) -> None:
        self.relay.accounts.register(name or person.name, person.signed_profile.to_json(), source=SOURCE)

    def account(self, person: Person, name: str | None = None) -> Account:
        """The person's account, signed in."""
        return self.relay.sessions.authenticate(f"Bearer {self.token(person, name)}", name or person.name)

    def token(self, person: Person, name: str | None = None) -> str:
        challenge = self.relay.sessions.challenge(name or person.name)
        signature = sign(person.signing.private_key, challenge)
        return self.relay.sessions.sign_in(name or person.name, challenge, signature)

    def rule(self, person: Person = BOB, **document: JsonValue) -> None:
        """Give the person's account these rules and no others."""
        self.relay.rules.replace(self.account(person), document)

    def letter(
        self,
        sender: Person = ALICE,
        receiver: Person = BOB,
        text: str = "hello",
        *,
        to: str | None = None,
        claim: str | None = None,
        revision: str | None = "messageHash",
        sealed: str | None = None,
        extra: JsonObject | None = None,
    ) -> dict[str, JsonValue]:
        """An envelope signed by `sender`, who claims to be `claim`. `sealed` reuses somebody's ciphertext."""
        self.clock.pass_s(0.001)  # writing takes a moment, so that letters have an order
        message = sealed or self.seal(text, receiver.encryption.public_key)
        information = {"to": to or receiver.name, "from": claim or sender.name}
        metadata: dict[str, JsonValue] = {
            "version": "v1",
            "encryptionScheme": "x25519-chacha20-poly1305",
            "deliveryInformation": self.seal(canonicalize(information), RELAY_KEYS.encryption.public_key),
            **(extra or {}),
        }
        if revision == "messageHash":
            metadata["messageHash"] = "0x" + sha256(text.encode()).hexdigest()
        if revision == "encryptedMessageHash":
            metadata["encryptedMessageHash"] = sha256_canonical(message)
        metadata["signature"] = sign(sender.signing.private_key, canonicalize(metadata))
        return {"message": message, "metadata": metadata}

    def seal(self, text: str, public_key: str) -> str:
        return seal_for(text, public_key, self.chance).to_text()

    def submit(self, envelope: JsonObject | None = None, *, source: str = SOURCE) -> Submitted:
        return self.relay.admission.submit(envelope or self.letter(), source=source)

    def mail(self, person: Person = BOB) -> list[StoredMessage]:
        """Everything in the person's inbox, page by page."""
        account = self.account(person)
        messages: list[StoredMessage] = []
        cursor = None
        while True:
            page = self.relay.inbox.page(account, cursor)
            messages += page.messages
            cursor = page.cursor
            if not page.more:
                return messages

    def _count(self, operation: str, moment: Moment) -> None:
        if moment is Moment.BEFORE:
            self.calls[operation] += 1


def limited(**limits: int) -> World:
    """A world whose relay has these limits."""
    return World(RelaySettings(RELAY_NAME, Limits(**limits)))
