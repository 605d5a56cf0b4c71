"""MiniStack, many AWS services in one process on loopback."""

from __future__ import annotations

import os
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.support.ports import LOOPBACK, free_port
from tests.support.process import running

ACCOUNT = "000000000000"
REGION = "us-east-1"


@contextmanager
def ministack(extra: Mapping[str, str] | None = None) -> Iterator[str]:
    """The URL of a fresh MiniStack, empty and in memory; `extra` adds to its environment."""
    port = free_port()
    url = f"http://{LOOPBACK}:{port}"
    with tempfile.TemporaryDirectory() as directory:
        environment = {
            **os.environ,
            "BIND_HOST": LOOPBACK,
            "GATEWAY_PORT": str(port),
            "MINISTACK_HOST": LOOPBACK,
            "MINISTACK_REGION": REGION,
            # Listeners of services nobody here uses, on fixed ports and every interface.
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "LOG_LEVEL": "WARNING",
            "TMPDIR": directory,
            "STATE_DIR": f"{directory}/state",
            "S3_DATA_DIR": f"{directory}/s3",
            **(extra or {}),
        }
        with running(
            [sys.executable, "-m", "ministack"],
            directory=Path(directory),
            ready=lambda: _answers(f"{url}/_ministack/health"),
            environment=environment,
        ):
            yield url


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own loopback URL
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
