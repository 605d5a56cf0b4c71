"""The relay's settings: one frozen object, read from environment variables that begin with `DM3_`.

    DM3_RELAY_NAME           ENS name whose network.dm3.deliveryService record names this relay (required)
    DM3_RPC_URLS             URLs of Ethereum nodes, separated by commas, tried in this order (required)
    DM3_KEYS                 the relay's keys as JSON text (see `Keys`), or
    DM3_KEYS_PARAMETER       the name of the SSM SecureString parameter that holds them
    DM3_INBOX_TABLE, DM3_SUBMISSIONS_TABLE, DM3_ACCOUNTS_TABLE, DM3_COUNTERS_TABLE, DM3_NAMES_TABLE,
    DM3_CONNECTIONS_TABLE, DM3_DELIVERIES_TABLE
                             names of the DynamoDB tables (required)
    DM3_BODIES_BUCKET        S3 bucket for large messages (required)
    DM3_AWS_URL              endpoint of all AWS services; unset: AWS itself
    DM3_MESSAGE_TTL_DAYS     days that an unfetched message is kept; at least 30, the default
    DM3_SIZE_LIMIT_BYTES     largest envelope accepted; default and maximum 3000000
    DM3_SENDER_MESSAGES_PER_HOUR, DM3_RECEIVER_KIB_PER_DAY, DM3_SOURCE_SUBMITS_PER_MINUTE,
    DM3_SOURCE_REGISTRATIONS_PER_HOUR, DM3_SOURCE_LOOKUPS_PER_MINUTE, DM3_SOURCE_KIB_PER_DAY,
    DM3_SOURCE_SOCKETS_PER_MINUTE, DM3_ACCOUNT_SOCKETS_PER_HOUR, DM3_SOCKET_FRAMES_PER_MINUTE
                             quotas; 0: not enforced; defaults 10000, 4194304, 6000, 1000, 600, 1048576,
                             3000, 3600, 6000
    DM3_OPERATOR_TOKEN_SHA256
                             SHA-256, in hex, of the token that opens /operator/rules; unset: nothing does
    DM3_LENIENT              "true": accept unverified senders, marked as such; default "false"
    DM3_UNIVERSAL_RESOLVER   address of the ENS Universal Resolver; default: the one on mainnet
    DM3_NAMES_LIFETIME_S     seconds that an answer about a name is believed; default 300
    DM3_UNKNOWN_LIFETIME_S   the same for a name that does not exist; default 60
    DM3_IPFS_GATEWAYS        URLs with {cid}, separated by commas, tried in this order for profiles in IPFS;
                             default: two public ones (`names.links`)
    DM3_ALLOW_LOCAL_URLS     "true": records may link to this machine, also by http:, which only a relay on a
                             laptop should allow; default "false"
    DM3_STALE_NAMES_S        seconds that an answer is served beyond that while no node answers; default 3600
    DM3_NAME_ALIASES         top-level aliases, such as ".gno=.gnosis.eth,.lens=.lens.xyz"; default none
    DM3_RPC_TIMEOUT_MS       milliseconds that one node has to answer; default 2000
    DM3_RPC_TOTAL_MS         the same for all of them together; default 5000
    DM3_MAX_CHAIN_LAG_S      seconds that a node's newest block may be old; 0: not looked at; default 120
    DM3_CHAIN_ID             id of the chain that the nodes must serve (1: main network); default: any

How receivers are told; what is not set is not there (without the topic and the queues nobody is told):

    DM3_TOPIC_ARN            SNS topic to which every message that was received is told
    DM3_SOCKETS_QUEUE, DM3_WEBHOOKS_QUEUE, DM3_EMAIL_QUEUE, DM3_PUSH_QUEUE, DM3_SMS_QUEUE,
    DM3_GREETINGS_QUEUE, DM3_UNTOLD_QUEUE
                             URLs of the SQS queues
    DM3_STREAM_ARN           the inbox table's stream, from which the function `untold` reads again
    DM3_SOCKETS_URL          endpoint of the WebSocket API's management, to post to open sockets
    DM3_MAIL_SENDER          e-mail address, verified at SES, that writes to people; unset: no e-mail
    DM3_SMS                  "true": SMS is offered, which costs money; default "false"
    DM3_URL                  the relay's public URL, for links in e-mails
    DM3_ORIGIN_SECRET        what a distribution in front of the relay sends along (`api.source`)

The functions that tell receivers need neither the nodes nor what is decided about messages on their way in.

A missing or invalid variable is told in one sentence that names it and never its value.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Self

from chalicelib.names.aliases import Aliases
from chalicelib.names.normalize import normalize
from chalicelib.notify.ports import Queue
from chalicelib.protocol.errors import InvalidName

_KEY_BYTES = 32
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_SHA256 = re.compile("[0-9A-Fa-f]{64}")


class InvalidSettings(Exception):
    """The operator's settings cannot be used. The message is one sentence and holds no value."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The relay's keys, 32 bytes each; `storage` lists the newest first, older ones only open.

    `push` is a scalar of the curve P-256, by which browsers' push services know the relay; None in the keys
    of relays from before there was one: they offer no web push.

    As text: JSON `{"encryption", "signing", "session", "index", "push": base64, "storage": [base64, …]}`.
    What a thief could do with each, and how it is replaced, is told in SECURITY.md.
    """

    encryption: bytes = field(repr=False)
    signing: bytes = field(repr=False)
    session: bytes = field(repr=False)
    index: bytes = field(repr=False)
    storage: tuple[bytes, ...] = field(repr=False)
    push: bytes | None = field(default=None, repr=False)

    @classmethod
    def generate(cls, token: Callable[[int], bytes]) -> Self:
        """New keys, from a source of unpredictable bytes such as `secrets.token_bytes`."""
        first, second, third, fourth, fifth = (token(_KEY_BYTES) for _ in range(5))
        return cls(first, second, third, fourth, (fifth,), new_push_key(token))

    @classmethod
    def parse(cls, text: str) -> Self:
        """The keys of their JSON text. Raises InvalidSettings."""
        try:
            members = json.loads(text)
            storage = members["storage"]
            if not isinstance(storage, list) or not storage:
                raise InvalidSettings("The relay's keys need at least one storage key.")
            return cls(
                encryption=_key(members["encryption"]),
                signing=_key(members["signing"]),
                session=_key(members["session"]),
                index=_key(members["index"]),
                storage=tuple(_key(key) for key in storage),
                push=_scalar(members["push"]) if "push" in members else None,
            )
        except (ValueError, TypeError, KeyError):
            raise InvalidSettings(
                "The relay's keys are not the expected JSON: encryption, signing, session, index, push and "
                "storage in base64, 32 bytes each."
            ) from None

    def to_text(self) -> str:
        """The JSON text that `parse` reads."""
        members: dict[str, object] = {
            name: base64.b64encode(getattr(self, name)).decode()
            for name in ("encryption", "signing", "session", "index")
        }
        members["storage"] = [base64.b64encode(key).decode() for key in self.storage]
        if self.push is not None:
            members["push"] = base64.b64encode(self.push).decode()
        return json.dumps(members)


def new_push_key(token: Callable[[int], bytes]) -> bytes:
    """A scalar of P-256 (32 bytes) from a source of unpredictable bytes."""
    # Eight bytes more than needed: no scalar is noticeably likelier than another (FIPS 186-5, A.2.1).
    drawn = int.from_bytes(token(_KEY_BYTES + 8), "big")
    return (drawn % (_P256_ORDER - 1) + 1).to_bytes(_KEY_BYTES, "big")


def _scalar(text: str) -> bytes:
    key = _key(text)
    if not 0 < int.from_bytes(key, "big") < _P256_ORDER:
        raise ValueError
    return key


def _key(text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError from None
    if len(key) != _KEY_BYTES:
        raise ValueError
    return key


@dataclass(frozen=True, slots=True)
class Tables:
    """Names of the DynamoDB tables."""

    inbox: str
    submissions: str
    accounts: str
    counters: str
    names: str
    connections: str
    deliveries: str

    @classmethod
    def read(cls, variables: _Variables) -> Self:
        """The names among the variables, each as DM3_<TABLE>_TABLE. Raises InvalidSettings."""
        return cls(*(variables.required(f"DM3_{one.name.upper()}_TABLE") for one in fields(cls)))


@dataclass(frozen=True, slots=True)
class Quotas:
    """What one sender, receiver, source address or account may use; 0 is not enforced."""

    sender_messages_per_hour: int = 10_000
    receiver_kib_per_day: int = 4_194_304
    source_submits_per_minute: int = 6_000
    source_registrations_per_hour: int = 1_000
    source_lookups_per_minute: int = 600
    source_kib_per_day: int = 1_048_576
    source_sockets_per_minute: int = 3_000
    account_sockets_per_hour: int = 3_600
    socket_frames_per_minute: int = 6_000

    @classmethod
    def read(cls, variables: _Variables) -> Self:
        """The quotas among the variables. Raises InvalidSettings."""
        return cls(
            *(
                variables.number(f"DM3_{name.upper()}", default, least=0, most=2**40)
                for name, default in asdict(cls()).items()
            )
        )


@dataclass(frozen=True, slots=True)
class Chain:
    """How names are read from the chain. `chain_id` None: whatever chain the nodes serve."""

    stale_names_s: int = 3_600
    aliases: Aliases = field(default_factory=Aliases)
    rpc_timeout_ms: int = 2_000
    rpc_total_ms: int = 5_000
    max_lag_s: int = 120
    chain_id: int | None = None

    @classmethod
    def read(cls, variables: _Variables) -> Self:
        """What is said of the chain among the variables. Raises InvalidSettings."""
        try:
            aliases = Aliases.parse(variables.optional("DM3_NAME_ALIASES") or "")
        except ValueError as error:
            raise InvalidSettings(
                f"The environment variable DM3_NAME_ALIASES cannot be used. {error}"
            ) from None
        return cls(
            stale_names_s=variables.number("DM3_STALE_NAMES_S", 3_600, least=0, most=604_800),
            aliases=aliases,
            rpc_timeout_ms=variables.number("DM3_RPC_TIMEOUT_MS", 2_000, least=100, most=20_000),
            rpc_total_ms=variables.number("DM3_RPC_TOTAL_MS", 5_000, least=100, most=20_000),
            max_lag_s=variables.number("DM3_MAX_CHAIN_LAG_S", 120, least=0, most=86_400),
            chain_id=variables.number("DM3_CHAIN_ID", 0, least=0, most=2**53) or None,
        )


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything an operator decides. Exactly one of `keys` and `keys_parameter` is set."""

    relay_name: str
    rpc_urls: tuple[str, ...] = field(repr=False)  # URLs of nodes often carry an API key
    tables: Tables
    bodies_bucket: str
    keys: Keys | None
    keys_parameter: str | None
    aws_url: str | None = None
    message_ttl_days: int = 30
    size_limit_bytes: int = 3_000_000
    quotas: Quotas = Quotas()
    lenient: bool = False
    universal_resolver: str | None = None  # None: the one on mainnet
    names_lifetime_s: int = 300
    unknown_lifetime_s: int = 60
    ipfs_gateways: tuple[str, ...] | None = None  # None: the public ones of `names.links`
    allow_local_urls: bool = False
    operator_token_sha256: bytes | None = None
    chain: Chain = field(default_factory=Chain)
    notify: NotifySettings = field(default_factory=lambda: NotifySettings())

    @property
    def worker(self) -> WorkerSettings:
        """The part that the functions which tell receivers need."""
        return WorkerSettings(
            relay_name=self.relay_name,
            tables=self.tables,
            bodies_bucket=self.bodies_bucket,
            keys=self.keys,
            keys_parameter=self.keys_parameter,
            aws_url=self.aws_url,
            allow_local_urls=self.allow_local_urls,
            notify=self.notify,
        )

    @property
    def sweeper(self) -> SweeperSettings:
        """The part that the function which deletes bodies needs."""
        return SweeperSettings(self.bodies_bucket, self.aws_url)

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        """The settings in `environment`. Raises InvalidSettings."""
        variables = _Variables(environment)
        worker = WorkerSettings.of(variables)
        return cls(
            relay_name=worker.relay_name,
            rpc_urls=variables.urls("DM3_RPC_URLS"),
            tables=worker.tables,
            bodies_bucket=worker.bodies_bucket,
            keys=worker.keys,
            keys_parameter=worker.keys_parameter,
            aws_url=worker.aws_url,
            message_ttl_days=variables.number("DM3_MESSAGE_TTL_DAYS", 30, least=30, most=36_500),
            size_limit_bytes=variables.number(
                "DM3_SIZE_LIMIT_BYTES", 3_000_000, least=10_000, most=3_000_000
            ),
            quotas=Quotas.read(variables),
            lenient=variables.flag("DM3_LENIENT"),
            universal_resolver=variables.optional("DM3_UNIVERSAL_RESOLVER"),
            names_lifetime_s=variables.number("DM3_NAMES_LIFETIME_S", 300, least=0, most=86_400),
            unknown_lifetime_s=variables.number("DM3_UNKNOWN_LIFETIME_S", 60, least=0, most=86_400),
            ipfs_gateways=variables.gateways("DM3_IPFS_GATEWAYS"),
            allow_local_urls=worker.allow_local_urls,
            operator_token_sha256=variables.sha256("DM3_OPERATOR_TOKEN_SHA256"),
            chain=Chain.read(variables),
            notify=worker.notify,
        )


