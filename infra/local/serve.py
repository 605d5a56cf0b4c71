"""The whole relay on a laptop: a chain with ENS, the AWS services, the gateway, and the workers.

`start_local` starts it in this process and `run` is the command line's loop around it. Everything listens on
loopback only; REST and WebSockets share one host and port, as behind the distribution in front of a deployed
relay. When it is ready, the relay's own name has its `network.dm3.deliveryService` record published, and some
accounts of the chain have names, so that messages can be tried at once.
"""

from __future__ import annotations

import json
import secrets
import signal
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, fields
from hashlib import sha256
from threading import Event
from types import FrameType, TracebackType
from typing import Any, Self

from chalicelib.api.application import application
from chalicelib.config import Keys, Settings
from chalicelib.process import Wiring
from chalicelib.protocol.crypto import encryption_key_pair, signing_key_pair
from chalicelib.protocol.profile import DELIVERY_SERVICE_RECORD, DeliveryServiceProfile
from chalicelib.protocol.profile_uri import data_uri
from infra.local.aws import LocalAws, local_aws
from infra.local.ccip_gateway import CcipGateway
from infra.local.chain import Chain, start_chain
from infra.local.clients import Clients
from infra.local.connection import SocketLimits
from infra.local.gateway import Gateway
from infra.local.mails import SentMail
from infra.local.management import SERVICE, ManagementClient
from infra.local.messaging import Messaging, QueueTimes
from infra.local.server import LoopbackServer
from infra.local.sockets import SocketGateway
from infra.local.workers import MINUTE_S, LocalWorkers

RELAY_NAME = "relay.eth"
ACCOUNTS = 10
# Names for a first try, by index of the account that owns them. Publishing is left to whoever tries.
PEOPLE = {"alice.eth": 1, "bob.eth": 2}
# Names of other kinds: every name below the first has records on the chain, the second's are at a gateway.
WILDCARD_NAME = "wild.eth"
OFFCHAIN_NAME = "offchain.eth"


@dataclass(frozen=True, slots=True)
class Times:
    """What tests and impatient developers may shorten; the defaults are those of a deployed relay."""

    queues: QueueTimes = field(default_factory=QueueTimes)
    sockets: SocketLimits = field(default_factory=SocketLimits)
    minute_s: float = MINUTE_S


@dataclass(frozen=True)
class LocalRelay:
    """A running relay. `accounts` are funded accounts of the chain: (address, private key in hex).

    `people` are names that some of these accounts own, and that point at them, by index in `accounts`.
    `operator_token` opens the routes of the operator. `ccip_gateway` keeps the records of `offchain.eth`.
    `ws_url` is the base of WebSockets: `/socket.io/` for the reference's client, `/live` for the plain JSON
    dialect. `workers` can be stopped, killed and started by name. Use it as a context manager, or `stop` it.
    """

    url: str
    ws_url: str
    rpc_url: str
    ens_registry: str
    ens_resolver: str
    universal_resolver: str
    relay_name: str
    operator_token: str = field(repr=False)
    accounts: tuple[tuple[str, str], ...]
    people: Mapping[str, int]
    ccip_gateway_url: str
    chain: Chain = field(repr=False)
    aws: LocalAws = field(repr=False)
    ccip_gateway: CcipGateway = field(repr=False)
    sockets: SocketGateway = field(repr=False)
    workers: LocalWorkers = field(repr=False)
    _running: ExitStack = field(repr=False)

    def contract(self) -> str:
        """The line that says "ready": one JSON object with every address and key a program needs."""
        members: dict[str, object] = {
            name: getattr(self, name)
            for name in (
                "url",
                "ws_url",
                "rpc_url",
                "ens_registry",
                "ens_resolver",
                "universal_resolver",
                "relay_name",
                "operator_token",
                "ccip_gateway_url",
            )
        }
        accounts = [
            {"address": address, "private_key": private_key} for address, private_key in self.accounts
        ]
        members["accounts"] = accounts
        members["people"] = [{"name": name, **accounts[index]} for name, index in self.people.items()]
        return json.dumps(members)

    def mails(self) -> tuple[SentMail, ...]:
        """The e-mails that the relay has sent, the oldest first."""
        return self.aws.mails.sent()

    def stop(self) -> None:
        """Stop everything that was started, the last first. Calling it twice is no error."""
        self._running.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.stop()


