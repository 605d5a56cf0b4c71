"""The template as MiniStack takes it: what it does not know is left out, and each change is told.

The template that goes to AWS is never bent for an emulator; this is a copy of it.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

_DEPLOYMENT = "AWS::ApiGatewayV2::Deployment"
_STAGE = "AWS::ApiGatewayV2::Stage"
_FUNCTION = "AWS::Lambda::Function"
_DISTRIBUTION = "AWS::CloudFront::Distribution"
_SOCKETS_URL = "DM3_SOCKETS_URL"
# Which API stands behind an origin of the distribution.
_ORIGINS = {"rest": "RestAPI", "sockets": "WebsocketAPI"}


@dataclass(frozen=True, slots=True)
class Emulated:
    """A template for MiniStack; `adjusted` says, one sentence each, what is different from AWS's."""

    template: dict[str, Any]
    adjusted: tuple[str, ...]


def for_ministack(template: dict[str, Any], endpoint_url: str) -> Emulated:
    """`template` for the MiniStack at `endpoint_url`; the argument is not changed."""
    changed = copy.deepcopy(template)
    resources: dict[str, dict[str, Any]] = changed["Resources"]
    deployments = [name for name, item in resources.items() if item["Type"] == _DEPLOYMENT]
    for name in deployments:
        del resources[name]
    for item in resources.values():
        if item["Type"] == _STAGE and deployments:
            item["Properties"].pop("DeploymentId", None)
        if item["Type"] == _FUNCTION:
            _post_to(endpoint_url, item["Properties"].get("Environment", {}).get("Variables", {}))
        if item["Type"] == _DISTRIBUTION:
            for origin in item["Properties"]["DistributionConfig"]["Origins"]:
                _lead_to(endpoint_url, origin)
    return Emulated(
        changed,
        (
            f"{len(deployments)} deployments of WebSocket APIs left out: MiniStack serves stages without.",
            "The functions post to sockets at MiniStack's address: they would look for AWS's.",
            "CloudFront leads to MiniStack's address in the clear, and carries no sockets.",
        ),
    )


def _post_to(endpoint_url: str, variables: dict[str, Any]) -> None:
    if _SOCKETS_URL in variables:
        variables[_SOCKETS_URL] = {"Fn::Sub": endpoint_url + _path_of("WebsocketAPI")}


def _lead_to(endpoint_url: str, origin: dict[str, Any]) -> None:
    address = urlsplit(endpoint_url)
    origin["DomainName"] = address.hostname
    origin["OriginPath"] = {"Fn::Sub": _path_of(_ORIGINS[origin["Id"]])}
    origin["CustomOriginConfig"] = {"OriginProtocolPolicy": "http-only", "HTTPPort": address.port}


def _path_of(api: str) -> str:
    """Where MiniStack serves the stage of an API that is called by its logical name."""
    return f"/_aws/execute-api/${{{api}}}/api"
