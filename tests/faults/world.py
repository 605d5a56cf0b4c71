"""One relay over real AWS requests and a real chain, with a sender and a receiver, that can be restarted.

All worlds share their tables and their chain, but each has an index key of its own: what it stores stands
under keys that no other world computes, so that hundreds of them fit one emulator.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chalicelib.foundation import SystemChance, SystemClock
from chalicelib.names.chain_holdings import ChainHoldings
from chalicelib.names.ports import ChainTransport
from chalicelib.names.remembered_holdings import RememberedHoldings
from chalicelib.protocol.envelope import Envelope
from chalicelib.relay.compose import compose
from chalicelib.relay.ports import Clock
from chalicelib.relay.remembered_names import ens_directory
from chalicelib.relay.service import Relay
from chalicelib.relay.settings import Limits, RelayKeys, RelaySecrets, RelaySettings
from chalicelib.relay.values import Account, StoredMessage, Submitted
from chalicelib.relay.vault import Vault
from chalicelib.store.dynamodb import DynamoStore
from chalicelib.store.tables import TableNames
from tests.faults.people import Person

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

SOURCE = "192.0.2.1"
# Quotas below 2,000 are counted one by one, so that no call of an operation depends on chance.
LIMITS = Limits(
    sender_messages_per_hour=900,
    receiver_kib_per_day=1_900,
    source_submits_per_minute=900,
    source_registrations_per_hour=900,
    source_kib_per_day=1_900,
    source_sockets_per_minute=900,  # twice as many frames
    account_sockets_per_hour=1_900,
    socket_frames_per_minute=1_900,
)


@dataclass(frozen=True, slots=True)
class Ground:
    """What all worlds stand on: AWS, a chain, and people whose names are on it.

    `aws_url` is where DynamoDB answers, None if moto is in this process.
    """

    aws_url: str | None
    rpc_url: str
    dynamodb: DynamoDBClient
    s3: S3Client
    tables: TableNames
    bucket: str
    transport: ChainTransport
    relay_name: str
    keys: RelayKeys
    alice: Person
    bob: Person

    def store(self) -> DynamoStore:
        """The relay's storage on these tables."""
        return DynamoStore(
            self.dynamodb,
            inbox_table=self.tables.inbox,
            submissions_table=self.tables.submissions,
            accounts_table=self.tables.accounts,
            counters_table=self.tables.counters,
            names_table=self.tables.names,
            connections_table=self.tables.connections,
            deliveries_table=self.tables.deliveries,
            s3_client=self.s3,
            bucket=self.bucket,
        )


class TickingClock:
    """A clock that goes on by a millisecond each time it is read.

    It begins in the middle of a minute, so that no quota's window ends while an operation is rehearsed or
    repeated: the calls of an operation depend on nothing but what is stored.
    """

    def __init__(self) -> None:
        minute_ms = 60_000
        self._now_ms = SystemClock().now_ms() // minute_ms * minute_ms + minute_ms // 2

    def now_ms(self) -> int:
        """See `relay.ports.Clock`."""
        self._now_ms += 1
        return self._now_ms


def random_secrets() -> RelaySecrets:
    """New secrets of a relay."""
    index_key, storage_key, session_key = (secrets.token_bytes(32) for _ in range(3))
    return RelaySecrets(index_key, storage_key, session_key)


