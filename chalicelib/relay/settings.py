"""What an operator decides about a relay: its keys, its secrets, its limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from chalicelib.protocol.crypto import KeyPair

SECONDS_PER_DAY = 86_400
# "0 = unlimited" of the specification, as a time a table can hold.
_UNLIMITED_DAYS = 36_500


@dataclass(frozen=True, slots=True)
class Limits:
    """Every documented limit of the relay. A quota of 0 is not enforced.

    Large quotas are counted by sampling (see `relay.quota`): they are exact to a few per cent.
    """

    size_limit_bytes: int = 3_000_000
    message_ttl_days: int = 30
    sender_messages_per_hour: int = 10_000
    receiver_kib_per_day: int = 4_194_304
    source_submits_per_minute: int = 6_000
    source_registrations_per_hour: int = 1_000
    source_lookups_per_minute: int = 600
    source_kib_per_day: int = 1_048_576
    sign_in_failures_per_hour: int = 10
    operator_failures_per_hour: int = 10
    rule_changes_per_hour: int = 300
    source_sockets_per_minute: int = 3_000
    account_sockets_per_hour: int = 3_600
    # Of one source, and of one account. Answers to pings count, and each pushed message may bring one.
    socket_frames_per_minute: int = 6_000
    # Of all sources together: more than twice what one may ask for.
    unknown_names_per_minute: int = 3_000
    page_messages: int = 100
    page_messages_max: int = 1_000
    # What Lambda and API Gateway carry is 6 MB (6,291,556 bytes) with escapes and envelope around it.
    page_bytes: int = 5_000_000
    acknowledgements: int = 1_000
    names_per_account: int = 100

    @property
    def message_lifetime_s(self) -> int:
        """How long a message is kept, in seconds."""
        return (self.message_ttl_days or _UNLIMITED_DAYS) * SECONDS_PER_DAY

    def advertised(self) -> Mapping[str, int]:
        """What senders and receivers are told of the limits, beside TTL and size; 0 is not enforced."""
        return {
            "senderMessagesPerHour": self.sender_messages_per_hour,
            "receiverKibPerDay": self.receiver_kib_per_day,
            "sourceSubmitsPerMinute": self.source_submits_per_minute,
            "sourceRegistrationsPerHour": self.source_registrations_per_hour,
            "sourceLookupsPerMinute": self.source_lookups_per_minute,
            "sourceKibPerDay": self.source_kib_per_day,
            "pageMessages": self.page_messages_max,
            "pageBytes": self.page_bytes,
            "acknowledgements": self.acknowledgements,
            "namesPerAccount": self.names_per_account,
            "sourceSocketsPerMinute": self.source_sockets_per_minute,
            "accountSocketsPerHour": self.account_sockets_per_hour,
            "socketFramesPerMinute": self.socket_frames_per_minute,
        }


@dataclass(frozen=True, slots=True)
class RelayKeys:
    """The keys of the delivery service profile: senders seal to one, postmarks are signed by the other."""

    encryption: KeyPair = field(repr=False)
    signing: KeyPair = field(repr=False)


@dataclass(frozen=True, slots=True)
class RelaySecrets:
    """The relay's own secrets, 32 bytes each, independent of one another and of the published keys."""

    index_key: bytes = field(repr=False)
    storage_key: bytes = field(repr=False)
    session_key: bytes = field(repr=False)
    older_storage_keys: tuple[bytes, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """`relay_name` is the ENS name of the delivery service: sessions are bound to it.

    With `lenient`, envelopes of unverifiable senders are accepted and marked. `remember_s` is how long a
    process may act on what it read of an account; `recheck_name_s` how long a name's link to its account is
    believed without asking ENS, `trust_name_s` how long while ENS does not answer. `operator_token_sha256` is
    the hash of the token by which the operator is known; without it nobody is.
    """

    relay_name: str
    limits: Limits = Limits()
    lenient: bool = False
    remember_s: int = 30
    recheck_name_s: int = 3_600
    trust_name_s: int = 7 * SECONDS_PER_DAY
    operator_token_sha256: bytes | None = None
