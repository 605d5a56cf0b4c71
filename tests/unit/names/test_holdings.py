from __future__ import annotations

import pytest

from chalicelib.names.holdings import MemoryHoldings
from chalicelib.protocol.errors import Unavailable
from chalicelib.protocol.rules import Asked, Question

ADDRESS = "0x00000000000C2E074eC69A0dFb2997BA6C7d2e1e"
NONCE, BALANCE = Question(Asked.NONCE), Question(Asked.BALANCE)


def test_the_simulator_answers_every_question_and_tells_who_was_asked_about() -> None:
    holdings = MemoryHoldings({(ADDRESS, NONCE): 5})
    assert holdings.read(ADDRESS, [NONCE, BALANCE]) == {NONCE: 5, BALANCE: 0}
    assert holdings.readings == [ADDRESS]


def test_the_simulator_can_fail() -> None:
    with pytest.raises(Unavailable):
        MemoryHoldings(fail=True).read(ADDRESS, [NONCE])
