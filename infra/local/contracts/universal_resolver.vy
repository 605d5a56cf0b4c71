# pragma version 0.4.3
"""
@title The universal resolver of the local chain
@license Apache-2.0
@notice
    Answers as the Universal Resolver on the main network does for names whose records are on the chain:
    finds the resolver of a name or of the nearest parent that has one (ENSIP-10), asks it, and returns what it
    says. Errors carry the same names and arguments. Left out: CCIP-Read, `multicall` across resolvers, reverse.
"""

interface Registry:
    def resolver(node: bytes32) -> address: view

# The registry's address on the main network, where the local chain has it too.
REGISTRY: constant(address) = 0x00000000000C2E074eC69A0dFb2997BA6C7d2e1e

MAX_NAME: constant(uint256) = 1024
MAX_LABELS: constant(uint256) = 512
MAX_CALL: constant(uint256) = 4096
MAX_ANSWER: constant(uint256) = 32768
# `resolve(bytes,bytes)` with the longest name and call.
MAX_EXTENDED_CALL: constant(uint256) = MAX_NAME + MAX_CALL + 132
# `abi.encode(bytes)` puts two words in front.
MAX_UNWRAPPED: constant(uint256) = MAX_ANSWER - 64

EXTENDED_RESOLVER: constant(bytes4) = 0x9061b923


struct Found:
    resolver: address
    node: bytes32
    offset: uint256


@external
@view
def findResolver(name: Bytes[MAX_NAME]) -> (address, bytes32, uint256):
    """
    @notice The resolver of `name` or of its nearest parent with one, the node of `name`, and where in `name`
        that parent starts (in bytes); the zero address if there is none.
    """
    found: Found = self._find(name)
    return found.resolver, found.node, found.offset


@external
@view
def resolve(name: Bytes[MAX_NAME], data: Bytes[MAX_CALL]) -> (Bytes[MAX_ANSWER], address):
    """
    @notice What the resolver of `name` answers to the call `data`, and which resolver that was.
    @dev Reverts with ResolverNotFound(bytes), ResolverNotContract(bytes,address),
        UnsupportedResolverProfile(bytes4) or ResolverError(bytes).
    """
    found: Found = self._find(name)
    if found.resolver == empty(address):
        self._revert_not_found(name)
    if not found.resolver.is_contract:
        raw_revert(abi_encode(name, found.resolver, method_id=method_id("ResolverNotContract(bytes,address)")))
    if self._is_extended(found.resolver):
        return self._ask_extended(found.resolver, name, data), found.resolver
    # A plain resolver answers for its own node only.
    if found.offset != 0:
        self._revert_not_found(name)
    return self._ask(found.resolver, data, data), found.resolver


@internal
@view
def _find(name: Bytes[MAX_NAME]) -> Found:
    starts: DynArray[uint256, MAX_LABELS] = []
    position: uint256 = 0
    for _: uint256 in range(MAX_LABELS):
        size: uint256 = self._byte(name, position)
        if size == 0:
            break
        starts.append(position)
        position += size + 1
    if position + 1 != len(name):
        raw_revert(abi_encode(name, method_id=method_id("DNSDecodingFailed(bytes)")))

    found: Found = empty(Found)
    labels: uint256 = len(starts)
    # From the root to the whole name: what is found last is nearest to it.
    for i: uint256 in range(labels, bound=MAX_LABELS):
        start: uint256 = starts[labels - 1 - i]
        label: bytes32 = keccak256(slice(name, start + 1, self._byte(name, start)))
        found.node = keccak256(concat(found.node, label))
        resolver: address = staticcall Registry(REGISTRY).resolver(found.node)
        if resolver != empty(address):
            found.resolver = resolver
            found.offset = start
    return found


@internal
@pure
def _byte(name: Bytes[MAX_NAME], position: uint256) -> uint256:
    if position >= len(name):
        raw_revert(abi_encode(name, method_id=method_id("DNSDecodingFailed(bytes)")))
    return convert(slice(name, position, 1), uint256)


@internal
@pure
def _revert_not_found(name: Bytes[MAX_NAME]):
    raw_revert(abi_encode(name, method_id=method_id("ResolverNotFound(bytes)")))


@internal
@view
def _is_extended(resolver: address) -> bool:
    success: bool = False
    answer: Bytes[32] = b""
    success, answer = raw_call(
        resolver,
        abi_encode(EXTENDED_RESOLVER, method_id=method_id("supportsInterface(bytes4)")),
        max_outsize=32,
        gas=30000,
        is_static_call=True,
        revert_on_failure=False,
    )
    return success and len(answer) == 32 and convert(answer, uint256) == 1


@internal
@view
def _ask_extended(resolver: address, name: Bytes[MAX_NAME], data: Bytes[MAX_CALL]) -> Bytes[MAX_ANSWER]:
    call: Bytes[MAX_EXTENDED_CALL] = abi_encode(name, data, method_id=method_id("resolve(bytes,bytes)"))
    wrapped: Bytes[MAX_ANSWER] = self._ask(resolver, call, data)
    return abi_decode(wrapped, Bytes[MAX_UNWRAPPED])


@internal
@view
def _ask(resolver: address, call: Bytes[MAX_EXTENDED_CALL], data: Bytes[MAX_CALL]) -> Bytes[MAX_ANSWER]:
    success: bool = False
    answer: Bytes[MAX_ANSWER] = b""
    success, answer = raw_call(
        resolver, call, max_outsize=MAX_ANSWER, is_static_call=True, revert_on_failure=False
    )
    if len(answer) == 0:
        selector: bytes4 = convert(slice(concat(data, empty(bytes32)), 0, 4), bytes4)
        raw_revert(abi_encode(selector, method_id=method_id("UnsupportedResolverProfile(bytes4)")))
    if not success:
        raw_revert(abi_encode(answer, method_id=method_id("ResolverError(bytes)")))
    return answer
