"""One suite, four backends: the simulator, moto, dynalite and MiniStack."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.dynalite import dynalite, why_missing
from tests.support.ministack import ministack
from tests.support.stores import Aws, Backend, aws_at, memory_backend, moto_backend

DYNALITE = pytest.param("dynalite", marks=[pytest.mark.dynalite, pytest.mark.xdist_group("dynalite")])
MINISTACK = pytest.param("ministack", marks=[pytest.mark.ministack, pytest.mark.xdist_group("ministack")])


@pytest.fixture(scope="session")
def dynalite_aws() -> Iterator[Aws]:
    reason = why_missing()
    if reason is not None:
        pytest.fail(reason)
    with dynalite() as url, aws_at(url, bare=True) as aws:
        yield aws


@pytest.fixture(scope="session")
def ministack_aws() -> Iterator[Aws]:
    with ministack() as url, aws_at(url) as aws:
        yield aws


@pytest.fixture(params=["memory", "moto", DYNALITE, MINISTACK])
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    """A store on each backend. The servers and their tables are shared: use keys of your own."""
    name: str = request.param
    if name == "memory":
        yield memory_backend()
    elif name == "moto":
        with moto_backend() as moto:
            yield moto
    else:
        aws: Aws = request.getfixturevalue(f"{name}_aws")
        yield Backend(name, aws.store(), aws)


@pytest.fixture
def atomic_backend(backend: Backend) -> Backend:
    """A backend whose writes are atomic between threads."""
    if backend.name == "moto":
        pytest.skip("moto checks a condition and writes in two steps: threads see it halfway")
    return backend
