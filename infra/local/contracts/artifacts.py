"""Compiled contracts, as code to put on the local chain."""

from __future__ import annotations

import json
from pathlib import Path

from infra.local.node import NODE_MODULES, MissingNode

UNIVERSAL_RESOLVER_ARTIFACT = Path(__file__).with_name("universal_resolver.json")


def registry_code() -> str:
    """The deployed code of ENS's registry, `0x…`. Raises `MissingNode` before `make setup`."""
    return _npm("ens", "ENSRegistry", "deployedBytecode")


def public_resolver_creation_code() -> str:
    """What creates ENS's public resolver, `0x…`; the registry's address follows as an argument.

    Raises `MissingNode` before `make setup`.
    """
    return _npm("resolver", "PublicResolver", "bytecode")


def universal_resolver_code() -> str:
    """The deployed code of our universal resolver, `0x…`."""
    return str(json.loads(UNIVERSAL_RESOLVER_ARTIFACT.read_text())["deployedBytecode"])


def _npm(package: str, contract: str, member: str) -> str:
    path = NODE_MODULES / "@ensdomains" / package / "build" / "contracts" / f"{contract}.json"
    if not path.exists():
        raise MissingNode("The ENS contracts are not installed; run `make setup`.")
    return str(json.loads(path.read_text())[member])
