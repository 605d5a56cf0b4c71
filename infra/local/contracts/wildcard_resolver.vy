# pragma version 0.4.3
"""
@title A wildcard resolver for the local chain
@license Apache-2.0
@notice
    An extended resolver (ENSIP-10): one record in the registry, and every name below has an answer. Records are
    kept by node, written with the calls of ENS's public resolver; the records of the zero node are those of
    every name that has none of its own. Anybody may write.
"""

MAX_TEXT: constant(uint256) = 8192
MAX_KEY: constant(uint256) = 256
MAX_NAME: constant(uint256) = 1024
MAX_CALL: constant(uint256) = 4096

ADDR: constant(bytes4) = method_id("addr(bytes32)", output_type=bytes4)
TEXT: constant(bytes4) = method_id("text(bytes32,string)", output_type=bytes4)

addresses: HashMap[bytes32, address]
texts: HashMap[bytes32, HashMap[String[MAX_KEY], String[MAX_TEXT]]]


@external
def setAddr(node: bytes32, target: address):
    """@notice The address that the name of `node` points at."""
    self.addresses[node] = target


@external
def setText(node: bytes32, key: String[MAX_KEY], text: String[MAX_TEXT]):
    """@notice The text record `key` of the name of `node`."""
    self.texts[node][key] = text


@external
@view
def supportsInterface(interfaceId: bytes4) -> bool:
    """@notice ERC-165."""
    return interfaceId == 0x01ffc9a7 or interfaceId == 0x9061b923


@external
@view
def resolve(name: Bytes[MAX_NAME], data: Bytes[MAX_CALL]) -> Bytes[MAX_TEXT + 64]:
    """
    @notice The record that the call `data` asks for.
    @dev Reverts with UnsupportedResolverProfile(bytes4) for other records than addresses and texts.
    """
    selector: bytes4 = convert(slice(data, 0, 4), bytes4)
    if selector == ADDR:
        target: address = self.addresses[convert(slice(data, 4, 32), bytes32)]
        return abi_encode(target if target != empty(address) else self.addresses[empty(bytes32)])
    if selector == TEXT:
        node: bytes32 = empty(bytes32)
        key: String[MAX_KEY] = ""
        node, key = abi_decode(slice(data, 4, len(data) - 4), (bytes32, String[MAX_KEY]))
        own: String[MAX_TEXT] = self.texts[node][key]
        return abi_encode(own if len(own) != 0 else self.texts[empty(bytes32)][key])
    raw_revert(abi_encode(selector, method_id=method_id("UnsupportedResolverProfile(bytes4)")))
