"""The test vectors, and who runs which group of them.

A runner gets a case, does with our code what the case describes, in both directions where there are two, and
raises `AssertionError` (or `Differs`) if the outcome is another.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from chalicelib.protocol.crypto import KeyPair
from chalicelib.protocol.errors import Dm3Error

Case: TypeAlias = dict[str, Any]
Runner: TypeAlias = Callable[[Case], None]

_FILE = Path(__file__).with_name("vectors_dev.json")
_MODULES = ("values", "ciphers", "letters", "profiles", "names", "schemas", "sessions")
_RUNNERS: dict[str, Runner] = {}


class Differs(AssertionError):
    """Ours does something else."""


@cache
def groups() -> dict[str, list[Case]]:
    found: dict[str, list[Case]] = json.loads(_FILE.read_text())["groups"]
    return found


@cache
def constants() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_FILE.read_text())["constants"]
    return found


def runs(*names: str) -> Callable[[Runner], Runner]:
    """Marks the runner of the groups `names`."""

    def register(runner: Runner) -> Runner:
        _RUNNERS.update(dict.fromkeys(names, runner))
        return runner

    return register


@cache
def runners() -> dict[str, Runner]:
    for module in _MODULES:
        importlib.import_module(f"tests.vectors.{module}")
    return _RUNNERS


def disagreement(group: str, case: Case) -> str | None:
    """How our outcome differs from that of `case`, or None."""
    try:
        runners()[group](case)
    except (AssertionError, Dm3Error) as found:
        return f"{type(found).__name__}: {found}"[:300]
    return None


def check(case: Case, attempt: Callable[[], object]) -> None:
    """`attempt` returns the case's `result`, or raises one of our errors where it holds an `error`."""
    if "error" in case:
        must_fail(attempt)
    else:
        assert attempt() == case["result"]


def must_fail(attempt: Callable[[], object]) -> None:
    try:
        outcome = attempt()
    except Dm3Error:
        return
    raise Differs(f"an error is expected, and not {str(outcome)[:100]}")


def key_pair(value: dict[str, str]) -> KeyPair:
    return KeyPair(value["publicKey"], value["privateKey"])


def key_pair_json(pair: KeyPair) -> dict[str, str]:
    return {"publicKey": pair.public_key, "privateKey": pair.private_key}
