"""What tests of every kind share: a whole relay, running."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.faults.report import fault_lines, told_lines
from tests.interop.people import RunningRelay
from tests.interop.running import start_local_relay
from tests.support.hostile_report import hostile_lines

if TYPE_CHECKING:
    from infra.package.build import Built
    from tests.support.packaged import Deployed


# The same examples in every run, so that a change is judged by what it changes; `make explore` tries others.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))


@pytest.fixture(scope="session")
def local_relay() -> Iterator[RunningRelay]:
    """`dm3 local` in a process of its own, stopped when the tests are over.

    Tests that use it belong to the xdist group "local-relay", so that only one worker starts it.
    """
    with start_local_relay() as relay:
        yield relay


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The bundle and the template, as `make package` builds them.

    Tests that use it belong to the xdist group "deployed-relay", so that they are built once.
    """
    # Imported here: most runs of a few tests need no packaging.
    from infra.package.build import build

    return build(tmp_path_factory.mktemp("build"))


@pytest.fixture(scope="session")
def deployed_stack(built: Built) -> Iterator[Deployed]:
    """The packaged relay in a MiniStack of its own, beside a chain of its own (same xdist group)."""
    from tests.support.packaged import deployed

    with deployed(built) as running:
        yield running


@pytest.fixture(scope="session")
def deployed_relay(deployed_stack: Deployed) -> RunningRelay:
    """The packaged relay, as the suites that know nothing of packaging see it (same xdist group)."""
    return deployed_stack.relay


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what the fault tests and the hostile servers did: a number that is not printed is not looked at."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.getreports(kind)]
    properties = [report.user_properties for report in reports]
    for line in (*fault_lines(properties), *told_lines(properties), *hostile_lines(properties)):
        terminalreporter.write_line(line)
