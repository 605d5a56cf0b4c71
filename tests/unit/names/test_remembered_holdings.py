from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from chalicelib.names.chain_holdings import ChainHoldings
from chalicelib.names.holdings import MemoryHoldings
from chalicelib.names.remembered_holdings import LIFETIME_MS, RememberedHoldings
from chalicelib.protocol.errors import LimitExceeded, Unavailable
from chalicelib.protocol.rules import Asked, Question, TokenStandard
from tests.unit.names.simulated_contracts import burning
from tests.unit.names.test_chain_holdings import ALICE, BAD, COINS, NONCE, WORKS, chain

BOB = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"


class Clock:
    def __init__(self) -> None:
        self.time_ms = 1_000_000

    def now_ms(self) -> int:
        return self.time_ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def inner() -> MemoryHoldings:
    return MemoryHoldings({(ALICE, NONCE): 5, (ALICE, COINS): 7})


def test_the_same_question_is_read_once_in_its_lifetime(inner: MemoryHoldings, clock: Clock) -> None:
    holdings = RememberedHoldings(inner, clock.now_ms)
    for elapsed_ms in (0, LIFETIME_MS - 1):
        clock.time_ms = 1_000_000 + elapsed_ms
        assert holdings.read(ALICE, [NONCE, COINS]) == {NONCE: 5, COINS: 7}
    assert len(inner.readings) == 1
    clock.time_ms += 1
    inner.numbers[ALICE, NONCE] = 6
    assert holdings.read(ALICE, [NONCE, COINS])[NONCE] == 6
    assert len(inner.readings) == 2


def test_another_address_or_another_set_of_questions_is_another_reading(
    inner: MemoryHoldings, clock: Clock
) -> None:
    holdings = RememberedHoldings(inner, clock.now_ms)
    assert holdings.read(ALICE, [NONCE]) == {NONCE: 5}
    assert holdings.read(BOB, [NONCE]) == {NONCE: 0}
    assert holdings.read(ALICE, [NONCE, COINS]) == {NONCE: 5, COINS: 7}
    assert inner.readings == [ALICE, BOB, ALICE]


def test_whoever_asks_pays_unless_the_answer_is_remembered(inner: MemoryHoldings, clock: Clock) -> None:
    holdings = RememberedHoldings(inner, clock.now_ms)
    paid: list[int] = []

    def toll() -> None:
        if len(paid) == 2:
            raise LimitExceeded(retry_after_s=1)
        paid.append(clock.time_ms)

    for _ in range(3):
        holdings.read(ALICE, [NONCE], toll=toll)
    holdings.read(BOB, [NONCE], toll=toll)
    assert len(paid) == len(inner.readings) == 2
    with pytest.raises(LimitExceeded):
        holdings.read(ALICE, [COINS], toll=toll)
    assert len(inner.readings) == 2


def test_a_clock_that_runs_backwards_makes_nothing_immortal(inner: MemoryHoldings, clock: Clock) -> None:
    holdings = RememberedHoldings(inner, clock.now_ms)
    holdings.read(ALICE, [NONCE])
    clock.time_ms -= 3_600_000
    holdings.read(ALICE, [NONCE])
    assert len(inner.readings) == 2


def test_errors_are_not_remembered(inner: MemoryHoldings, clock: Clock) -> None:
    holdings = RememberedHoldings(inner, clock.now_ms)
    inner.fail = True
    with pytest.raises(Unavailable):
        holdings.read(ALICE, [NONCE])
    inner.fail = False
    assert holdings.read(ALICE, [NONCE]) == {NONCE: 5}


def test_the_memory_is_bounded_and_what_is_used_stays(inner: MemoryHoldings, clock: Clock) -> None:
    holdings = RememberedHoldings(inner, clock.now_ms, size=2)
    for number in range(50):
        holdings.read(ALICE, [NONCE])
        holdings.read(f"0x{number:040x}", [NONCE])
    assert inner.readings.count(ALICE) == 1
    assert len(holdings._kept) == 2


def test_one_receiver_s_gas_burners_refuse_the_sender_to_nobody_else(clock: Clock) -> None:
    """The answers that they spoil are not those that another receiver's rules get."""
    node = chain(bad=burning)
    burners = [Question(Asked.TOKEN, BAD, TokenStandard.ERC1155, number) for number in range(5)]
    holdings = RememberedHoldings(ChainHoldings(node), clock.now_ms)
    assert holdings.read(ALICE, [*burners, COINS, WORKS])[WORKS] == 0
    assert holdings.read(ALICE, [COINS, WORKS])[WORKS] == 1


def test_concurrent_readers_share_one_round_trip(clock: Clock) -> None:
    asked: list[str] = []
    together, answered = threading.Barrier(16), threading.Event()

    class Slow:
        def read(self, address: str, questions: Sequence[Question]) -> Mapping[Question, int]:
            asked.append(address)
            answered.wait(5)
            return dict.fromkeys(questions, 5)

    holdings = RememberedHoldings(Slow(), clock.now_ms)

    def read(_: int) -> Mapping[Question, int]:
        together.wait(5)
        return holdings.read(ALICE, [NONCE])

    with ThreadPoolExecutor(16) as pool:
        answers = pool.map(read, range(16))
        while not asked:
            pass
        answered.set()
        assert list(answers) == [{NONCE: 5}] * 16
    assert asked == [ALICE]
