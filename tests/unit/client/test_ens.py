from __future__ import annotations

import pytest

from chalicelib.client.ens import ens_directory, is_local
from chalicelib.protocol.errors import Unavailable
from tests.support.ports import LOOPBACK, free_port


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:8545", True),
        ("http://localhost:8545/key", True),
        ("http://[::1]:8545", True),
        ("https://node.example/127.0.0.1", False),
        ("https://localhost.example", False),
    ],
)
def test_a_local_node_is_one_on_this_machine(url: str, local: bool) -> None:
    assert is_local(url) is local


def test_a_node_that_is_not_there_is_unavailable() -> None:
    directory = ens_directory(f"http://{LOOPBACK}:{free_port()}", clock_ms=lambda: 0)
    with pytest.raises(Unavailable):
        directory.lookup("alice.eth")
