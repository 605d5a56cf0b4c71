from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import pytest
from eth_abi.abi import decode, encode
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.names.ports import OffchainLookup, RpcCall, RpcError, RpcResult
from chalicelib.names.universal_resolver import (
    LOOKUP_GAS,
    LOOKUPS_WITHIN_S,
    MAX_CALL_BYTES,
    MAX_LOOKUPS,
    MAX_TEXT_BYTES,
    PLAIN_NAMES,
    UNIVERSAL_RESOLVER,
    NameRecords,
    UniversalResolver,
)
from chalicelib.protocol.errors import InvalidName, Unavailable
from tests.unit.names.simulated_chain import SimulatedChain, resolved, reverted, selector, several

ALICE = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
ALICE_WORD = encode(["address"], [ALICE])
TEXT = encode(["string"], ["caf\u00e9"])
NOTHING = NameRecords(None, None)
HTTP_ERROR = selector("HttpError(uint16,string)") + encode(["uint16", "string"], [504, "too slow"])
LOOKUP_TYPES = ["address", "string[]", "bytes", "bytes4", "bytes"]
LOOKUP = "OffchainLookup(address,string[],bytes,bytes4,bytes)"


class Scripted:
    """A node that gives the same answer to everything, or one after the other."""

    def __init__(self, *answers: RpcResult) -> None:
        self._answers = list(answers)
        self.calls: list[RpcCall] = []

    def request(self, calls: Sequence[RpcCall]) -> list[RpcResult]:
        self.calls.extend(calls)
        return [self._answers.pop(0) if len(self._answers) > 1 else self._answers[0] for _ in calls]


class Gateway:
    def __init__(self) -> None:
        self.asked: list[OffchainLookup] = []

    def answer(self, lookup: OffchainLookup) -> bytes:
        self.asked.append(lookup)
        return b"signed answer"


def _read(*answers: RpcResult) -> NameRecords:
    return UniversalResolver(Scripted(*answers)).address_and_text("alice.eth", "key")


def _lookup(sender: str = UNIVERSAL_RESOLVER) -> RpcResult:
    values = [sender, ["https://one", "https://two"], b"question", b"\x01\x02\x03\x04", b"extra"]
    return reverted(LOOKUP, LOOKUP_TYPES, values)


def test_address_and_text_in_one_round_trip() -> None:
    chain = SimulatedChain({"alice.eth": ALICE.lower()}, {("alice.eth", "key"): "caf\u00e9"})
    resolver = UniversalResolver(chain)
    assert resolver.address_and_text("alice.eth", "key") == NameRecords(ALICE, "caf\u00e9")
    assert (chain.requests, len(chain.calls)) == (1, 1)
    assert resolver.text("alice.eth", "key") == "caf\u00e9"
    assert resolver.text("alice.eth", "other") is None


def test_the_contract_asked_is_the_configured_one() -> None:
    node = Scripted(resolved(b""))
    UniversalResolver(node, address="0x" + "ab" * 20).text("alice.eth", "key")
    [call] = node.calls
    transaction = call.params[0]
    assert isinstance(transaction, dict)
    assert (transaction["to"], transaction["gas"]) == ("0x" + "ab" * 20, hex(LOOKUP_GAS))


