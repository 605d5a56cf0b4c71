# pragma version 0.4.3
"""
@title A resolver for the local chain that is broken or lies
@license Apache-2.0
@notice How it is wrong is chosen when it is created; see `Fault` in infra/local/faults.py for the numbers.
"""

MAX_TEXT: constant(uint256) = 4096
HUGE: constant(uint256) = 131072

ADDR: constant(bytes4) = method_id("addr(bytes32)", output_type=bytes4)
TEXT: constant(bytes4) = method_id("text(bytes32,string)", output_type=bytes4)
SUPPORTS: constant(bytes4) = method_id("supportsInterface(bytes4)", output_type=bytes4)

REVERTS: constant(uint256) = 1
REVERTS_SILENTLY: constant(uint256) = 2
BURNS_GAS: constant(uint256) = 3
GARBAGE: constant(uint256) = 4
WRONG_TYPES: constant(uint256) = 5
HUGE_TEXT: constant(uint256) = 6
ANOTHER_NAME: constant(uint256) = 7
ONLY_ADDRESS: constant(uint256) = 8
ONLY_TEXT: constant(uint256) = 9
EXTENDED_GARBAGE: constant(uint256) = 10
FOREIGN_LOOKUP: constant(uint256) = 11
BURNS_GAS_ON_TEXT: constant(uint256) = 12

fault: uint256
target: address
said: String[MAX_TEXT]


@deploy
def __init__(fault: uint256, target: address, text: String[MAX_TEXT]):
    """
    @param fault What is wrong.
    @param target The address it answers where it answers one, whatever name it is asked for.
    @param text The text it answers where it answers one, whatever name and key it is asked for.
    """
    self.fault = fault
    self.target = target
    self.said = text


@external
@view
@raw_return
def __default__() -> Bytes[HUGE + 64]:
    assert self.fault != BURNS_GAS, UNREACHABLE  # an invalid instruction, which leaves no gas
    selector: bytes4 = convert(slice(msg.data, 0, 4), bytes4)
    assert self.fault != BURNS_GAS_ON_TEXT or selector != TEXT, UNREACHABLE
    if selector == SUPPORTS:
        return abi_encode(self.fault == EXTENDED_GARBAGE)
    if self.fault == REVERTS:
        raise "out of order"
    if self.fault == REVERTS_SILENTLY:
        raw_revert(b"")
    if self.fault == GARBAGE or self.fault == EXTENDED_GARBAGE:
        return slice(x"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", 0, 31)
    if self.fault == FOREIGN_LOOKUP:
        self._send_elsewhere()
    if self.fault == WRONG_TYPES:
        return abi_encode(self.said) if selector == ADDR else abi_encode(max_value(uint256))
    return self._records(selector)


@internal
@view
def _records(selector: bytes4) -> Bytes[HUGE + 64]:
    if selector == ADDR and self.fault != ONLY_TEXT:
        return abi_encode(self.target)
    if selector == TEXT and self.fault == HUGE_TEXT:
        return concat(convert(32, bytes32), convert(HUGE, bytes32), abi_encode(empty(uint256[HUGE // 32])))
    if selector == TEXT and self.fault != ONLY_ADDRESS:
        return abi_encode(self.said)
    return b""


@internal
@view
def _send_elsewhere():
    urls: DynArray[String[64], 1] = ["https://gateway.invalid/{sender}/{data}"]
    raw_revert(
        abi_encode(
            self.target,
            urls,
            b"",
            empty(bytes4),
            b"",
            method_id=method_id("OffchainLookup(address,string[],bytes,bytes4,bytes)"),
        )
    )
