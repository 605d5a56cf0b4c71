from __future__ import annotations

import pytest

from chalicelib.fetching.deadline import Deadline
from chalicelib.protocol.errors import Unavailable


def test_what_is_left_grows_less_and_ends() -> None:
    now_s = [100.0]
    deadline = Deadline(3.0, lambda: now_s[0])
    assert deadline.remaining_s() == 3.0
    assert deadline.share_s(2) == 1.5
    now_s[0] = 102.0
    assert deadline.remaining_s() == 1.0
    now_s[0] = 103.0
    with pytest.raises(Unavailable):
        deadline.remaining_s()
    with pytest.raises(Unavailable):
        deadline.share_s(1)
