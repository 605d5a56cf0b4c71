from __future__ import annotations

import copy
from typing import Any

import pytest

from infra.package.emulated import for_ministack

ENDPOINT = "http://127.0.0.1:4566"


@pytest.fixture
def template() -> dict[str, Any]:
    def function(variables: dict[str, Any]) -> dict[str, Any]:
        return {"Type": "AWS::Lambda::Function", "Properties": {"Environment": {"Variables": variables}}}

    def origin(name: str) -> dict[str, Any]:
        return {
            "Id": name,
            "DomainName": {"Fn::Sub": "${X}.execute-api.x"},
            "OriginPath": "/api",
            "OriginCustomHeaders": [{"HeaderName": "x-dm3-origin", "HeaderValue": {"Ref": "OriginSecret"}}],
            "CustomOriginConfig": {"OriginProtocolPolicy": "https-only", "OriginSSLProtocols": ["TLSv1.2"]},
        }

    return {
        "Resources": {
            "Deployment": {"Type": "AWS::ApiGatewayV2::Deployment", "Properties": {}},
            "Stage": {
                "Type": "AWS::ApiGatewayV2::Stage",
                "Properties": {"DeploymentId": {"Ref": "Deployment"}, "StageName": "api"},
            },
            "Api": function({"DM3_SOCKETS_URL": {"Fn::Sub": "https://aws"}, "DM3_SMS": "false"}),
            "Bodies": function({"DM3_BODIES_BUCKET": "b"}),
            "Bare": {"Type": "AWS::Lambda::Function", "Properties": {}},
            "Distribution": {
                "Type": "AWS::CloudFront::Distribution",
                "Properties": {"DistributionConfig": {"Origins": [origin("rest"), origin("sockets")]}},
            },
        }
    }


def test_what_goes_to_aws_stays_as_it_is(template: dict[str, Any]) -> None:
    before = copy.deepcopy(template)
    for_ministack(template, ENDPOINT)
    assert template == before


def test_deployments_are_left_out_and_nothing_refers_to_them(template: dict[str, Any]) -> None:
    emulated = for_ministack(template, ENDPOINT)
    assert "Deployment" not in emulated.template["Resources"]
    assert emulated.template["Resources"]["Stage"]["Properties"] == {"StageName": "api"}
    assert emulated.adjusted[0].startswith("1 deployments")


def test_functions_post_to_sockets_where_they_are(template: dict[str, Any]) -> None:
    resources = for_ministack(template, ENDPOINT).template["Resources"]
    assert resources["Api"]["Properties"]["Environment"]["Variables"] == {
        "DM3_SOCKETS_URL": {"Fn::Sub": ENDPOINT + "/_aws/execute-api/${WebsocketAPI}/api"},
        "DM3_SMS": "false",
    }
    assert resources["Bodies"] == template["Resources"]["Bodies"]


def test_the_distribution_leads_to_the_emulator_and_says_so_as_ever(template: dict[str, Any]) -> None:
    resources = for_ministack(template, ENDPOINT).template["Resources"]
    rest, sockets = resources["Distribution"]["Properties"]["DistributionConfig"]["Origins"]
    assert rest["OriginPath"] == {"Fn::Sub": "/_aws/execute-api/${RestAPI}/api"}
    assert sockets["OriginPath"] == {"Fn::Sub": "/_aws/execute-api/${WebsocketAPI}/api"}
    for origin in (rest, sockets):
        assert origin["DomainName"] == "127.0.0.1"
        assert origin["CustomOriginConfig"] == {"OriginProtocolPolicy": "http-only", "HTTPPort": 4566}
        assert origin["OriginCustomHeaders"][0]["HeaderName"] == "x-dm3-origin"
