from __future__ import annotations

import pytest

from chalicelib.names.ports import RpcError
from chalicelib.names.rpc_answers import revert_data
from chalicelib.protocol.errors import Unavailable


@pytest.mark.parametrize(
    ("error", "data"),
    [
        pytest.param(RpcError(3, "execution reverted", "0x01ff"), b"\x01\xff", id="geth and anvil"),
        pytest.param(RpcError(-32000, "Execution reverted", "0x"), b"", id="without data"),
        pytest.param(RpcError(-32015, "VM error", "Reverted 0x01"), b"\x01", id="in words"),
        pytest.param(RpcError(3, "reverted", {"data": "0x01"}), b"\x01", id="wrapped"),
        pytest.param(RpcError(3, "", {"data": ["0x01"]}), b"", id="nested junk"),
        pytest.param(RpcError(3, "reverted", "0xzz"), b"", id="no hex"),
        pytest.param(RpcError(3, ""), b"", id="the code alone"),
        pytest.param(RpcError(-32000, "out of gas"), b"", id="no gas left"),
        pytest.param(RpcError(-32000, "invalid opcode: INVALID"), b"", id="no code"),
    ],
)
def test_the_data_of_a_revert(error: RpcError, data: bytes) -> None:
    assert revert_data(error) == data


@pytest.mark.parametrize(
    "error",
    [RpcError(-32005, "rate limited"), RpcError(-32000, "header not found", "0x"), RpcError(0, "", "0x01")],
)
def test_any_other_refusal_is_the_node_s(error: RpcError) -> None:
    with pytest.raises(Unavailable):
        revert_data(error)
