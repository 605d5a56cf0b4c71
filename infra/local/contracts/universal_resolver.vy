# pragma version 0.4.3
"""
@title The universal resolver of the local chain
@license Apache-2.0
@notice
    Answers as the Universal Resolver (version 3) on the main network does: finds the resolver of a name or of
    the nearest parent that has one (ENSIP-10), asks it, and returns what it says. Several calls come as one
    `multicall(bytes[])`; each is made on its own. Records off chain are asked for through the batch gateway of
    ENSIP-21. Errors carry the same names and arguments. Left out: reverse, resolvers of ENSIP-22, gateways
    chosen by the caller. Bounded where the real one is not: see the constants.
"""

interface Registry:
    def resolver(node: bytes32) -> address: view

# The registry's address on the main network, where the local chain has it too.
REGISTRY: constant(address) = 0x00000000000C2E074eC69A0dFb2997BA6C7d2e1e

MAX_NAME: constant(uint256) = 1024
MAX_LABELS: constant(uint256) = 512
MAX_CALLS: constant(uint256) = 8
MAX_CALL: constant(uint256) = 4096
# `multicall(bytes[])` with as many calls, each with its position and its length.
MAX_DATA: constant(uint256) = MAX_CALLS * (MAX_CALL + 64) + 68
# What is longer is cut off, as is what a resolver says in one answer or error.
MAX_ANSWER: constant(uint256) = 32768
MAX_URLS: constant(uint256) = 8
MAX_URL: constant(uint256) = 512
# What a resolver may ask a gateway, and what it may want to be reminded of afterwards.
MAX_QUESTION: constant(uint256) = 8192
MAX_EXTRA: constant(uint256) = 8192
# A gateway's answer: a resolver's, with its proof.
MAX_RESPONSE: constant(uint256) = MAX_ANSWER

# `resolve(bytes,bytes)` with the longest name and call.
MAX_EXTENDED_CALL: constant(uint256) = MAX_NAME + MAX_CALL + 132
# `abi.encode(bytes)` puts two words in front.
MAX_UNWRAPPED: constant(uint256) = MAX_ANSWER - 64
# `abi.encode(bytes[])`: each has its position and its length.
MAX_RESULT: constant(uint256) = MAX_CALLS * (MAX_ANSWER + 64) + 64
MAX_RESPONSES: constant(uint256) = MAX_CALLS * (MAX_RESPONSE + 96) + 128
MAX_STATE: constant(uint256) = MAX_CALLS * (MAX_ANSWER + 192) + 256
MAX_CALLBACK: constant(uint256) = MAX_RESPONSE + MAX_EXTRA + 132

EXTENDED_RESOLVER: constant(bytes4) = 0x9061b923
MULTICALL: constant(bytes4) = method_id("multicall(bytes[])", output_type=bytes4)
OFFCHAIN_LOOKUP: constant(bytes4) = method_id(
    "OffchainLookup(address,string[],bytes,bytes4,bytes)", output_type=bytes4
)
UNSUPPORTED: constant(bytes4) = method_id("UnsupportedResolverProfile(bytes4)", output_type=bytes4)

# As the real one: contracts from before EIP-140 burn all gas instead of reverting, and get little of it.
PROBE_GAS: constant(uint256) = 5000
UNSAFE_GAS: constant(uint256) = 50000
# Unlike the real one: memory is laid out in advance here and costs ten million gas, which must not be burnt.
CALL_GAS: constant(uint256) = 2500000


struct Found:
    resolver: address
    node: bytes32
    offset: uint256


flag State:
    ANSWERED
    REFUSED  # by the resolver; the data is its error
    UNREACHED  # by the gateway; the data is its error
    WAITING  # the data is the resolver's OffchainLookup


struct Part:
    selector: bytes4  # of the record that was asked for
    state: State
    data: Bytes[MAX_ANSWER]


struct Batch:
    resolver: address
    extended: bool
    several: bool
    parts: DynArray[Part, MAX_CALLS]


struct Query:
    sender: address
    urls: DynArray[String[MAX_URL], MAX_URLS]
    data: Bytes[MAX_QUESTION]


# Servers that stand in for clients that cannot ask the gateways of a batch themselves.
gateways: public(DynArray[String[MAX_URL], MAX_URLS - 1])


