"""The function of the distribution, run by Node as CloudFront runs it: an event in, a request out."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from chalicelib.api.source import VIEWER_HEADER, source_of
from infra.package.stage import TEMPLATE
from infra.package.template import assemble

CALLER = "2001:db8::7"


def front_desk(uri: str, headers: dict[str, str]) -> dict[str, Any]:
    code = assemble(TEMPLATE)["Resources"]["FrontDesk"]["Properties"]["FunctionCode"]
    event = {
        "viewer": {"ip": CALLER},
        "request": {
            "method": "GET",
            "uri": uri,
            "querystring": {"EIO": {"value": "4"}},
            "headers": {name: {"value": value} for name, value in headers.items()},
        },
    }
    program = f"{code}\nprocess.stdout.write(JSON.stringify(handler({json.dumps(event)})))"
    run = subprocess.run(["node", "-e", program], capture_output=True, text=True, check=True)
    answer: dict[str, Any] = json.loads(run.stdout)
    return answer


@pytest.mark.parametrize(
    ("uri", "mapped"),
    [
        ("/socket.io/", "/"),
        ("/socket.io/anything", "/"),
        ("/live", "/"),
        ("/lively", "/lively"),
        ("/", "/"),
        ("/rpc", "/rpc"),
        ("/profile/b%C3%B6b.eth", "/profile/b%C3%B6b.eth"),
        ("/profile/socket.io/", "/profile/socket.io/"),
    ],
)
def test_only_the_paths_of_sockets_are_mapped_and_the_query_stays(uri: str, mapped: str) -> None:
    request = front_desk(uri, {})
    assert request["uri"] == mapped
    assert request["querystring"] == {"EIO": {"value": "4"}}


@pytest.mark.parametrize("sent", [{}, {VIEWER_HEADER: "192.0.2.66"}])
def test_the_caller_is_whom_cloudfront_sees_whatever_he_says(sent: dict[str, str]) -> None:
    headers = front_desk("/rpc", {"authorization": "Bearer t", **sent})["headers"]
    assert headers.pop("authorization") == {"value": "Bearer t"}
    assert headers == {VIEWER_HEADER: {"value": CALLER}}
    passed_on = {VIEWER_HEADER: CALLER, "x-dm3-origin": "s" * 40}
    assert source_of(passed_on, {}, "s" * 40) == CALLER
