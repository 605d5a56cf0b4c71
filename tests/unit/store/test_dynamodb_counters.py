"""Counters when two restart an expired one. What they promise is in tests/store_suite."""

from __future__ import annotations

import pytest

from chalicelib.relay.ports import Charge
from tests.support.stores import EARLIER_S, LATER_S, NOW_S, Aws, new_key


@pytest.mark.parametrize(("rival", "granted", "total"), [(4, True, 7), (8, False, 8)])
def test_who_comes_second_to_an_expired_counter_adds_to_the_first(
    aws: Aws, rival: int, granted: bool, total: int
) -> None:
    counters, counter = aws.store().counters, new_key()
    assert counters.charge(Charge(counter, 10, 10, NOW_S), now_s=EARLIER_S)
    requests: list[str] = []

    def rival_restarts(**_: object) -> None:
        requests.append("UpdateItem")
        if len(requests) == 2:  # between our failed add and our restart
            assert counters.charge(Charge(counter, rival, 10, LATER_S), now_s=NOW_S)

    aws.dynamodb.meta.events.register("before-parameter-build.dynamodb.UpdateItem", rival_restarts)
    assert counters.charge(Charge(counter, 3, 10, LATER_S), now_s=NOW_S) is granted
    assert counters.read([counter], now_s=NOW_S) == (total,)


def test_an_impossible_charge_costs_nothing(aws: Aws) -> None:
    aws.meter.reset()
    assert not aws.store().counters.charge(Charge(new_key(), 3, 2, LATER_S), now_s=NOW_S)
    assert aws.meter.calls == {}
