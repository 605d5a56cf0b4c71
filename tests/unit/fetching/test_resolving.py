from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from ipaddress import ip_address

import pytest

from chalicelib.fetching.addresses import Address
from chalicelib.fetching.deadline import Deadline
from chalicelib.fetching.resolving import BoundedResolver, system_resolver
from chalicelib.protocol.errors import Unavailable

PUBLIC = [ip_address("8.8.8.8"), ip_address("2606:4700::1")]


def test_the_addresses_of_a_host_come_in_the_resolver_s_order() -> None:
    assert BoundedResolver(lambda _: PUBLIC).resolve("example.com", Deadline(1)) == PUBLIC


@pytest.mark.parametrize("error", [OSError("no such host"), UnicodeError("label too long"), ValueError()])
def test_a_host_that_is_not_found_is_unavailable(error: Exception) -> None:
    def fails(_: str) -> Sequence[Address]:
        raise error

    resolver = BoundedResolver(fails, at_once=1)
    for _ in range(3):
        with pytest.raises(Unavailable) as refusal:
            resolver.resolve("secret.example", Deadline(1))
        assert "secret" not in refusal.value.message


def test_a_host_without_addresses_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        BoundedResolver(lambda _: []).resolve("example.com", Deadline(1))


def test_a_resolver_that_hangs_keeps_its_place_and_nobody_waits_beyond_the_deadline() -> None:
    free, started, running = threading.Event(), [], threading.active_count()

    def hangs(host: str) -> Sequence[Address]:
        started.append(host)
        free.wait(10)
        return PUBLIC

    resolver = BoundedResolver(hangs, at_once=2)
    begun_s = time.monotonic()
    for number in range(5):
        with pytest.raises(Unavailable):
            resolver.resolve(f"host-{number}", Deadline(0.05))
    assert time.monotonic() - begun_s < 1
    assert started == ["host-0", "host-1"], "only two threads at a time"
    assert threading.active_count() <= running + 2
    free.set()
    assert resolver.resolve("host-5", Deadline(5)) == PUBLIC


def test_the_system_knows_this_machine() -> None:
    assert ip_address("127.0.0.1") in system_resolver("localhost")


def test_a_name_that_cannot_exist_is_not_found() -> None:
    with pytest.raises(OSError, match=r".+"):
        system_resolver("nothing.invalid")
