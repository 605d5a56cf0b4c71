from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from chalicelib.aws.clients import Patience, client
from tests.support.stores import CREDENTIALS, REGION

SERVICES = ("apigatewaymanagementapi", "dynamodb", "dynamodbstreams", "s3", "sesv2", "sns", "sqs", "ssm")


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_has_its_client(service: str) -> None:
    made = client(service, region=REGION, credentials=CREDENTIALS)
    assert made.meta.service_model.service_name == service
    assert made.meta.region_name == REGION
    assert made.meta.config.retries == {"mode": "standard", "total_max_attempts": 3}
    assert (made.meta.config.connect_timeout, made.meta.config.read_timeout) == (1.0, 3.0)


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_can_be_elsewhere(service: str) -> None:
    url = "http://127.0.0.1:4566/stage"
    made = client(service, region=REGION, credentials=CREDENTIALS, endpoint_url=url)
    assert made.meta.endpoint_url == url
    assert made.meta.config.s3 == {"addressing_style": "path"}


def test_patience_and_connections_are_the_caller_s() -> None:
    patience = Patience(connect_timeout_s=0.25, read_timeout_s=9.0, attempts=1)
    made = client("sqs", region=REGION, credentials=CREDENTIALS, patience=patience, connections=3)
    config: Any = made.meta.config
    assert (config.connect_timeout, config.read_timeout, config.max_pool_connections) == (0.25, 9.0, 3)
    assert config.retries == {"mode": "standard", "total_max_attempts": 1}


def test_region_and_credentials_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    assert client("sns", endpoint_url=None).meta.region_name == "eu-central-1"


def test_importing_the_carriers_imports_nothing_heavy() -> None:
    program = (
        "import sys, pkgutil, importlib, chalicelib.aws\n"
        "for module in pkgutil.iter_modules(chalicelib.aws.__path__):\n"
        "    importlib.import_module('chalicelib.aws.' + module.name)\n"
        "print([name for name in ('botocore', 'boto3', 'urllib3', 'pydantic') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"
