from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from chalicelib.config import Keys
from chalicelib.protocol.crypto import encryption_key_pair, signing_key_pair
from chalicelib.protocol.profile import DeliveryServiceProfile
from chalicelib.protocol.profile_uri import InlineProfile, parse_profile_uri
from infra.package.keys import main
from infra.package.stage import TEMPLATE
from infra.package.template import assemble

PARAMETER = "/dm3/test/keys"


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws():
        yield


def stored() -> tuple[str, Keys]:
    parameter = boto3.client("ssm").get_parameter(Name=PARAMETER, WithDecryption=True)["Parameter"]
    return parameter["Type"], Keys.parse(parameter["Value"])


def test_new_keys_are_stored_sealed_and_never_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["create", "--parameter", PARAMETER]) == 0
    kind, keys = stored()
    assert kind == "SecureString"
    assert len({keys.encryption, keys.signing, keys.session, keys.index, *keys.storage}) == 5
    said = capsys.readouterr().out
    assert PARAMETER in said
    assert not any(secret in said for secret in keys.to_text().split('"') if len(secret) > 20)


def test_keys_that_are_there_are_never_replaced() -> None:
    main(["create", "--parameter", PARAMETER])
    before = stored()
    with pytest.raises(ClientError, match="ParameterAlreadyExists"):
        main(["create", "--parameter", PARAMETER])
    assert stored() == before


def test_the_record_names_the_public_keys_and_the_url_without_its_last_slash(
    capsys: pytest.CaptureFixture[str],
) -> None:
    main(["create", "--parameter", PARAMETER])
    capsys.readouterr()
    main(["record", "--parameter", PARAMETER, "--url", "https://relay.example/api/"])
    uri = parse_profile_uri(capsys.readouterr().out.strip())
    assert isinstance(uri, InlineProfile)
    _, keys = stored()
    assert DeliveryServiceProfile.parse(uri.value) == DeliveryServiceProfile(
        public_encryption_key=encryption_key_pair(keys.encryption).public_key,
        public_signing_key=signing_key_pair(keys.signing).public_key,
        url="https://relay.example/api",
    )


def test_an_origin_s_secret_is_new_each_time_and_fits_the_template(
    capsys: pytest.CaptureFixture[str],
) -> None:
    main(["origin"])
    main(["origin"])
    one, other = capsys.readouterr().out.split()
    assert one != other
    parameters = assemble(TEMPLATE)["Parameters"]
    assert re.fullmatch(parameters["OriginSecret"]["AllowedPattern"], one)


def test_older_keys_are_given_one_for_web_push_and_keep_the_others(
    capsys: pytest.CaptureFixture[str],
) -> None:
    main(["create", "--parameter", PARAMETER])
    _, newest = stored()
    older = replace(newest, push=None)
    boto3.client("ssm").put_parameter(Name=PARAMETER, Value=older.to_text(), Overwrite=True)
    assert main(["push", "--parameter", PARAMETER]) == 0
    kind, given = stored()
    assert kind == "SecureString"
    assert given.push is not None
    assert replace(given, push=None) == older
    said = capsys.readouterr().out
    assert "Added a key" in said
    assert given.to_text() not in said


def test_a_key_for_web_push_is_never_replaced(capsys: pytest.CaptureFixture[str]) -> None:
    main(["create", "--parameter", PARAMETER])
    before = stored()
    main(["push", "--parameter", PARAMETER])
    assert stored() == before
    assert "have one for web push" in capsys.readouterr().out
