from __future__ import annotations

import pytest

from tests.unit.relay.policy.desk import candidate


@pytest.mark.parametrize(("size_bytes", "kib"), [(0, 1), (1_023, 1), (1_024, 2), (3_000_000, 2_930)])
def test_a_message_takes_whole_kib(size_bytes: int, kib: int) -> None:
    assert candidate(size_bytes=size_bytes).kib == kib