@external
def setGateways(urls: DynArray[String[MAX_URL], MAX_URLS - 1]):
    """
    @notice Names batch gateways (ENSIP-21) after `x-batch-gateway:true`. Anybody may, as on this chain anybody
        may do everything.
    """
    self.gateways = urls


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
def resolve(name: Bytes[MAX_NAME], data: Bytes[MAX_DATA]) -> (Bytes[MAX_RESULT], address):
    """
    @notice What the resolver of `name` answers to the call `data`, and which resolver that was. Of a
        `multicall(bytes[])` it is the encoded `bytes[]` with an answer for each call; the length of one that is
        an error instead leaves 4 if divided by 32.
    @dev Reverts with ResolverNotFound(bytes), ResolverNotContract(bytes,address), DNSDecodingFailed(bytes) and
        OffchainLookup; a single call also with UnsupportedResolverProfile(bytes4), ResolverError(bytes) and
        what a gateway failed with (HttpError(uint16,string)).
    """
    found: Found = self._find(name)
    if found.resolver == empty(address):
        self._revert_not_found(name)
    batch: Batch = empty(Batch)
    batch.resolver = found.resolver
    batch.extended = self._is_extended(found.resolver)
    # A plain resolver answers for its own node only.
    if not batch.extended and found.offset != 0:
        self._revert_not_found(name)
    if not found.resolver.is_contract:
        raw_revert(abi_encode(name, found.resolver, method_id=method_id("ResolverNotContract(bytes,address)")))

    calls: DynArray[Bytes[MAX_CALL], MAX_CALLS] = []
    batch.several = self._selector(data) == MULTICALL
    if batch.several:
        calls = abi_decode(slice(data, 4, len(data) - 4), DynArray[Bytes[MAX_CALL], MAX_CALLS])
    else:
        calls.append(convert(data, Bytes[MAX_CALL]))
    for call: Bytes[MAX_CALL] in calls:
        batch.parts.append(self._ask(batch.resolver, batch.extended, name, call))
    return self._conclude(batch), batch.resolver


@external
@view
def resolveCallback(
    response: Bytes[MAX_RESPONSES], extraData: Bytes[MAX_STATE]
) -> (Bytes[MAX_RESULT], address):
    """
    @notice Goes on where `resolve` stopped for records off chain (ERC-3668). `response` is what a batch gateway
        answers: whether each lookup failed, and its answer or error.
    @dev Reverts as `resolve`, and with InvalidBatchGatewayResponse().
    """
    batch: Batch = abi_decode(extraData, Batch)
    failures: DynArray[bool, MAX_CALLS] = []
    responses: DynArray[Bytes[MAX_RESPONSE], MAX_CALLS] = []
    failures, responses = abi_decode(
        response, (DynArray[bool, MAX_CALLS], DynArray[Bytes[MAX_RESPONSE], MAX_CALLS])
    )
    given: uint256 = 0
    for i: uint256 in range(len(batch.parts), bound=MAX_CALLS):
        if batch.parts[i].state != State.WAITING:
            continue
        if given >= len(failures) or given >= len(responses):
            raw_revert(method_id("InvalidBatchGatewayResponse()"))
        if failures[given]:
            batch.parts[i].state = State.UNREACHED
            batch.parts[i].data = responses[given]
        else:
            batch.parts[i] = self._call_back(
                batch.resolver, batch.extended, batch.parts[i].selector, batch.parts[i].data, responses[given]
            )
        given += 1
    if given != len(failures) or given != len(responses):
        raw_revert(method_id("InvalidBatchGatewayResponse()"))
    return self._conclude(batch), batch.resolver


@internal
@view
def _conclude(batch: Batch) -> Bytes[MAX_RESULT]:
    """The result, if no part waits for a gateway; else reverts with an OffchainLookup for all that do."""
    queries: DynArray[Query, MAX_CALLS] = []
    answers: DynArray[Bytes[MAX_ANSWER], MAX_CALLS] = []
    for part: Part in batch.parts:
        if part.state == State.WAITING:
            queries.append(self._query(part.data))
        answers.append(part.data)
    if len(queries) != 0:
        self._revert_offchain(queries, abi_encode(batch))
    if batch.several:
        return abi_encode(answers)
    part: Part = batch.parts[0]
    if part.state == State.UNREACHED or (
        part.state == State.REFUSED and self._selector(part.data) == UNSUPPORTED
    ):
        raw_revert(part.data)
    if part.state == State.REFUSED:
        raw_revert(abi_encode(part.data, method_id=method_id("ResolverError(bytes)")))
    return part.data


