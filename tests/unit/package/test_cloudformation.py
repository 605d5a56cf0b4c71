from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.package.cloudformation import CODE_BUCKET, CODE_KEY, lint, translate
from infra.package.errors import PackagingError


def sam(tmp_path: Path, **properties: object) -> Path:
    function = {"Handler": "app.app", "Runtime": "python3.11", "CodeUri": "./deployment.zip", **properties}
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Transform": "AWS::Serverless-2016-10-31",
        "Parameters": {},
        "Resources": {"Hello": {"Type": "AWS::Serverless::Function", "Properties": function}},
    }
    file = tmp_path / "sam.yaml"
    file.write_text(yaml.safe_dump(template))
    return file


def test_the_local_path_of_the_bundle_becomes_two_parameters(tmp_path: Path) -> None:
    translated = translate(sam(tmp_path))
    assert translated["Resources"]["Hello"]["Type"] == "AWS::Lambda::Function"
    assert translated["Resources"]["Hello"]["Properties"]["Code"] == {
        "S3Bucket": {"Ref": CODE_BUCKET},
        "S3Key": {"Ref": CODE_KEY},
    }
    assert {CODE_BUCKET, CODE_KEY} <= set(translated["Parameters"])
    assert "Transform" not in translated


def test_what_sam_refuses_is_told_with_its_reason(tmp_path: Path) -> None:
    with pytest.raises(PackagingError, match="Hello"):
        translate(sam(tmp_path, NoSuchProperty=1))


def test_a_mistake_that_shows_only_after_translation_is_found(tmp_path: Path) -> None:
    translated: dict[str, Any] = translate(sam(tmp_path, MemorySize=1))
    assert any("MemorySize" in finding for finding in lint(translated))