@dataclass(frozen=True, slots=True)
class NotifySettings:
    """How receivers are told. What is None, or a queue that is missing, is not there.

    `origin_secret` is what a distribution in front of the relay sends along (`api.source`).
    """

    topic_arn: str | None = None
    queues: Mapping[Queue, str] = field(default_factory=dict)
    stream_arn: str | None = None
    sockets_url: str | None = None
    mail_sender: str | None = None
    sms: bool = False
    url: str | None = None
    origin_secret: str | None = field(default=None, repr=False)

    @classmethod
    def read(cls, variables: _Variables) -> Self:
        """What is said of it among the variables. Raises InvalidSettings."""
        queues = {queue: variables.optional(f"DM3_{queue.upper()}_QUEUE") for queue in Queue}
        return cls(
            topic_arn=variables.optional("DM3_TOPIC_ARN"),
            queues={queue: url for queue, url in queues.items() if url is not None},
            stream_arn=variables.optional("DM3_STREAM_ARN"),
            sockets_url=variables.optional_url("DM3_SOCKETS_URL"),
            mail_sender=variables.optional("DM3_MAIL_SENDER"),
            sms=variables.flag("DM3_SMS"),
            url=variables.optional_url("DM3_URL"),
            origin_secret=variables.optional("DM3_ORIGIN_SECRET"),
        )


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """What the functions that tell receivers need. Exactly one of `keys` and `keys_parameter` is set."""

    relay_name: str
    tables: Tables
    bodies_bucket: str
    keys: Keys | None
    keys_parameter: str | None
    aws_url: str | None = None
    allow_local_urls: bool = False
    notify: NotifySettings = field(default_factory=NotifySettings)

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        """The settings in `environment`. Raises InvalidSettings."""
        return cls.of(_Variables(environment))

    @classmethod
    def of(cls, variables: _Variables) -> Self:
        """The settings among the variables. Raises InvalidSettings."""
        keys, parameter = variables.optional("DM3_KEYS"), variables.optional("DM3_KEYS_PARAMETER")
        if (keys is None) == (parameter is None):
            raise InvalidSettings("Set either DM3_KEYS or DM3_KEYS_PARAMETER.")
        return cls(
            relay_name=variables.name("DM3_RELAY_NAME"),
            tables=Tables.read(variables),
            bodies_bucket=variables.required("DM3_BODIES_BUCKET"),
            keys=Keys.parse(keys) if keys is not None else None,
            keys_parameter=parameter,
            aws_url=variables.optional("DM3_AWS_URL"),
            allow_local_urls=variables.flag("DM3_ALLOW_LOCAL_URLS"),
            notify=NotifySettings.read(variables),
        )