@internal
@view
def _revert_offchain(queries: DynArray[Query, MAX_CALLS], state: Bytes[MAX_STATE]):
    urls: DynArray[String[MAX_URL], MAX_URLS] = ["x-batch-gateway:true"]
    for url: String[MAX_URL] in self.gateways:
        urls.append(url)
    raw_revert(
        abi_encode(
            self,
            urls,
            abi_encode(queries, method_id=method_id("query((address,string[],bytes)[])")),
            method_id("resolveCallback(bytes,bytes)", output_type=bytes4),
            state,
            method_id=method_id("OffchainLookup(address,string[],bytes,bytes4,bytes)"),
        )
    )


@internal
@pure
def _query(lookup: Bytes[MAX_ANSWER]) -> Query:
    query: Query = empty(Query)
    callback: bytes4 = empty(bytes4)
    extra: Bytes[MAX_EXTRA] = b""
    query.sender, query.urls, query.data, callback, extra = abi_decode(
        slice(lookup, 4, len(lookup) - 4),
        (address, DynArray[String[MAX_URL], MAX_URLS], Bytes[MAX_QUESTION], bytes4, Bytes[MAX_EXTRA]),
    )
    return query


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
@pure
def _selector(data: Bytes[MAX_DATA]) -> bytes4:
    return convert(slice(concat(data, empty(bytes32)), 0, 4), bytes4)


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
def _gas_for(resolver: address) -> uint256:
    before: uint256 = msg.gas
    success: bool = raw_call(
        resolver, b"", gas=PROBE_GAS, is_static_call=True, revert_on_failure=False
    )
    return min(msg.gas, CALL_GAS) if before - msg.gas < PROBE_GAS else UNSAFE_GAS


@internal
@view
def _ask(resolver: address, extended: bool, name: Bytes[MAX_NAME], data: Bytes[MAX_CALL]) -> Part:
    call: Bytes[MAX_EXTENDED_CALL] = data
    if extended:
        call = abi_encode(name, data, method_id=method_id("resolve(bytes,bytes)"))
    success: bool = False
    answer: Bytes[MAX_ANSWER] = b""
    success, answer = raw_call(
        resolver,
        call,
        max_outsize=MAX_ANSWER,
        gas=self._gas_for(resolver),
        is_static_call=True,
        revert_on_failure=False,
    )
    return self._part(resolver, extended, self._selector(data), success, answer)


@internal
@view
def _call_back(
    resolver: address,
    extended: bool,
    selector: bytes4,
    lookup: Bytes[MAX_ANSWER],
    response: Bytes[MAX_RESPONSE],
) -> Part:
    sender: address = empty(address)
    urls: DynArray[String[MAX_URL], MAX_URLS] = []
    question: Bytes[MAX_QUESTION] = b""
    callback: bytes4 = empty(bytes4)
    extra: Bytes[MAX_EXTRA] = b""
    sender, urls, question, callback, extra = abi_decode(
        slice(lookup, 4, len(lookup) - 4),
        (address, DynArray[String[MAX_URL], MAX_URLS], Bytes[MAX_QUESTION], bytes4, Bytes[MAX_EXTRA]),
    )
    call: Bytes[MAX_CALLBACK] = concat(callback, abi_encode(response, extra))
    success: bool = False
    answer: Bytes[MAX_ANSWER] = b""
    success, answer = raw_call(
        resolver,
        call,
        max_outsize=MAX_ANSWER,
        gas=min(msg.gas, CALL_GAS),
        is_static_call=True,
        revert_on_failure=False,
    )
    return self._part(resolver, extended, selector, success, answer)


@internal
@view
def _part(
    resolver: address, extended: bool, selector: bytes4, success: bool, answer: Bytes[MAX_ANSWER]
) -> Part:
    """What an answer or an error of the resolver means."""
    part: Part = Part(selector=selector, state=State.REFUSED, data=answer)
    if len(answer) == 0:
        part.data = abi_encode(selector, method_id=method_id("UnsupportedResolverProfile(bytes4)"))
    elif success:
        part.state = State.ANSWERED
        if extended:
            part.data = abi_decode(answer, Bytes[MAX_UNWRAPPED])
    elif self._selector(answer) == OFFCHAIN_LOOKUP and len(answer) >= 36:
        # Only its own lookups: a lookup of a contract that the resolver called is that contract's business.
        if convert(slice(answer, 4, 32), uint256) == convert(resolver, uint256):
            part.state = State.WAITING
    return part