def test_a_name_that_cannot_be_encoded() -> None:
    with pytest.raises(InvalidName):
        UniversalResolver(SimulatedChain()).text("a..b", "key")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(reverted("ResolverNotFound(bytes)", ["bytes"], [b"\x00"]), id="no resolver"),
        pytest.param(
            reverted("ResolverNotContract(bytes,address)", ["bytes", "address"], [b"\x00", ALICE]),
            id="resolver without code",
        ),
        pytest.param(
            reverted("UnsupportedResolverProfile(bytes4)", ["bytes4"], [b"abcd"]),
            id="record type not supported",
        ),
        pytest.param(reverted("ResolverError(bytes)", ["bytes"], [b"oops"]), id="resolver failed"),
        pytest.param(reverted("Other()", [], []), id="an error nobody knows"),
        pytest.param(RpcResult(error=RpcError(3, "execution reverted")), id="revert without data"),
        pytest.param(
            RpcResult(error=RpcError(-32000, "Execution reverted", "0x")), id="revert of another node"
        ),
        pytest.param(
            RpcResult(error=RpcError(-32015, "VM error", "Reverted 0x77209fe8")), id="revert in words"
        ),
        pytest.param(RpcResult(error=RpcError(3, "reverted", {"data": "0x77209fe8"})), id="wrapped revert"),
        pytest.param(RpcResult(error=RpcError(3, "reverted", "0xzz")), id="revert with odd data"),
        pytest.param(
            RpcResult(error=RpcError(-32000, "out of gas: gas exhausted")), id="all gas burnt on geth"
        ),
        pytest.param(RpcResult(error=RpcError(-32603, "EVM error MemoryOOG")), id="all gas burnt on anvil"),
        pytest.param(resolved(b""), id="empty answer"),
        pytest.param(resolved(bytes(31)), id="short answer"),
        pytest.param(resolved(b"\xff" * 128), id="answer that is no list"),
        pytest.param(several(), id="no answers"),
        pytest.param(several(ALICE_WORD), id="one answer of two"),
        pytest.param(several(ALICE_WORD, TEXT, TEXT), id="three answers to two calls"),
        pytest.param(several(b"", b""), id="empty answers"),
        pytest.param(several(bytes(32), b""), id="zero address"),
        pytest.param(several(b"\xff" * 32, TEXT[:64]), id="no address and half a text"),
        pytest.param(several(b"\x01" * 31, b"\x01" * 31), id="short answers of the resolver"),
        pytest.param(
            several(selector("addr(bytes32)"), selector("text(bytes32,string)")), id="only selectors"
        ),
        pytest.param(
            several(*(selector("UnsupportedResolverProfile(bytes4)") + b"abcd".ljust(32, b"\x00"),) * 2),
            id="records not supported",
        ),
        pytest.param(
            several(*(selector("ResolverError(bytes)") + encode(["bytes"], [b"oops"]),) * 2),
            id="resolver failed twice",
        ),
    ],
)
def test_no_record(answer: RpcResult) -> None:
    assert _read(answer) == NOTHING


UNSUPPORTED = selector("UnsupportedResolverProfile(bytes4)") + b"abcd".ljust(32, b"\x00")


@pytest.mark.parametrize(
    ("address", "text", "expected"),
    [
        (ALICE_WORD, TEXT, NameRecords(ALICE, "caf\u00e9")),
        (ALICE_WORD, UNSUPPORTED, NameRecords(ALICE, None)),
        (ALICE_WORD, b"", NameRecords(ALICE, None)),
        (UNSUPPORTED, TEXT, NameRecords(None, "caf\u00e9")),
    ],
)
def test_one_record_may_fail_without_the_other(address: bytes, text: bytes, expected: NameRecords) -> None:
    assert _read(several(address, text)) == expected


def test_an_old_universal_resolver_is_asked_twice_in_one_request_and_remembered() -> None:
    chain = SimulatedChain({"alice.eth": ALICE}, {("alice.eth", "key"): "text"}, old=True)
    resolver = UniversalResolver(chain)
    for requests, calls in ((2, 3), (3, 5), (4, 7)):
        assert resolver.address_and_text("alice.eth", "key") == NameRecords(ALICE, "text")
        assert (chain.requests, len(chain.calls)) == (requests, calls)


def test_it_is_tried_again_whether_the_universal_resolver_is_still_old() -> None:
    chain = SimulatedChain({"alice.eth": ALICE}, old=True)
    resolver = UniversalResolver(chain)
    resolver.address_and_text("alice.eth", "key")
    chain.old = False
    for _ in range(PLAIN_NAMES):
        resolver.address_and_text("alice.eth", "key")
    before = len(chain.calls)
    assert resolver.address_and_text("alice.eth", "key") == NameRecords(ALICE, None)
    assert len(chain.calls) == before + 1


def test_the_first_universal_resolver_says_it_in_other_words() -> None:
    first = reverted("ResolverError(bytes)", ["bytes"], [b""])
    assert _read(first, resolved(ALICE_WORD), resolved(TEXT)) == NameRecords(ALICE, "caf\u00e9")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(reverted("ResolverNotFound(bytes)", ["bytes"], [b"\x00"]), id="no resolver"),
        pytest.param(reverted("ResolverError(bytes)", ["bytes"], [b"oops"]), id="resolver failed"),
        pytest.param(
            reverted("UnsupportedResolverProfile(bytes4)", ["bytes4"], [b"abcd"]), id="another call"
        ),
        pytest.param(RpcResult(error=RpcError(3, "execution reverted")), id="revert without data"),
        pytest.param(several(UNSUPPORTED, UNSUPPORTED), id="errors in the list"),
        pytest.param(resolved(b"\xff" * 32), id="rubbish"),
    ],
)
def test_the_fault_of_a_name_is_not_taken_for_an_old_universal_resolver(answer: RpcResult) -> None:
    node = Scripted(answer)
    resolver = UniversalResolver(node)
    for asked in (1, 2, 3):
        assert resolver.address_and_text("alice.eth", "key") == NOTHING
        assert len(node.calls) == asked


