"""The built template and bundle, deployed into MiniStack on loopback: a rehearsal of what AWS will do.

What MiniStack does not do yet is done here in its place and named in `Deployment.adjusted`; the template that
goes to AWS is never bent for it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import WaiterError

from infra.package.build import Built
from infra.package.cloudformation import CODE_BUCKET, CODE_KEY
from infra.package.emulated import for_ministack
from infra.package.errors import DeploymentError

REGION = "us-east-1"
STACK = "dm3-relay"
KEYS_PARAMETER = "/dm3/relay/keys"
_ROOT = "test"  # MiniStack's name and password for root
_UPLOADS = "uploads"
_GATEWAY_RESPONSES = "x-amazon-apigateway-gateway-responses"
_INTEGRATION = "x-amazon-apigateway-integration"


@dataclass(frozen=True, slots=True)
class Deployment:
    """A running stack.

    `url` is the relay's base URL, `sockets_url` where its sockets are, `front_host` the host of the
    distribution, to which MiniStack answers at its own address. `resources` maps logical names to (type,
    physical name), `outputs` are the stack's. `adjusted` says, one sentence each, what MiniStack needed that
    AWS does not.
    """

    url: str
    sockets_url: str
    front_host: str
    resources: Mapping[str, tuple[str, str]]
    outputs: Mapping[str, str]
    adjusted: tuple[str, ...]


class MiniStack:
    """Clients of one MiniStack, with root's credentials."""

    def __init__(self, endpoint_url: str) -> None:
        self.endpoint_url = endpoint_url
        self._session = boto3.session.Session(
            aws_access_key_id=_ROOT, aws_secret_access_key=_ROOT, region_name=REGION
        )

    def client(self, service: str) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
        """A client of `service`."""
        return self._session.client(service, endpoint_url=self.endpoint_url)  # type: ignore[call-overload]


def deploy_to_ministack(
    endpoint_url: str, built: Built, *, keys: str, parameters: Mapping[str, str], stack: str = STACK
) -> Deployment:
    """Put the relay's `keys` (JSON text), upload the bundle, create the stack and wait for it.

    `parameters` are the template's; RelayName and RpcUrls are required. Raises DeploymentError with the
    failed resources if the stack is not created.
    """
    cloud = MiniStack(endpoint_url)
    cloud.client("ssm").put_parameter(Name=KEYS_PARAMETER, Type="SecureString", Value=keys)
    code = _upload(cloud, built.archive.name, built.archive.read_bytes())
    emulated = for_ministack(json.loads(built.template.read_text("utf-8")), endpoint_url)
    template = _upload(cloud, "relay.template.json", json.dumps(emulated.template).encode())
    given = {**parameters, CODE_BUCKET: _UPLOADS, CODE_KEY: code}
    _create_stack(cloud, stack, f"{endpoint_url}/{_UPLOADS}/{template}", given)
    resources, outputs = _describe(cloud, stack)
    body = emulated.template["Resources"]["RestAPI"]["Properties"]["Body"]
    completed = _complete_api(cloud, resources["RestAPI"][1], body)
    # Policies refuse requests without TLS, which MiniStack enforces and cannot offer on loopback.
    cloud.client("s3").delete_bucket_policy(Bucket=resources["BodiesBucket"][1])
    url = f"{endpoint_url}/restapis/{resources['RestAPI'][1]}/{_stage(resources)}/_user_request_"
    return Deployment(
        url=url,
        sockets_url=f"{websocket_host(endpoint_url)}/_aws/execute-api/{resources['WebsocketAPI'][1]}/api",
        front_host=outputs["DistributionDomain"],
        resources=resources,
        outputs=outputs,
        adjusted=(*emulated.adjusted, *completed),
    )


def websocket_host(endpoint_url: str) -> str:
    """The same place for sockets."""
    return "ws" + endpoint_url.removeprefix("http")


def _upload(cloud: MiniStack, file_name: str, content: bytes) -> str:
    """Upload under a name that changes with the content, as CloudFormation needs to see a change."""
    name = f"{hashlib.sha256(content).hexdigest()[:16]}-{file_name}"
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=_UPLOADS)
    s3.put_object(Bucket=_UPLOADS, Key=name, Body=content)
    return name


def _create_stack(cloud: MiniStack, stack: str, template_url: str, parameters: Mapping[str, str]) -> None:
    formation = cloud.client("cloudformation")
    formation.create_stack(
        StackName=stack,
        TemplateURL=template_url,
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
    )
    try:
        formation.get_waiter("stack_create_complete").wait(
            StackName=stack, WaiterConfig={"Delay": 1, "MaxAttempts": 120}
        )
    except WaiterError as error:
        events = formation.describe_stack_events(StackName=stack)["StackEvents"]
        failed = [
            f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', '')}"
            for event in events
            if event["ResourceStatus"].endswith("_FAILED")
        ]
        raise DeploymentError("the stack was not created:\n" + "\n".join(failed)) from error


def _describe(cloud: MiniStack, stack: str) -> tuple[dict[str, tuple[str, str]], dict[str, str]]:
    formation = cloud.client("cloudformation")
    listed = formation.describe_stack_resources(StackName=stack)["StackResources"]
    resources = {
        item["LogicalResourceId"]: (item["ResourceType"], item["PhysicalResourceId"]) for item in listed
    }
    described = formation.describe_stacks(StackName=stack)["Stacks"][0]
    return resources, {item["OutputKey"]: item["OutputValue"] for item in described["Outputs"]}


def _stage(resources: Mapping[str, tuple[str, str]]) -> str:
    stages = [name for kind, name in resources.values() if kind == "AWS::ApiGateway::Stage"]
    return stages[0].rpartition("|")[2]


def _complete_api(cloud: MiniStack, api: str, body: dict[str, Any]) -> tuple[str, ...]:
    """What MiniStack's import of an OpenAPI document passes over: gateway answers, and those of mocks."""
    gateway = cloud.client("apigateway")
    for kind, response in body[_GATEWAY_RESPONSES].items():
        given = {
            name: response[name]
            for name in ("statusCode", "responseParameters", "responseTemplates")
            if name in response
        }
        gateway.put_gateway_response(restApiId=api, responseType=kind, **given)
    ids = {item["path"]: item["id"] for item in gateway.get_resources(restApiId=api, limit=500)["items"]}
    mocks = 0
    for path, methods in body["paths"].items():
        preflight = methods.get("options", {}).get(_INTEGRATION)
        if preflight is not None and preflight["type"] == "mock":
            _complete_mock(gateway, api, ids[path], preflight)
            mocks += 1
    gateway.create_deployment(restApiId=api, stageName="api")
    return (
        "The bucket policy that demands TLS taken away: there is none on loopback.",
        f"{len(body[_GATEWAY_RESPONSES])} gateway responses put by the API: MiniStack imports none.",
        f"{mocks} answers to preflights put by the API: MiniStack imports mocks without their answers.",
    )


def _complete_mock(gateway: Any, api: str, resource: str, integration: dict[str, Any]) -> None:  # noqa: ANN401
    method = {"restApiId": api, "resourceId": resource, "httpMethod": "OPTIONS"}
    answer = integration["responses"]["default"]
    headers = answer["responseParameters"]
    gateway.put_integration(**method, type="MOCK", requestTemplates=integration["requestTemplates"])
    gateway.put_method_response(
        **method, statusCode=answer["statusCode"], responseParameters=dict.fromkeys(headers, False)
    )
    gateway.put_integration_response(**method, statusCode=answer["statusCode"], responseParameters=headers)
