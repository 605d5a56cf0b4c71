from __future__ import annotations

import pytest
from eth_abi.abi import encode
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.names.ports import OffchainLookup, RpcError
from chalicelib.names.rpc_answers import MAX_GATEWAY_URLS, offchain_lookup, returned, revert_data
from chalicelib.protocol.errors import Unavailable
from chalicelib.protocol.json_types import JsonValue

TYPES = ["address", "string[]", "bytes", "bytes4", "bytes"]


def test_what_a_contract_returned() -> None:
    assert returned("0x") == b""
    assert returned("0x0Aff") == b"\x0a\xff"


@pytest.mark.parametrize("value", [None, 1, True, "", "ff", "0x1", "0xgg", ["0x"], {"a": "0x"}])
def test_an_answer_that_is_no_hex(value: JsonValue) -> None:
    with pytest.raises(Unavailable):
        returned(value)


@pytest.mark.parametrize(
    ("error", "data"),
    [
        (RpcError(3, "execution reverted", "0x77209fe8"), b"\x77\x20\x9f\xe8"),
        (RpcError(3, "anything", {"data": "0x77209fe8"}), b"\x77\x20\x9f\xe8"),
        (RpcError(-32015, "VM execution error.", "Reverted 0x77209fe8"), b"\x77\x20\x9f\xe8"),
        (RpcError(-32000, "execution reverted"), b""),
        (RpcError(3, "execution reverted", ["0x77209fe8"]), b""),
        (RpcError(-32000, "out of gas"), b""),
        (RpcError(-32015, "OutOfGas"), b""),
        (RpcError(-32603, "EVM error MemoryOOG"), b""),
    ],
)
def test_what_a_revert_says(error: RpcError, data: bytes) -> None:
    assert revert_data(error) == data


@pytest.mark.parametrize(
    "error",
    [
        RpcError(-32005, "rate limited"),
        RpcError(-32000, "header not found"),
        RpcError(0, ""),
        RpcError(-32601, "method not found", "0x77209fe8"),
    ],
)
def test_a_refusal_of_the_node_is_no_revert(error: RpcError) -> None:
    with pytest.raises(Unavailable):
        revert_data(error)


def test_an_offchain_lookup_with_as_many_gateways_as_are_asked() -> None:
    urls = [f"https://gateway{number}" for number in range(MAX_GATEWAY_URLS + 3)]
    arguments = encode(TYPES, ["0x" + "12" * 20, urls, b"question", b"\x01\x02\x03\x04", b"extra"])
    assert offchain_lookup(arguments) == OffchainLookup(
        b"\x12" * 20, tuple(urls[:MAX_GATEWAY_URLS]), b"question", b"\x01\x02\x03\x04", b"extra"
    )


@given(st.binary(max_size=300))
@settings(deadline=None, max_examples=200)
def test_a_garbled_lookup_is_unavailable(arguments: bytes) -> None:
    with pytest.raises(Unavailable):
        offchain_lookup(arguments)
