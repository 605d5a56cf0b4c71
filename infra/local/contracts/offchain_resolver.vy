# pragma version 0.4.3
"""
@title A resolver for the local chain whose records are elsewhere
@license Apache-2.0
@notice
    An extended resolver (ENSIP-10) that sends its caller to gateways (ERC-3668) and believes what its signer
    has signed, for this contract, this question and until the answer expires. It can ask for further lookups
    before it gives the answer of the last one.
"""

MAX_NAME: constant(uint256) = 1024
MAX_CALL: constant(uint256) = 1024
MAX_URL: constant(uint256) = 512
MAX_URLS: constant(uint256) = 8
MAX_RESULT: constant(uint256) = 16384
MAX_RESPONSE: constant(uint256) = MAX_RESULT + 256
MAX_QUESTION: constant(uint256) = MAX_NAME + MAX_CALL + 164

gateways: DynArray[String[MAX_URL], MAX_URLS]
signer: address
lookups: uint256


@deploy
def __init__(gateways: DynArray[String[MAX_URL], MAX_URLS], signer: address, lookups: uint256):
    """
    @param gateways The URLs of ERC-3668, with {sender} and {data} where they belong.
    @param signer Whose signature makes an answer true.
    @param lookups How many lookups one answer takes, at least 1.
    """
    self.gateways = gateways
    self.signer = signer
    self.lookups = lookups


@external
@view
def supportsInterface(interfaceId: bytes4) -> bool:
    """@notice ERC-165."""
    return interfaceId == 0x01ffc9a7 or interfaceId == 0x9061b923


@external
@view
def resolve(name: Bytes[MAX_NAME], data: Bytes[MAX_CALL]) -> Bytes[MAX_RESULT]:
    """
    @notice Never answers.
    @dev Reverts with OffchainLookup; its data is the call `lookup(bytes,bytes,uint256)` with the name, the call
        and how many lookups are left, this one included.
    """
    self._send_elsewhere(abi_encode(name, data, self.lookups, method_id=method_id("lookup(bytes,bytes,uint256)")))
    return b""


@external
@view
def resolveWithProof(response: Bytes[MAX_RESPONSE], extraData: Bytes[MAX_QUESTION]) -> Bytes[MAX_RESULT]:
    """
    @notice The record, if `response` is `(bytes result, uint64 expires, bytes signature)` and all is well.
    @dev Reverts with a reason if not, and with OffchainLookup if another lookup is needed.
    """
    question: Bytes[MAX_QUESTION] = extraData
    result: Bytes[MAX_RESULT] = b""
    expires: uint64 = 0
    signature: Bytes[65] = b""
    result, expires, signature = abi_decode(response, (Bytes[MAX_RESULT], uint64, Bytes[65]))
    assert convert(expires, uint256) >= block.timestamp, "the answer has expired"
    digest: bytes32 = keccak256(
        concat(
            x"1900", convert(self, bytes20), convert(expires, bytes8), keccak256(question), keccak256(result)
        )
    )
    assert len(signature) == 65, "the answer is not signed"
    r: uint256 = convert(slice(signature, 0, 32), uint256)
    s: uint256 = convert(slice(signature, 32, 32), uint256)
    v: uint256 = convert(slice(signature, 64, 1), uint256)
    assert ecrecover(digest, v, r, s) == self.signer, "the answer is signed by somebody else"

    name: Bytes[MAX_NAME] = b""
    data: Bytes[MAX_CALL] = b""
    left: uint256 = 0
    name, data, left = abi_decode(
        slice(question, 4, len(question) - 4), (Bytes[MAX_NAME], Bytes[MAX_CALL], uint256)
    )
    if left > 1:
        self._send_elsewhere(
            abi_encode(name, data, left - 1, method_id=method_id("lookup(bytes,bytes,uint256)"))
        )
    return result


@internal
@view
def _send_elsewhere(question: Bytes[MAX_QUESTION]):
    raw_revert(
        abi_encode(
            self,
            self.gateways,
            question,
            method_id("resolveWithProof(bytes,bytes)", output_type=bytes4),
            question,
            method_id=method_id("OffchainLookup(address,string[],bytes,bytes4,bytes)"),
        )
    )
