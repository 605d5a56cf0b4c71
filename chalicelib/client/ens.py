"""The directory that a client reads names from: ENS through one node, with everything a name may need."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from chalicelib.fetching.guarded_fetcher import GuardedFetcher
from chalicelib.names.aliases import Aliases
from chalicelib.names.ccip_gateway import CcipGateway
from chalicelib.names.ens_directory import EnsDirectory
from chalicelib.names.links import LinkReader
from chalicelib.names.ports import ChainTransport
from chalicelib.names.universal_resolver import UNIVERSAL_RESOLVER

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def is_local(rpc_url: str) -> bool:
    """Whether the node at `rpc_url` runs on this machine, as that of `dm3 local` does."""
    return urlsplit(rpc_url).hostname in _LOOPBACK


def ens_directory(
    node: ChainTransport,
    *,
    local: bool,
    clock_ms: Callable[[], int],
    universal_resolver: str = UNIVERSAL_RESOLVER,
    aliases: Aliases | None = None,
) -> EnsDirectory:
    """ENS as the Ethereum `node` knows it; records off chain and behind links are followed.

    If `local`, they may be on this machine, too, and then without encryption.
    """
    fetcher = GuardedFetcher(allow_local=local)
    return EnsDirectory(
        node,
        LinkReader(fetcher),
        clock_ms=clock_ms,
        gateway=CcipGateway(fetcher),
        universal_resolver=universal_resolver,
        aliases=aliases,
    )
