"""From the SAM template that Chalice writes to the CloudFormation that AWS executes, and its linting.

AWS would translate it on its own side, out of sight. Done here, the result can be linted (most mistakes show
only after translation), read, tested and deployed into an emulator.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import yaml

from infra.package.errors import PackagingError
from infra.package.stage import ANY_REGION

CODE_BUCKET = "CodeBucket"
CODE_KEY = "CodeKey"
"""Parameters that the translated template gains: where the bundle was uploaded."""


class _NoManagedPolicies:
    """The relay uses no policy of AWS's making, so there are none to look up."""

    def load(self) -> dict[str, str]:
        return {}


def _with_code_parameters(sam: dict[str, Any]) -> dict[str, Any]:
    """`sam` with the local path of the bundle replaced by parameters: a local path means nothing to AWS."""
    parameters = {
        CODE_BUCKET: {"Type": "String", "Description": "Bucket that the bundle was uploaded to."},
        CODE_KEY: {"Type": "String", "Description": "Key of the bundle in that bucket."},
    }
    resources = {
        name: {**resource, "Properties": {**resource["Properties"], "CodeUri": _CODE}}
        if resource["Type"] == "AWS::Serverless::Function"
        else resource
        for name, resource in sam["Resources"].items()
    }
    return {**sam, "Parameters": {**sam["Parameters"], **parameters}, "Resources": resources}


_CODE = {"Bucket": {"Ref": CODE_BUCKET}, "Key": {"Ref": CODE_KEY}}


def handlers(sam_template: Path) -> tuple[str, ...]:
    """What Lambda calls in each function of `sam_template`, such as `app.bodies`."""
    resources = yaml.safe_load(sam_template.read_text("utf-8"))["Resources"].values()
    functions = [item for item in resources if item["Type"] == "AWS::Serverless::Function"]
    return tuple(sorted(item["Properties"]["Handler"] for item in functions))


def translate(sam_template: Path) -> dict[str, Any]:
    """The CloudFormation template that `sam_template` stands for. Raises PackagingError if SAM refuses it."""
    # The translator asks the environment for a region, and answers with AWS's partition.
    os.environ.setdefault("AWS_DEFAULT_REGION", ANY_REGION)
    from samtranslator.model.exceptions import InvalidDocumentException
    from samtranslator.translator.transform import transform

    sam = _with_code_parameters(yaml.safe_load(sam_template.read_text("utf-8")))
    try:
        translated: dict[str, Any] = transform(sam, {}, _NoManagedPolicies())
    except InvalidDocumentException as error:
        raise PackagingError(f"SAM refuses the template: {[c.message for c in error.causes]}") from error
    return translated


def lint(template: dict[str, Any]) -> list[str]:
    """What cfn-lint finds in `template`: errors and warnings, one line each."""
    from cfnlint.api import lint as run
    from cfnlint.config import ManualArgs

    text = json.dumps(template, indent=1)
    found = run(text, config=ManualArgs(regions=[ANY_REGION, "eu-central-1"]))
    return [f"{match.rule.id} {'/'.join(map(str, match.path or []))}: {match.message}" for match in found]