@dataclass(frozen=True, slots=True)
class SweeperSettings:
    """What the function that deletes bodies of deleted messages needs, and all that it is told."""

    bodies_bucket: str
    aws_url: str | None = None

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        """The settings in `environment`. Raises InvalidSettings."""
        variables = _Variables(environment)
        return cls(variables.required("DM3_BODIES_BUCKET"), variables.optional("DM3_AWS_URL"))


@dataclass(frozen=True, slots=True)
class _Variables:
    """Typed reading of environment variables; an empty one counts as unset."""

    environment: Mapping[str, str]

    def optional(self, name: str) -> str | None:
        return self.environment.get(name, "").strip() or None

    def required(self, name: str) -> str:
        value = self.optional(name)
        if value is None:
            raise InvalidSettings(f"The environment variable {name} is missing.")
        return value

    def name(self, name: str) -> str:
        value = self.required(name)
        try:
            return normalize(value)
        except InvalidName:
            raise InvalidSettings(f"The environment variable {name} must be a valid ENS name.") from None

    def sha256(self, name: str) -> bytes | None:
        text = self.optional(name)
        if text is None:
            return None
        if not _SHA256.fullmatch(text):
            raise InvalidSettings(f"The environment variable {name} must be 64 hexadecimal digits.")
        return bytes.fromhex(text)

    def urls(self, name: str) -> tuple[str, ...]:
        urls = tuple(url.strip() for url in self.required(name).split(",") if url.strip())
        if not urls or not all(url.startswith(("http://", "https://")) for url in urls):
            raise InvalidSettings(f"The environment variable {name} must list http: or https: URLs.")
        return urls

    def optional_url(self, name: str) -> str | None:
        return None if self.optional(name) is None else self.urls(name)[0].rstrip("/")

    def gateways(self, name: str) -> tuple[str, ...] | None:
        if self.optional(name) is None:
            return None
        gateways = self.urls(name)
        if not all("{cid}" in gateway for gateway in gateways):
            raise InvalidSettings(f"The environment variable {name} must list URLs with {{cid}} in each.")
        return gateways

    def number(self, name: str, default: int, *, least: int, most: int) -> int:
        text = self.optional(name)
        if text is None:
            return default
        if not text.isascii() or not text.isdigit() or len(text) > 12 or not least <= int(text) <= most:
            raise InvalidSettings(f"The environment variable {name} must be a number from {least} to {most}.")
        return int(text)

    def flag(self, name: str) -> bool:
        text = self.optional(name) or "false"
        if text not in {"true", "false"}:
            raise InvalidSettings(f'The environment variable {name} must be "true" or "false".')
        return text == "true"
