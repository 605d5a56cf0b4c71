"""Our contracts on the local chain, called with eth_abi as an oracle for what the standards say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from eth_abi.abi import decode, encode
from web3 import Web3
from web3.exceptions import ContractCustomError, ContractLogicError, OffchainLookup

from chalicelib.names.encoding import dns_encode, namehash
from infra.local.ccip_answers import MAX_QUERIES
from infra.local.ccip_gateway import Behaviour, CcipGateway
from infra.local.chain import MULTICALL3, Chain, start_chain
from infra.local.contracts import artifacts, build
from infra.local.faults import Fault

LOOKUP_TYPES = ["address", "string[]", "bytes", "bytes4", "bytes"]

pytestmark = pytest.mark.chain


@pytest.fixture(scope="module")
def gateway() -> Iterator[CcipGateway]:
    with CcipGateway() as running:
        running.set("far.eth", texts={"key": "from afar"})
        yield running


@pytest.fixture(scope="module")
def chain(gateway: CcipGateway) -> Iterator[Chain]:
    with start_chain(accounts=3) as running:
        running.register("alice.eth", 1, texts={"key": "text"})
        running.register_wildcard("wild.eth", address=running.accounts[2][0])
        running.register_offchain("far.eth", [gateway.get_url, gateway.post_url], gateway.signer)
        yield running


@pytest.fixture(scope="module")
def web3(chain: Chain) -> Web3:
    return Web3(Web3.HTTPProvider(chain.rpc_url))


def _selector(signature: str) -> bytes:
    return bytes(Web3.keccak(text=signature)[:4])


def _call(web3: Web3, contract: str, data: bytes) -> bytes:
    transaction: Any = {"to": Web3.to_checksum_address(contract), "data": "0x" + data.hex()}
    return bytes(web3.eth.call(transaction, ccip_read_enabled=False))


def _read(web3: Web3, contract: str, signature: str, *values: object) -> Any:  # noqa: ANN401 - what it answers
    types = [part for part in signature.partition("(")[2].removesuffix(")").split(",") if part]
    (answer,) = decode(["uint256"], _call(web3, contract, _selector(signature) + encode(types, values)))
    return answer


@pytest.mark.parametrize("contract", build.CONTRACTS)
def test_a_committed_contract_is_what_its_source_compiles_to(contract: str) -> None:
    assert artifacts.artifact_path(contract).read_text() == build.artifact(contract)


def test_no_artifact_is_without_its_source() -> None:
    assert {path.stem for path in artifacts.HERE.glob("*.json")} == set(build.CONTRACTS)


ADDR, TEXT = _selector("addr(bytes32)"), _selector("text(bytes32,string)")


def _addr(name: str) -> bytes:
    return ADDR + namehash(name)


def _text(name: str, key: str = "key") -> bytes:
    return TEXT + encode(["bytes32", "string"], [namehash(name), key])


def _resolve(web3: Web3, chain: Chain, name: str, *calls: bytes) -> list[bytes]:
    multicall = _selector("multicall(bytes[])") + encode(["bytes[]"], [calls])
    data = _selector("resolve(bytes,bytes)") + encode(["bytes", "bytes"], [dns_encode(name), multicall])
    return _results(_call(web3, chain.universal_resolver, data))


def _results(answer: bytes) -> list[bytes]:
    result, _ = decode(["bytes", "address"], answer)
    (results,) = decode(["bytes[]"], result)
    return list(results)


def test_several_calls_are_each_answered(web3: Web3, chain: Chain) -> None:
    unknown = _selector("nothing(uint256)") + bytes(32)
    address, text, error = _resolve(web3, chain, "alice.eth", _addr("alice.eth"), _text("alice.eth"), unknown)
    assert decode(["address"], address) == (chain.accounts[1][0].lower(),)
    assert decode(["string"], text) == ("text",)
    assert error == _selector("UnsupportedResolverProfile(bytes4)") + unknown[:4].ljust(32, b"\x00")
    assert _resolve(web3, chain, "alice.eth") == []
    assert len(_resolve(web3, chain, "alice.eth", *[_text("alice.eth")] * 8)) == 8
    with pytest.raises(ContractLogicError):
        _resolve(web3, chain, "alice.eth", *[_text("alice.eth")] * 9)


def test_several_calls_to_an_extended_resolver_are_unwrapped(web3: Web3, chain: Chain) -> None:
    unknown = _selector("nothing(uint256)") + bytes(32)
    address, error = _resolve(web3, chain, "a.wild.eth", _addr("a.wild.eth"), unknown)
    assert decode(["address"], address) == (chain.accounts[2][0].lower(),)
    assert error[:4] == _selector("UnsupportedResolverProfile(bytes4)")


def test_an_error_has_its_selector_in_front_of_whole_words(web3: Web3, chain: Chain) -> None:
    chain.register_faulty("broken.eth", Fault.REVERTS)
    error, again = _resolve(web3, chain, "broken.eth", _addr("broken.eth"), _text("broken.eth"))
    assert error == again == _selector("Error(string)") + encode(["string"], ["out of order"])
    assert len(error) % 32 == 4


def _offchain(web3: Web3, chain: Chain, name: str, *calls: bytes) -> tuple[Any, ...]:
    with pytest.raises(OffchainLookup) as refusal:
        _resolve(web3, chain, name, *calls)
    data = bytes.fromhex(str(refusal.value.data)[2:])
    assert data[:4] == _selector("OffchainLookup(address,string[],bytes,bytes4,bytes)")
    return decode(LOOKUP_TYPES, data[4:])


def test_records_off_chain_are_asked_for_together_and_in_its_own_name(
    web3: Web3, chain: Chain, gateway: CcipGateway
) -> None:
    sender, urls, question, callback, extra = _offchain(
        web3, chain, "far.eth", _addr("far.eth"), _text("far.eth")
    )
    assert (sender, urls[0]) == (chain.universal_resolver.lower(), "x-batch-gateway:true")
    assert question[:4] == _selector("query((address,string[],bytes)[])")
    (queries,) = decode(["(address,string[],bytes)[]"], question[4:])
    assert [query[1] for query in queries] == [(gateway.get_url, gateway.post_url)] * 2
    assert len({query[0] for query in queries}) == 1

    answered = gateway.answer(sender, "0x" + question.hex())
    failures, responses = decode(["bool[]", "bytes[]"], answered)
    assert failures == (False, False)
    address, text = _results(_call(web3, sender, callback + encode(["bytes", "bytes"], [answered, extra])))
    assert decode(["address"], address) == ("0x" + "00" * 20,)
    assert decode(["string"], text) == ("from afar",)

    http_error = _selector("HttpError(uint16,string)") + encode(["uint16", "string"], [504, "late"])
    for failure in ([True, False], [False, True]):
        given = [
            http_error if failed else response for failed, response in zip(failure, responses, strict=True)
        ]
        mixed = encode(["bytes", "bytes"], [encode(["bool[]", "bytes[]"], [failure, given]), extra])
        results = _results(_call(web3, sender, callback + mixed))
        assert [result == http_error for result in results] == failure


@pytest.mark.parametrize(
    ("failures", "responses"), [([], []), ([False], [b""] * 2), ([False] * 3, [b""] * 3)]
)
def test_a_batch_gateway_must_answer_everything(
    failures: list[bool], responses: list[bytes], web3: Web3, chain: Chain
) -> None:
    sender, _, _, callback, extra = _offchain(web3, chain, "far.eth", _addr("far.eth"), _text("far.eth"))
    answered = encode(["bool[]", "bytes[]"], [failures, responses])
    with pytest.raises(ContractCustomError) as refusal:
        _call(web3, sender, callback + encode(["bytes", "bytes"], [answered, extra]))
    assert refusal.value.data == "0x" + _selector("InvalidBatchGatewayResponse()").hex()


def test_an_answer_that_the_signer_did_not_sign_for_this_question_is_refused(
    web3: Web3, chain: Chain, gateway: CcipGateway
) -> None:
    sender, _, question, callback, extra = _offchain(web3, chain, "far.eth", _text("far.eth"))
    _, _, other_question, _, _ = _offchain(web3, chain, "far.eth", _text("far.eth", "other"))
    honest = gateway.answer(sender, "0x" + question.hex())
    (response,) = decode(["bool[]", "bytes[]"], honest)[1]
    result, expires, signature = decode(["bytes", "uint64", "bytes"], response)
    (elsewhere,) = decode(["bool[]", "bytes[]"], gateway.answer(sender, "0x" + other_question.hex()))[1]
    for forged in (
        encode(["bytes", "uint64", "bytes"], [result + bytes(32), expires, signature]),
        encode(["bytes", "uint64", "bytes"], [result, expires + 1, signature]),
        encode(["bytes", "uint64", "bytes"], [result, expires, signature[:-1]]),
        encode(["bytes", "uint64", "bytes"], [result, 0, signature]),
        elsewhere,
        b"",
    ):
        answered = encode(["bool[]", "bytes[]"], [[False], [forged]])
        (error,) = _results(_call(web3, sender, callback + encode(["bytes", "bytes"], [answered, extra])))
        assert len(error) % 32 == 4


def test_the_gateway_answers_what_it_is_asked_and_nothing_else(gateway: CcipGateway) -> None:
    assert gateway.reply("0x" + "12" * 20, "0x")[0] == 400
    assert gateway.reply("nobody", "0x1234")[0] == 400
    too_many = encode(["(address,string[],bytes)[]"], [[("0x" + "12" * 20, [], b"")] * (MAX_QUERIES + 1)])
    query = _selector("query((address,string[],bytes)[])")
    assert gateway.reply("0x" + "12" * 20, "0x" + (query + too_many).hex())[0] == 400
    with CcipGateway() as broken:
        broken.behaviour = Behaviour.BROKEN
        assert broken.reply("0x", "0x")[0] == 503
        assert broken.requests == 1


def test_multicall3_makes_many_calls_and_says_which_failed(web3: Web3, chain: Chain) -> None:
    token = chain.tokens.erc20()
    chain.tokens.mint_erc20(token, chain.accounts[1][0], 5)
    owner = chain.accounts[1][0]
    calls = [
        (token, True, _selector("balanceOf(address)") + encode(["address"], [owner])),
        (token, True, _selector("nothing()")),
        (MULTICALL3, True, _selector("getEthBalance(address)") + encode(["address"], [owner])),
        ("0x" + "12" * 20, True, _selector("balanceOf(address)") + encode(["address"], [owner])),
    ]
    aggregate = _selector("aggregate3((address,bool,bytes)[])")
    answer = _call(web3, MULTICALL3, aggregate + encode(["(address,bool,bytes)[]"], [calls]))
    (results,) = decode(["(bool,bytes)[]"], answer)
    assert [success for success, _ in results] == [True, False, True, True]
    assert decode(["uint256"], results[0][1]) == (5,)
    assert decode(["uint256"], results[2][1]) == (web3.eth.get_balance(Web3.to_checksum_address(owner)),)
    assert results[3][1] == b"", "there is no contract"
    strict = [(target, False, data) for target, _, data in calls]
    with pytest.raises(ContractLogicError, match="call failed"):
        _call(web3, MULTICALL3, aggregate + encode(["(address,bool,bytes)[]"], [strict]))


def test_a_chain_without_multicall3() -> None:
    with start_chain(accounts=1, multicall=False) as chain:
        assert (
            Web3(Web3.HTTPProvider(chain.rpc_url)).eth.get_code(Web3.to_checksum_address(MULTICALL3)) == b""
        )


def test_tokens_know_what_their_owners_have(web3: Web3, chain: Chain) -> None:
    owner, other = chain.accounts[1][0], chain.accounts[2][0]
    erc20, erc721, erc1155 = chain.tokens.erc20(), chain.tokens.erc721(), chain.tokens.erc1155()
    chain.tokens.mint_erc20(erc20, owner, 7)
    chain.tokens.mint_erc721(erc721, owner, 42)
    chain.tokens.mint_erc1155(erc1155, owner, 3, 2)
    assert [_read(web3, erc20, "balanceOf(address)", who) for who in (owner, other)] == [7, 0]
    assert [_read(web3, erc721, "balanceOf(address)", who) for who in (owner, other)] == [1, 0]
    assert _read(web3, erc721, "ownerOf(uint256)", 42) == int(owner, 16)
    balance = "balanceOf(address,uint256)"
    assert [_read(web3, erc1155, balance, owner, token) for token in (3, 4)] == [2, 0]


def test_a_deposit_is_added_to(web3: Web3, chain: Chain) -> None:
    owner, other = chain.accounts[1][0], chain.accounts[2][0]
    staking = chain.tokens.staking()
    chain.tokens.deposit(staking, owner, 10)
    chain.tokens.deposit(staking, owner, 5)
    assert [_read(web3, staking, "depositOf(address)", who) for who in (owner, other)] == [15, 0]
    assert web3.eth.get_balance(Web3.to_checksum_address(staking)) == 15
