from __future__ import annotations

import ens.constants  # type: ignore[import-untyped]

from chalicelib.bootstrap import cache_policy
from chalicelib.config import Settings
from chalicelib.names.universal_resolver import UNIVERSAL_RESOLVER
from tests.unit.test_config import COMPLETE


def test_names_are_resolved_where_the_main_network_resolves_them() -> None:
    assert ens.constants.UNIVERSAL_RESOLVER_ADDR == UNIVERSAL_RESOLVER


def test_the_operator_s_lifetimes_are_those_of_the_cache() -> None:
    lifetimes = {"DM3_NAMES_LIFETIME_S": "7", "DM3_UNKNOWN_LIFETIME_S": "8", "DM3_STALE_NAMES_S": "9"}
    policy = cache_policy(Settings.read({**COMPLETE, **lifetimes}))
    assert (policy.positive_ms, policy.negative_ms, policy.stale_ms) == (7_000, 8_000, 9_000)
