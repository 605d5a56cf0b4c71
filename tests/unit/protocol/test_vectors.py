"""Every case of the test vectors of the reference, and the table of how they fare (`pytest -s`)."""

from __future__ import annotations

from collections import Counter

import pytest

from chalicelib.protocol.crypto import PADDING_BYTES, SCHEME
from chalicelib.protocol.envelope import VERSION
from chalicelib.protocol.extension import ProfileExtension
from chalicelib.protocol.keys import DEFAULT_NONCE
from chalicelib.protocol.profile import DELIVERY_SERVICE_RECORD, USER_PROFILE_RECORD
from tests.vectors.cases import Case, constants, disagreement, groups, runners
from tests.vectors.exceptions import reasons

pytestmark = pytest.mark.xdist_group("vectors")  # one process, so that the table counts all of them

CASES = [(group, case) for group, cases in groups().items() for case in cases]
EXCEPTED = reasons({case["id"] for _, case in CASES})


@pytest.fixture(scope="module")
def outcomes() -> dict[str, str | None]:
    """How each case that has been run differs."""
    return {}


@pytest.mark.parametrize(("group", "case"), CASES, ids=[case["id"] for _, case in CASES])
def test_case(group: str, case: Case, outcomes: dict[str, str | None]) -> None:
    found = outcomes[case["id"]] = disagreement(group, case)
    if case["id"] in EXCEPTED:
        assert found is not None, "the exception is not needed"
    else:
        assert found is None, found


def test_every_group_is_run() -> None:
    assert runners().keys() == groups().keys()


def test_constants() -> None:
    told = constants()
    assert told["default_nonce"] == DEFAULT_NONCE
    assert told["user_profile_record_name"] == USER_PROFILE_RECORD
    assert told["delivery_service_record_name"] == DELIVERY_SERVICE_RECORD
    assert told["encryption_scheme"] == SCHEME
    assert told["envelop_version"] == VERSION
    assert told["padding_block_size"] == PADDING_BYTES
    assert ProfileExtension.parse(told["default_profile_extension"]).supports("NEW")


def test_table(outcomes: dict[str, str | None], capsys: pytest.CaptureFixture[str]) -> None:
    """Prints what passed and what is excepted, of the cases run before it in this process."""
    excepted = Counter(group for group, case in CASES if case["id"] in EXCEPTED)
    passed = Counter(group for group, case in CASES if outcomes.get(case["id"], "not run") is None)
    with capsys.disabled():
        print(f"\n{'vectors':48}passed  excepted    of")  # noqa: T201 - the table is what this is for
        for group, cases in groups().items():
            print(f"{group:48}{passed[group]:6}{excepted[group]:10}{len(cases):6}")  # noqa: T201
        print(f"{'all':48}{passed.total():6}{excepted.total():10}{len(CASES):6}")  # noqa: T201
    assert passed.total() == len(outcomes.keys() - EXCEPTED.keys())