def test_what_cannot_be_asked_in_the_old_form_is_not_remembered() -> None:
    """A resolver that poses as an old universal resolver must not spoil a node that refuses batches."""

    class NoBatches(Scripted):
        def request(self, calls: Sequence[RpcCall]) -> list[RpcResult]:
            if len(calls) > 1:
                raise Unavailable
            return super().request(calls)

    pretends = reverted("UnsupportedResolverProfile(bytes4)", ["bytes4"], [selector("multicall(bytes[])")])
    resolver = UniversalResolver(NoBatches(pretends, several(ALICE_WORD, TEXT)))
    with pytest.raises(Unavailable):
        resolver.address_and_text("evil.eth", "key")
    assert resolver.address_and_text("alice.eth", "key") == NameRecords(ALICE, "caf\u00e9")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(encode(["string"], [""]), id="empty"),
        pytest.param(encode(["bytes"], [b"\xff\xfe"]), id="not UTF-8"),
        pytest.param(encode(["bytes"], [b"a" * (MAX_TEXT_BYTES + 1)]), id="too long"),
        pytest.param(encode(["string"], ["abc"])[:-32], id="cut off"),
        pytest.param(b"\xff" * 64, id="nonsense"),
    ],
)
def test_text_that_is_none(text: bytes) -> None:
    assert UniversalResolver(Scripted(resolved(text))).text("alice.eth", "key") is None
    assert _read(several(ALICE_WORD, text)) == NameRecords(ALICE, None)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(RpcResult(error=RpcError(-32005, "rate limited")), id="rate limit"),
        pytest.param(RpcResult(error=RpcError(-32000, "header not found", "0x")), id="node without its data"),
        pytest.param(RpcResult(value="0x"), id="no contract there"),
        pytest.param(RpcResult(value=None), id="null"),
        pytest.param(RpcResult(value="hello"), id="text"),
        pytest.param(RpcResult(value="0x123"), id="odd hex"),
        pytest.param(RpcResult(value="0xzz"), id="no hex"),
        pytest.param(RpcResult(value="0x" + "00" * 31), id="short"),
        pytest.param(RpcResult(value="0x" + "ff" * 64), id="positions beyond the end"),
        pytest.param(RpcResult(value={"a": 1}), id="object"),
        pytest.param(
            reverted("HttpError(uint16,string)", ["uint16", "string"], [502, "bad"]), id="gateway down"
        ),
        pytest.param(_lookup(), id="off chain, without a gateway"),
        pytest.param(several(ALICE_WORD, HTTP_ERROR), id="gateway of one of two records down"),
        pytest.param(several(HTTP_ERROR, TEXT), id="gateway of the other down"),
    ],
)
def test_unavailable(answer: RpcResult) -> None:
    with pytest.raises(Unavailable):
        _read(answer)


def test_off_chain_records_are_read_through_the_gateway() -> None:
    node, gateway = Scripted(_lookup(), resolved(encode(["string"], ["from afar"]))), Gateway()
    assert UniversalResolver(node, gateway=gateway).text("alice.eth", "key") == "from afar"
    assert gateway.asked == [
        OffchainLookup(
            bytes.fromhex(UNIVERSAL_RESOLVER[2:]),
            ("https://one", "https://two"),
            b"question",
            b"\x01\x02\x03\x04",
            b"extra",
        )
    ]
    transaction = node.calls[1].params[0]
    assert isinstance(transaction, dict)
    called_back = bytes.fromhex(transaction["data"][2:])
    assert called_back[:4] == b"\x01\x02\x03\x04"
    assert decode(["bytes", "bytes"], called_back[4:]) == (b"signed answer", b"extra")


def test_lookups_of_both_records_are_asked_together_and_may_follow_each_other() -> None:
    node = Scripted(_lookup(), _lookup(), several(ALICE_WORD, TEXT))
    gateway = Gateway()
    found = UniversalResolver(node, gateway=gateway).address_and_text("alice.eth", "key")
    assert found == NameRecords(ALICE, "caf\u00e9")
    assert (len(gateway.asked), len(node.calls)) == (2, 3)


