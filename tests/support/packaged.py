"""The packaged relay: built, and deployed into MiniStack beside a chain that knows its name."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from chalicelib.config import Keys
from chalicelib.protocol.profile import DELIVERY_SERVICE_RECORD
from chalicelib.protocol.profile_uri import data_uri
from infra.local.chain import start_chain
from infra.package.build import Built
from infra.package.deploy import Deployment, MiniStack, deploy_to_ministack
from infra.package.keys import service_profile
from tests.interop.people import RunningRelay
from tests.support.ministack import ministack

RELAY_NAME = "relay.eth"
ORIGIN_SECRET = "o" * 43
# Roles are obeyed: what a function's policy does not allow is refused, as on AWS.
OBEY_ROLES = {"AUTH": "true"}


@dataclass(frozen=True, slots=True)
class Deployed:
    """The packaged relay, running."""

    relay: RunningRelay
    deployment: Deployment
    cloud: MiniStack


@contextmanager
def deployed(built: Built) -> Iterator[Deployed]:
    """Deploy `built` into a MiniStack of its own and publish the relay's record on a chain of its own."""
    keys = Keys.generate(secrets.token_bytes)
    with start_chain() as chain, ministack(OBEY_ROLES) as endpoint_url:
        deployment = deploy_to_ministack(
            endpoint_url,
            built,
            keys=keys.to_text(),
            parameters={
                "RelayName": RELAY_NAME,
                "RpcUrls": chain.rpc_url,
                "OriginSecret": ORIGIN_SECRET,
                # A chain of its own, which makes a block when somebody sends a transaction.
                "ChainId": str(chain.chain_id),
                "MaxChainLagSeconds": "0",
            },
        )
        record = data_uri(service_profile(keys, deployment.url).to_json())
        chain.register(RELAY_NAME, texts={DELIVERY_SERVICE_RECORD: record})
        relay = RunningRelay(
            url=deployment.url,
            rpc_url=chain.rpc_url,
            ens_registry=chain.registry,
            ens_resolver=chain.resolver,
            universal_resolver=chain.universal_resolver,
            relay_name=RELAY_NAME,
        )
        yield Deployed(relay, deployment, MiniStack(endpoint_url))
