"""Compiled contracts, as code to put on the local chain."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from infra.local.node import NODE_MODULES, MissingNode

HERE: Final = Path(__file__).parent


def registry_code() -> str:
    """The deployed code of ENS's registry, `0x…`. Raises `MissingNode` before `make setup`."""
    return _npm("ens", "ENSRegistry", "deployedBytecode")


def public_resolver_creation_code() -> str:
    """What creates ENS's public resolver, `0x…`; the registry's address follows as an argument.

    Raises `MissingNode` before `make setup`.
    """
    return _npm("resolver", "PublicResolver", "bytecode")


def artifact_path(contract: str) -> Path:
    """Where the compiled form of our `contract` (a file name without `.vy`) is kept."""
    return HERE / f"{contract}.json"


def deployed_code(contract: str) -> str:
    """The code of our `contract` as it lies on a chain, `0x…`."""
    return _ours(contract, "deployedBytecode")


def creation_code(contract: str) -> str:
    """What creates our `contract`, `0x…`; the arguments of its constructor follow."""
    return _ours(contract, "bytecode")


def _ours(contract: str, member: str) -> str:
    return str(json.loads(artifact_path(contract).read_text())[member])


def _npm(package: str, contract: str, member: str) -> str:
    path = NODE_MODULES / "@ensdomains" / package / "build" / "contracts" / f"{contract}.json"
    if not path.exists():
        raise MissingNode("The ENS contracts are not installed; run `make setup`.")
    return str(json.loads(path.read_text())[member])