class _Routes:
    """The functions behind the WebSocket API."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring

    def connect(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        """`$connect`."""
        return self._wiring.socket("connect", event)

    def message(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        """`$default`."""
        return self._wiring.socket("message", event)

    def disconnect(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        """`$disconnect`."""
        return self._wiring.socket("disconnect", event)


def start_local(
    port: int = 0,
    rpc_port: int = 0,
    aws_url: str | None = None,
    accounts: int = ACCOUNTS,
    *,
    times: Times | None = None,
    settings: Mapping[str, str] | None = None,
) -> LocalRelay:
    """Start everything and return when the relay can be used. A port of 0 means any free one.

    `aws_url` is an endpoint of the AWS services; without it they run in this process (moto). `settings` are
    variables that an operator would set otherwise than they are here, such as `DM3_SMS`. Raises OSError if a
    port is taken, and what the chain and the AWS endpoint raise if they do not start; then nothing is left
    running.
    """
    times = times or Times()
    with ExitStack() as starting:
        server = starting.enter_context(LoopbackServer(port))
        chain = starting.enter_context(start_chain(port=rpc_port, accounts=accounts))
        aws = starting.enter_context(local_aws(aws_url, times=times.queues))
        keys = Keys.generate(secrets.token_bytes)
        operator_token = secrets.token_urlsafe()
        environment = _environment(keys, chain, aws, operator_token, server.url)
        read = Settings.read({**environment, **(settings or {})})
        # The functions need clients, which post to the sockets, whose events go to the functions.
        wiring = Wiring(lambda: read, clients=lambda service: clients(service))
        sockets = SocketGateway(_Routes(wiring), limits=times.sockets)
        clients = _with_management(aws.clients, ManagementClient(sockets))
        gateway = Gateway(
            application(wiring.relay, wiring.notify, wiring.probe, wiring.metrics.flush), sockets=sockets
        )
        workers = LocalWorkers(read, aws, clients, minute_s=times.minute_s)
        starting.callback(sockets.close)
        starting.callback(gateway.close)
        starting.callback(server.stop)  # first: no request may meet a gateway that is closed
        starting.callback(sockets.leave)
        starting.callback(workers.stop)
        _publish(chain, keys, server.url)
        people = {name: index for name, index in PEOPLE.items() if index < len(chain.accounts)}
        for name, index in people.items():
            chain.register(name, index)
        ccip_gateway = starting.enter_context(CcipGateway())
        _register_other_kinds(chain, ccip_gateway)
        workers.start()
        server.start(gateway)
        return LocalRelay(
            url=server.url,
            ws_url=server.url.replace("http", "ws", 1),
            rpc_url=chain.rpc_url,
            ens_registry=chain.registry,
            ens_resolver=chain.resolver,
            universal_resolver=chain.universal_resolver,
            relay_name=RELAY_NAME,
            operator_token=operator_token,
            accounts=tuple(chain.accounts),
            people=people,
            ccip_gateway_url=ccip_gateway.url,
            chain=chain,
            aws=aws,
            ccip_gateway=ccip_gateway,
            sockets=sockets,
            workers=workers,
            _running=starting.pop_all(),
        )


def _with_management(clients: Clients, management: ManagementClient) -> Clients:
    """The clients of AWS, and the one that posts to this machine's sockets."""
    return lambda service: management if service == SERVICE else clients(service)


def run(port: int = 0, rpc_port: int = 0, aws_url: str | None = None, accounts: int = ACCOUNTS) -> None:
    """Start, print the contract as the first line on standard output, and serve until SIGINT or SIGTERM.

    A signal that comes while things are starting is obeyed when they have started: nothing is left behind.
    """
    ended = Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        ended.set()

    previous = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with start_local(port, rpc_port, aws_url, accounts) as relay:
            if not ended.is_set():
                sys.stdout.write(relay.contract() + "\n")
                sys.stdout.flush()
            ended.wait()
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _environment(keys: Keys, chain: Chain, aws: LocalAws, operator_token: str, url: str) -> dict[str, str]:
    """The settings as an operator would write them, so that they are read the same way."""
    return {
        "DM3_RELAY_NAME": RELAY_NAME,
        "DM3_RPC_URLS": chain.rpc_url,
        "DM3_UNIVERSAL_RESOLVER": chain.universal_resolver,
        "DM3_KEYS": keys.to_text(),
        **{f"DM3_{one.name.upper()}_TABLE": getattr(aws.tables, one.name) for one in fields(aws.tables)},
        "DM3_BODIES_BUCKET": aws.bucket,
        "DM3_OPERATOR_TOKEN_SHA256": sha256(operator_token.encode()).hexdigest(),
        "DM3_AWS_URL": aws.endpoint_url or "",
        "DM3_ALLOW_LOCAL_URLS": "true",
        # On a laptop names are registered and changed while somebody watches.
        "DM3_NAMES_LIFETIME_S": "5",
        "DM3_UNKNOWN_LIFETIME_S": "0",
        # The chain makes a block when somebody sends a transaction, and at no other time.
        "DM3_MAX_CHAIN_LAG_S": "0",
        "DM3_SOCKETS_URL": url,
        "DM3_STREAM_ARN": aws.stream_arn or "",
        "DM3_MAIL_SENDER": aws.mail_sender or "",
        "DM3_URL": url,
        **_messaging(aws.messaging),
    }


def _messaging(messaging: Messaging | None) -> dict[str, str]:
    if messaging is None:
        return {}
    queues = {f"DM3_{queue.upper()}_QUEUE": url for queue, url in messaging.queues.items()}
    return {"DM3_TOPIC_ARN": messaging.topic_arn, **queues}


def _publish(chain: Chain, keys: Keys, url: str) -> None:
    """Register the relay's name, owned by the chain's first account, with its delivery service profile."""
    profile = DeliveryServiceProfile(
        public_encryption_key=encryption_key_pair(keys.encryption).public_key,
        public_signing_key=signing_key_pair(keys.signing).public_key,
        url=url,
    )
    owner = chain.accounts[0][0]
    chain.register(
        RELAY_NAME, owner, address=owner, texts={DELIVERY_SERVICE_RECORD: data_uri(profile.to_json())}
    )


def _register_other_kinds(chain: Chain, gateway: CcipGateway) -> None:
    """Register a wildcard and a name off chain, which point at the chain's first account."""
    owner = chain.accounts[0][0]
    chain.register_wildcard(WILDCARD_NAME, address=owner)
    chain.register_offchain(OFFCHAIN_NAME, [gateway.get_url, gateway.post_url], gateway.signer)
    chain.set_batch_gateways([gateway.post_url])
    gateway.set(OFFCHAIN_NAME, address=owner)
