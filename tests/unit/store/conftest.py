"""DynamoDB and S3 by moto, empty for each test, with a hook for faults."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.aws_faults import AwsFaults
from tests.support.stores import Aws, moto_backend


@pytest.fixture
def aws() -> Iterator[Aws]:
    with moto_backend() as backend:
        assert backend.aws is not None
        yield backend.aws


@pytest.fixture
def faults(aws: Aws) -> AwsFaults:
    assert aws.s3 is not None
    faults = AwsFaults()
    faults.attach(aws.dynamodb)
    faults.attach(aws.s3)
    return faults
