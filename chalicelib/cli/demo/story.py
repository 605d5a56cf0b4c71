"""The demo, step by step. Each step ends with claims that are tried, not told."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from chalicelib.cli.demo import exchange, trials
from chalicelib.cli.demo.narrator import Narrator
from chalicelib.cli.demo.stage import Stage
from infra.local.serve import LocalRelay, start_local

STEPS = (
    exchange.introduce,
    exchange.publish,
    exchange.send,
    trials.look_at_rest,
    exchange.receive,
    exchange.answer,
    trials.forge,
    trials.repeat,
    trials.acknowledge,
)


def tell(narrator: Narrator) -> None:
    """The whole story. Raises StepFailed when something does not hold; nothing is left running."""
    narrator.open(
        "dm3",
        "A relay on this machine: an Ethereum node with ENS, DynamoDB and S3 (simulated by moto), and the "
        "very application that runs on AWS Lambda. Alice and Bob exchange end-to-end encrypted messages.",
    )
    with _without_access_log():
        with narrator.step("The relay starts"):
            relay = start_local()
        try:
            stage = Stage(narrator, relay)
            for step in STEPS:
                step(stage)
        finally:
            relay.stop()
    _stopped(narrator, relay)


@contextmanager
def _without_access_log() -> Iterator[None]:
    """The relay's log of requests and metrics would run into the story; its log of defects stays."""
    logs = [logging.getLogger(name) for name in ("dm3.access", "dm3.metrics")]
    before = [log.disabled for log in logs]
    for log in logs:
        log.disabled = True
    try:
        yield
    finally:
        for log, disabled in zip(logs, before, strict=True):
            log.disabled = disabled


def _stopped(narrator: Narrator, relay: LocalRelay) -> None:
    with narrator.step("The relay stops"):
        for what, url in (("The relay", relay.url), ("The Ethereum node", relay.rpc_url)):
            narrator.prove(f"{what} is gone", not _listens(url))


def _listens(url: str) -> bool:
    parts = urlsplit(url)
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((parts.hostname or "", parts.port or 0)) == 0
