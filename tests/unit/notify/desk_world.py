"""A notification desk over the relay in memory, with carriers, browsers and clock in the test's hands."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    derive_private_key,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from chalicelib.notify.channels.vapid import Vapid
from chalicelib.notify.desk import NotificationDesk
from chalicelib.notify.events import Channel
from chalicelib.notify.ports import Mailer, Texter
from chalicelib.notify.preference_book import PreferenceBook
from chalicelib.notify.preferences import Preferences, WakeUpChannel
from chalicelib.protocol.errors import Forbidden
from chalicelib.relay.values import Account
from chalicelib.relay.vault import Vault
from chalicelib.store.memory import MemoryStore
from tests.unit.notify.carriers import MemoryMailer, MemoryTexter
from tests.unit.relay.ports import HandClock, SeededChance

VAPID = Vapid(b"p" * 32, "mailto:operator@relay.example")
ON, OFF = True, False
ADDRESS, NUMBER = "bob@mail.example", "+4915112345678"
BOB = Account(b"k" * 32, b"i" * 32, "0x" + "b0" * 20, "bob.eth", "")
CAROL = Account(b"c" * 32, b"j" * 32, "0x" + "ca" * 20, "carol.eth", "")


def encoded(data: bytes) -> str:
    """Base64url without padding."""
    return urlsafe_b64encode(data).decode().rstrip("=")


@dataclass(frozen=True)
class Browser:
    """A browser that has subscribed: it holds the private key of its subscription."""

    endpoint: str = "https://push.example/send/1"
    seed: int = 7

    @property
    def key(self) -> EllipticCurvePrivateKey:
        return derive_private_key(self.seed, SECP256R1())

    @property
    def point(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    @property
    def secret(self) -> bytes:
        return bytes([self.seed]) * 16

    @property
    def subscription(self) -> str:
        """What `JSON.stringify(subscription)` gives."""
        return json.dumps(
            {
                "endpoint": self.endpoint,
                "expirationTime": None,
                "keys": {"p256dh": encoded(self.point), "auth": encoded(self.secret)},
            }
        )


@dataclass
class DeskWorld:
    """One desk; `gone` are the accounts that were deleted meanwhile."""

    store: MemoryStore = field(default_factory=MemoryStore)
    mailer: MemoryMailer = field(default_factory=MemoryMailer)
    texter: MemoryTexter = field(default_factory=MemoryTexter)
    clock: HandClock = field(default_factory=HandClock)
    chance: SeededChance = field(default_factory=SeededChance)
    gone: set[bytes] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.vault = Vault(b"1" * 32, b"2" * 32, self.chance)
        self.book = PreferenceBook(self.store.preferences, self.vault)
        self.desk = self.process(self.mailer, None, VAPID)

    def process(self, mailer: Mailer | None, texter: Texter | None, vapid: Vapid | None) -> NotificationDesk:
        """A desk over the same storage that offers these."""
        return NotificationDesk(
            book=self.book,
            mailer=mailer,
            texter=texter,
            vapid=vapid,
            counters=self.store.counters,
            vault=self.vault,
            clock=self.clock,
            chance=self.chance,
            still_there=self._still_there,
        )

    def switch_on(self, account: Account = BOB) -> NotificationDesk:
        self.desk.set_enabled(account, True)
        return self.desk

    def add_verified(self, account: Account = BOB, address: str = ADDRESS) -> None:
        """The account's e-mail address, proven."""
        self.switch_on(account).add(account, "EMAIL", address)
        self.desk.verify_code(account, "EMAIL", self.code())

    def code(self) -> str:
        """The code in the last mail."""
        return code_in(self.mailer.sent[-1].plain)

    def preferences(self, account: Account = BOB) -> Preferences:
        return self.book.load(account.inbox)

    def standing(self, account: Account = BOB, channel: Channel = Channel.EMAIL) -> WakeUpChannel:
        """The only channel of that kind."""
        (standing,) = self.preferences(account).of(channel)
        return standing

    def _still_there(self, account: Account) -> None:
        if account.key in self.gone:
            raise Forbidden("The account does not exist any more.")


def code_in(text: str) -> str:
    """The one-time code in a text."""
    found = re.search(r"\b[0-9]{5}\b", text)
    assert found is not None
    return found[0]
