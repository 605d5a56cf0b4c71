"""Telling a contract that reverted from a node that refused to answer."""

from __future__ import annotations

import re
from typing import Final

from chalicelib.names.ports import RpcError
from chalicelib.protocol.errors import Unavailable

_REVERTED: Final = 3
_REVERT_HEX: Final = re.compile(r"0x((?:[0-9a-fA-F]{2})+)$")


def revert_data(error: RpcError) -> bytes:
    """The data of a revert. Raises `Unavailable` if the node refused for another reason.

    Nodes differ: geth and anvil give code 3 and the hex, others another code, an object around the hex, a
    word before it, or no data at all.
    """
    data = error.data.get("data") if isinstance(error.data, dict) else error.data
    text = data if isinstance(data, str) else ""
    if error.code != _REVERTED and "revert" not in (error.message + text).lower():
        raise Unavailable("The node refused to answer; try again.")
    revert = _REVERT_HEX.search(text)
    return bytes.fromhex(revert[1]) if revert else b""
