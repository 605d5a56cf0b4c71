from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.names.heads import HeadCheck, HeadPolicy, NewestHead, Stale, WrongChain
from chalicelib.names.ports import RpcCall, RpcResult

NOW_S = 1_700_000_000
LAG_S = 100
INTERVAL_S = 15.0


@dataclass
class World:
    policy: HeadPolicy
    now_s: float = NOW_S

    def __post_init__(self) -> None:
        self.newest = NewestHead(self.policy, lambda: int(self.now_s * 1_000))
        self.check = self.another()

    def another(self) -> HeadCheck:
        return HeadCheck(self.policy, self.newest, lambda: self.now_s)

    def show(self, timestamp_s: int, check: HeadCheck | None = None) -> None:
        check = check or self.check
        calls = check.calls(trial=True)
        check.judge(calls, [RpcResult({"number": "0x1", "timestamp": hex(timestamp_s)})])


def world(**policy: Any) -> World:  # noqa: ANN401 - members of the policy
    return World(HeadPolicy(**{"max_lag_s": LAG_S, "interval_s": INTERVAL_S, **policy}))


def asked(check: HeadCheck, *, trial: bool = False) -> list[str]:
    return [call.method for call in check.calls(trial=trial)]


def test_the_head_is_asked_for_at_intervals_and_in_every_trial() -> None:
    here = world()
    assert asked(here.check) == ["eth_getBlockByNumber"]
    assert here.check.calls(trial=False) == (RpcCall("eth_getBlockByNumber", ("latest", False)),)
    here.show(NOW_S)
    assert asked(here.check) == []
    assert asked(here.check, trial=True) == ["eth_getBlockByNumber"]
    here.now_s += INTERVAL_S
    assert asked(here.check) == ["eth_getBlockByNumber"]


def test_a_head_that_nobody_has_seen_stays_due() -> None:
    here = world()
    with pytest.raises(Stale):
        here.show(NOW_S - LAG_S - 1)
    assert asked(here.check) == ["eth_getBlockByNumber"]


@pytest.mark.parametrize("age_s", [-5_000, -1, 0, LAG_S])
def test_a_recent_head_will_do(age_s: int) -> None:
    world().show(NOW_S - age_s)


def test_a_head_that_is_old_by_the_clock_is_stale() -> None:
    with pytest.raises(Stale):
        world().show(NOW_S - LAG_S - 1)


def test_a_head_that_is_old_by_what_another_provider_shows_is_stale_though_the_clock_is_slow() -> None:
    here = world()
    here.show(NOW_S + LAG_S // 2)
    with pytest.raises(Stale):
        here.show(NOW_S - LAG_S // 2 - 1, here.another())
    here.show(NOW_S - LAG_S // 2, here.another())


@pytest.mark.parametrize("lie_s", [LAG_S // 2, LAG_S // 2 + 1, 10**9, 2**256 - 1 - NOW_S])
def test_a_head_from_the_future_makes_nobody_look_stale_who_is_not(lie_s: int) -> None:
    here = world()
    here.show(NOW_S + lie_s)
    here.show(NOW_S - 12, here.another())


def test_without_a_limit_no_head_is_asked_for() -> None:
    here = world(max_lag_s=0)
    assert asked(here.check) == asked(here.check, trial=True) == []


def test_the_chain_is_asked_for_once_if_one_is_expected() -> None:
    here = world(max_lag_s=0, chain_id=1)
    assert asked(here.check) == ["eth_chainId"]
    here.check.judge(here.check.calls(trial=False), [RpcResult("0x1")])
    assert asked(here.check) == []


def test_another_chain_is_asked_about_again() -> None:
    here = world(max_lag_s=0, chain_id=1)
    with pytest.raises(WrongChain):
        here.check.judge(here.check.calls(trial=False), [RpcResult("0x89")])
    assert asked(here.check) == ["eth_chainId"]


def test_head_and_chain_are_asked_for_together() -> None:
    here = world(chain_id=1)
    calls = here.check.calls(trial=False)
    assert [call.method for call in calls] == ["eth_getBlockByNumber", "eth_chainId"]
    here.check.judge(calls, [RpcResult({"timestamp": hex(NOW_S)}), RpcResult("0x1")])
    assert asked(here.check) == []


_values = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.sampled_from(["0x", "0xg", "0x-1"])
)


@given(_values | st.dictionaries(st.just("timestamp"), _values) | st.lists(_values, max_size=2))
def test_an_answer_that_is_no_block_makes_no_sense(value: Any) -> None:  # noqa: ANN401
    here = world()
    with pytest.raises(ValueError, match="quantity"):
        here.check.judge(here.check.calls(trial=False), [RpcResult(value)])