def test_slow_lookups_end_before_there_are_too_many() -> None:
    now_s = [0.0]

    class Slow(Gateway):
        def answer(self, lookup: OffchainLookup) -> bytes:
            now_s[0] += 0.6 * LOOKUPS_WITHIN_S
            return super().answer(lookup)

    gateway = Slow()
    resolver = UniversalResolver(Scripted(_lookup()), gateway=gateway, clock_s=lambda: now_s[0])
    with pytest.raises(Unavailable):
        resolver.address_and_text("alice.eth", "key")
    assert len(gateway.asked) == 2


def test_slow_lookups_of_both_records_share_one_time() -> None:
    now_s = [0.0]

    class Slow(Gateway):
        def answer(self, lookup: OffchainLookup) -> bytes:
            now_s[0] += 0.6 * LOOKUPS_WITHIN_S
            return super().answer(lookup)

    unsupported = reverted("ResolverError(bytes)", ["bytes"], [b""])
    text = resolved(TEXT)
    node, gateway = Scripted(_lookup(), unsupported, _lookup(), _lookup(), text, _lookup(), text), Slow()
    resolver = UniversalResolver(node, gateway=gateway, clock_s=lambda: now_s[0])
    with pytest.raises(Unavailable):
        resolver.address_and_text("alice.eth", "key")
    assert len(gateway.asked) == 2


def test_no_node_is_called_with_more_than_nodes_take() -> None:
    class Talkative(Gateway):
        def answer(self, lookup: OffchainLookup) -> bytes:
            super().answer(lookup)
            return bytes(MAX_CALL_BYTES)

    node = Scripted(_lookup(), resolved(TEXT))
    with pytest.raises(Unavailable):
        UniversalResolver(node, gateway=Talkative()).text("alice.eth", "key")
    assert len(node.calls) == 1


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(_lookup(sender="0x" + "66" * 20), id="asked by another contract"),
        pytest.param(
            RpcResult(error=RpcError(3, "reverted", "0x" + selector(LOOKUP).hex() + "ff" * 40)), id="garbled"
        ),
        pytest.param(_lookup(), id="without end"),
    ],
)
def test_off_chain_lookups_that_are_refused(answer: RpcResult) -> None:
    gateway = Gateway()
    with pytest.raises(Unavailable):
        UniversalResolver(Scripted(answer), gateway=gateway).text("alice.eth", "key")
    assert len(gateway.asked) <= MAX_LOOKUPS + 1


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=10)
    | st.binary(max_size=80).map(lambda raw: "0x" + raw.hex()),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["data", "a"]), inner, max_size=2)
    ),
    max_leaves=5,
)


_codes, _messages = st.sampled_from([3, 0, -32000]), st.sampled_from(["", "execution reverted"])
_answers = st.builds(RpcResult, value=_json) | st.builds(
    RpcResult, error=st.builds(RpcError, code=_codes, message=_messages, data=_json)
)


@given(_answers)
@settings(deadline=None, max_examples=300)
def test_a_hostile_node_raises_nothing_but_the_protocol_s_errors(answer: RpcResult) -> None:
    resolver = UniversalResolver(Scripted(answer), gateway=Gateway())
    with suppress(Unavailable):
        assert isinstance(resolver.address_and_text("alice.eth", "key"), NameRecords)


@given(st.binary(max_size=300))
@settings(deadline=None, max_examples=200)
def test_a_hostile_resolver_makes_no_error_at_all(answer: bytes) -> None:
    assert isinstance(_read(resolved(answer)), NameRecords)


_entries = st.binary(max_size=100).filter(lambda entry: not entry.startswith(HTTP_ERROR[:4]))


@given(_entries, _entries, st.integers(0, 400), st.binary(max_size=32))
@settings(deadline=None, max_examples=300)
def test_hostile_answers_in_the_list_make_no_error_at_all(
    address: bytes, text: bytes, at: int, junk: bytes
) -> None:
    """Whole lists, and lists with something overwritten: positions, lengths, contents."""
    answer = bytearray(encode(["bytes[]"], [[address, text]]))
    answer[at : at + len(junk)] = junk
    for made in (encode(["bytes[]"], [[address, text]]), bytes(answer)):
        with suppress(Unavailable):  # junk may spell HttpError
            assert isinstance(_read(resolved(made)), NameRecords)


@given(st.binary(max_size=300))
@settings(deadline=None, max_examples=200)
def test_a_hostile_lookup_raises_nothing_else(arguments: bytes) -> None:
    error = RpcError(3, "execution reverted", "0x" + (selector(LOOKUP) + arguments).hex())
    with pytest.raises(Unavailable):
        UniversalResolver(Scripted(RpcResult(error=error)), gateway=Gateway()).text("alice.eth", "key")