@dataclass(slots=True)
class World:
    """One relay, its process as it is now, and what people were told by it.

    `accepted` holds the texts of messages that a receipt was given for, `attempted` those that somebody
    tried to submit, `acknowledged` those whose acknowledgement succeeded, `leaving` those somebody tried to
    acknowledge. `seen` is what Bob fetched and is going to acknowledge.
    """

    ground: Ground
    limits: Limits = LIMITS
    clock: Clock = field(default_factory=TickingClock)
    secrets: RelaySecrets = field(default_factory=random_secrets)
    accepted: set[str] = field(default_factory=set)
    attempted: set[str] = field(default_factory=set)
    acknowledged: set[str] = field(default_factory=set)
    leaving: set[str] = field(default_factory=set)
    seen: list[tuple[StoredMessage, str]] = field(default_factory=list)
    envelopes: dict[str, Envelope] = field(default_factory=dict)
    token: str = ""
    relay: Relay = field(init=False)

    def __post_init__(self) -> None:
        self.restart()
        bob = self.ground.bob
        self.relay.accounts.register(bob.name, bob.signed_profile, source=SOURCE)
        self.sign_in()

    def restart(self) -> None:
        """A new process over what is stored: nothing is remembered, of names, accounts or quotas."""
        self.relay = self.fresh_relay()

    def fresh_relay(self) -> Relay:
        """Another process of the same relay."""
        ground = self.ground
        return compose(
            settings=RelaySettings(ground.relay_name, limits=self.limits),
            keys=ground.keys,
            secrets=self.secrets,
            stores=self.ground.store(),
            directory=ens_directory(ground.transport, ground.store().names, self.vault(), self.clock),
            clock=self.clock,
            chance=SystemChance(),
            holdings=RememberedHoldings(ChainHoldings(ground.transport), self.clock.now_ms),
        )

    def vault(self) -> Vault:
        """What the relay seals with."""
        return Vault(self.secrets.index_key, self.secrets.storage_key, SystemChance())

    def sign_in(self) -> None:
        """Bob gets a session token."""
        bob, sessions = self.ground.bob, self.relay.sessions
        challenge = sessions.challenge(bob.name)
        self.token = sessions.sign_in(bob.name, challenge, bob.sign(challenge))

    def account(self, relay: Relay | None = None) -> Account:
        """Bob's account, by his token."""
        return (relay or self.relay).sessions.authenticate(f"Bearer {self.token}", self.ground.bob.name)

    def submit(self, text: str) -> Submitted:
        """Alice submits a message; the same text is the same envelope, byte for byte."""
        ground = self.ground
        if text not in self.envelopes:
            self.envelopes[text] = ground.alice.seal_to(ground.bob, text, ground.keys)
        self.attempted.add(text)
        submitted = self.relay.admission.submit(self.envelopes[text].to_json(), source=SOURCE)
        self.accepted.add(text)
        return submitted

    def fetch(self, relay: Relay | None = None) -> list[tuple[StoredMessage, str]]:
        """Everything that waits for Bob, page by page, with the text he reads in it."""
        relay = relay or self.relay
        account, found, cursor, more = self.account(relay), [], None, True
        while more:
            page = relay.inbox.page(account, cursor)
            assert page.unreadable == 0
            found += [(message, self.ground.bob.read(message.envelope)) for message in page.messages]
            cursor, more = page.cursor, page.more
        return found

    def first(self) -> tuple[StoredMessage, str]:
        """The oldest message that waits for Bob."""
        (message,) = self.relay.inbox.page(self.account(), limit=1).messages
        return message, self.ground.bob.read(message.envelope)

    def fetch_as_reference(self) -> list[str]:
        """The texts of the plain listing."""
        listing = self.relay.inbox.incoming(self.account())
        return [self.ground.bob.read(envelope) for envelope in listing.envelopes]

    def fetch_conversation(self) -> list[str]:
        """The texts of the messages from Alice."""
        listing = self.relay.inbox.conversation(self.account(), self.ground.alice.name)
        return [self.ground.bob.read(envelope) for envelope in listing.envelopes]

    def acknowledge(self, messages: Sequence[tuple[StoredMessage, str]]) -> None:
        """By the ids of the paged inbox."""
        self.leaving |= {text for _, text in messages}
        self.relay.inbox.acknowledge(self.account(), [message.id for message, _ in messages])
        self.acknowledged |= {text for _, text in messages}

    def acknowledge_pairs(self, messages: Sequence[tuple[StoredMessage, str]]) -> None:
        """By contact and message hash, as the reference's client does."""
        self.leaving |= {text for _, text in messages}
        pairs = [(self.ground.alice.name, message_hash(message)) for message, _ in messages]
        self.relay.inbox.acknowledge_pairs(self.account(), pairs)
        self.acknowledged |= {text for _, text in messages}

    def inspect(self) -> Inspection:
        """What a process started now finds, held against what people were told."""
        found = self.fetch(self.fresh_relay())
        ids: dict[str, set[str]] = {}
        for message, text in found:
            ids.setdefault(text, set()).add(message.message_id)
        count = Counter(text for _, text in found)
        return Inspection(
            lost=frozenset(self.accepted - self.leaving - set(count)),
            returned=frozenset(self.acknowledged & set(count)),
            invented=frozenset(set(count) - self.attempted),
            doubles=sum(number - 1 for number in count.values()),
            unrecognisable=frozenset(text for text, known in ids.items() if len(known) > 1),
        )


@dataclass(frozen=True, slots=True)
class Inspection:
    """How the inbox differs from what it should hold. Doubles are harmless while their ids agree."""

    lost: frozenset[str]
    returned: frozenset[str]
    invented: frozenset[str]
    doubles: int
    unrecognisable: frozenset[str]

    @property
    def sound(self) -> bool:
        """Nothing lost, nothing come back, nothing that nobody sent, no double that looks like a new one."""
        return not (self.lost or self.returned or self.invented or self.unrecognisable)


def message_hash(message: StoredMessage) -> str:
    """The hash that the envelope names, or that the relay added on the way out."""
    metadata = message.envelope["metadata"]
    assert isinstance(metadata, dict)
    return str(metadata["messageHash"])
