"""`POST /rpc`: the JSON-RPC methods of a dm3 delivery service.

Specification: dm3 message transport, "API delivery service (incoming messages)". The dialects are told in
`api.jsonrpc`, the differences from the reference in docs/api.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from chalicelib.api import logs
from chalicelib.api.answers import Answer
from chalicelib.api.edge import BODY_LIMIT_BYTES, Call, Routes
from chalicelib.api.jsonrpc import JsonRpc, Method
from chalicelib.protocol.errors import InvalidParams, NotFound, ParseError
from chalicelib.protocol.json_types import JsonValue

if TYPE_CHECKING:
    from chalicelib.api.models import NameParams, NoParams, SubmitParams
    from chalicelib.relay.service import Relay

Source = str
"""What a method is told of its caller: the network address, for quotas."""


def routes(relay: Callable[[], Relay]) -> Routes:
    """The blueprint of `POST /rpc`; `relay` is called when the first method needs it."""
    engine = JsonRpc(methods(relay), max_body_bytes=BODY_LIMIT_BYTES, defect=logs.defect)
    collected = Routes("rpc")

    @collected.add("POST", "/rpc", "JSON-RPC 2.0; the method rpc.discover describes it.")
    def rpc(call: Call) -> Answer:
        return engine.answer(call.body, call.source)

    return collected


def methods(relay: Callable[[], Relay]) -> tuple[Method[Source], ...]:
    """The methods of the relay."""

    def submit(params: SubmitParams, source: Source) -> JsonValue:
        try:
            submitted = relay().admission.submit(params.envelope, source=source)
        except ParseError:
            # -32700 is for a request that cannot be parsed; here it is a parameter.
            raise InvalidParams("The envelope is not valid JSON.") from None
        return {**submitted.receipt.to_json(), "duplicate": submitted.duplicate}

    def properties(_params: NoParams, _source: Source) -> JsonValue:
        return relay().properties().to_json()

    def extension(params: NameParams, source: Source) -> JsonValue:
        return relay().accounts.extension(params.name, source=source).to_json()

    def discover(_params: NoParams, _source: Source) -> JsonValue:
        # Only here, since describing the API is rare and its models take time to import.
        from chalicelib.api.openrpc import document

        return document(described)

    described: tuple[Method[Source], ...] = (
        Method(
            "dm3_submitMessage",
            "Deliver an envelope to a receiver of this delivery service.",
            "SubmitParams",
            submit,
            "Receipt",
        ),
        Method(
            "dm3_getDeliveryServiceProperties",
            "What a sender must know of this delivery service.",
            "NoParams",
            properties,
            "DeliveryServiceProperties",
        ),
        Method(
            "dm3_getProfileExtension",
            "What a sender must know of a receiver.",
            "NameParams",
            extension,
            "ProfileExtension",
            {NotFound: (400, "unknown user")},
        ),
        Method("rpc.discover", "This interface as an OpenRPC document.", "NoParams", discover, "OpenRpc"),
    )
    return described
