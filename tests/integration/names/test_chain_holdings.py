"""Holdings on the local chain, held against web3, and contracts that mean harm."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from web3 import Web3
from web3.types import TxParams

from chalicelib.names.chain_holdings import ChainHoldings
from chalicelib.names.http_transport import HttpTransport
from chalicelib.names.ports import RpcCall
from chalicelib.protocol.rules import Asked, Question, TokenStandard
from infra.local.chain import Chain, start_chain

pytestmark = pytest.mark.chain

NONCE, BALANCE = Question(Asked.NONCE), Question(Asked.BALANCE)
BAD = Web3.to_checksum_address("0x" + "bd" * 20)
BROKEN = Question(Asked.TOKEN, BAD, TokenStandard.ERC20)
# What stands at the address of a contract that means harm.
CODES = {
    "no code": "0x",
    "reverts": "0x60006000fd",
    "is not an instruction": "0xfe",
    "runs for ever": "0x5b600056",
    "returns nothing": "0x00",
    "returns a byte": "0x60016000f3",
    "returns 400 kB": "0x62061a806000f3",
    "returns more than gas buys": "0x62ffffff6000f3",
}
VIEW = {
    "stateMutability": "view",
    "type": "function",
    "outputs": [{"type": "uint256", "name": ""}],
}


def view(name: str, *inputs: str) -> dict[str, object]:
    return {**VIEW, "name": name, "inputs": [{"type": type_, "name": ""} for type_ in inputs]}


@dataclass
class Estate:
    """A chain, and everything that can be asked about the address of its second account."""

    chain: Chain
    web3: Web3
    erc20: Question
    erc721: Question
    erc1155: Question
    stake: Question

    @property
    def owner(self) -> str:
        return self.chain.accounts[1][0]

    @property
    def questions(self) -> list[Question]:
        return [NONCE, BALANCE, self.erc20, self.erc721, self.erc1155, self.stake]

    def by_web3(self) -> dict[Question, int]:
        """What web3 reads, one by one."""
        owner = Web3.to_checksum_address(self.owner)
        eth = self.web3.eth

        def read(question: Question, abi: dict[str, object], *arguments: object) -> int:
            contract = eth.contract(Web3.to_checksum_address(str(question.contract)), abi=[abi])
            number: int = contract.functions[str(abi["name"])](*arguments).call()
            return number

        of_owner = view("balanceOf", "address")
        return {
            NONCE: eth.get_transaction_count(owner),
            BALANCE: eth.get_balance(owner),
            self.erc20: read(self.erc20, of_owner, owner),
            self.erc721: read(self.erc721, of_owner, owner),
            self.erc1155: read(self.erc1155, view("balanceOf", "address", "uint256"), owner, 3),
            self.stake: read(self.stake, view("depositOf", "address"), owner),
        }

    def put(self, code: str) -> None:
        """Gives the bad contract this code."""
        self.web3.provider.make_request("anvil_setCode", [BAD, code])  # type: ignore[arg-type]


@pytest.fixture(scope="module", params=[True, False], ids=["multicall3", "no multicall3"])
def estate(request: pytest.FixtureRequest) -> Iterator[Estate]:
    with start_chain(accounts=2, multicall=request.param) as chain:
        owner, tokens = chain.accounts[1][0], chain.tokens
        erc20, erc721, erc1155, staking = tokens.erc20(), tokens.erc721(), tokens.erc1155(), tokens.staking()
        tokens.mint_erc20(erc20, owner, 2**255)
        tokens.mint_erc721(erc721, owner, 42)
        tokens.mint_erc1155(erc1155, owner, 3, 7)
        tokens.deposit(staking, owner, 1000)
        web3 = Web3(Web3.HTTPProvider(chain.rpc_url))
        payment: TxParams = {
            "from": Web3.to_checksum_address(owner),
            "to": BAD,
            "value": Web3.to_wei(0, "wei"),
        }
        web3.eth.wait_for_transaction_receipt(web3.eth.send_transaction(payment))
        yield Estate(
            chain,
            web3,
            Question(Asked.TOKEN, erc20, TokenStandard.ERC20),
            Question(Asked.TOKEN, erc721, TokenStandard.ERC721),
            Question(Asked.TOKEN, erc1155, TokenStandard.ERC1155, 3),
            Question(Asked.STAKE, staking),
        )


@pytest.fixture
def node(estate: Estate) -> Iterator[HttpTransport]:
    transport = HttpTransport(estate.chain.rpc_url)
    yield transport
    transport.close()


def test_the_numbers_are_those_of_web3(estate: Estate, node: HttpTransport) -> None:
    expected = estate.by_web3()
    assert all(expected.values())
    holdings = ChainHoldings(node)
    assert holdings.read(estate.owner, estate.questions) == expected
    for question in estate.questions:
        assert holdings.read(estate.owner, [question]) == {question: expected[question]}


def test_three_rules_of_one_decision_are_one_http_request(estate: Estate, node: HttpTransport) -> None:
    """Where Multicall3 is missing that is learned by the first decision, which takes two."""
    holdings = ChainHoldings(node)
    holdings.read(estate.owner, [BALANCE, estate.erc20])
    before = node.requests
    holdings.read(estate.owner, [NONCE, BALANCE, estate.erc20])
    assert node.requests - before == 1


def test_somebody_who_has_nothing(estate: Estate, node: HttpTransport) -> None:
    nobody = Web3.to_checksum_address("0x" + "0b" * 20)
    assert ChainHoldings(node).read(nobody, estate.questions) == dict.fromkeys(estate.questions, 0)


@pytest.mark.parametrize("code", list(CODES.values()), ids=list(CODES))
def test_a_bad_contract_answers_nothing_and_the_node_stays_well(
    estate: Estate, node: HttpTransport, code: str
) -> None:
    estate.put(code)
    holdings, expected = ChainHoldings(node), estate.by_web3()
    assert holdings.read(estate.owner, [BROKEN]) == {BROKEN: 0}
    answers = holdings.read(estate.owner, [NONCE, estate.erc20, BROKEN])
    assert answers == {NONCE: expected[NONCE], estate.erc20: expected[estate.erc20], BROKEN: 0}
    (alive,) = node.request([RpcCall("eth_chainId")])
    assert alive.value == hex(estate.chain.chain_id)


def test_as_many_bad_contracts_as_rules_may_name_spoil_that_decision_only(
    estate: Estate, node: HttpTransport
) -> None:
    estate.put(CODES["runs for ever"])
    holdings, expected = ChainHoldings(node), estate.by_web3()
    many = [Question(Asked.TOKEN, BAD, TokenStandard.ERC1155, number) for number in range(10)]
    answers = holdings.read(estate.owner, [NONCE, *many, BALANCE])
    assert answers[NONCE] == expected[NONCE]
    assert not any(answers[question] for question in many)
    assert holdings.read(estate.owner, estate.questions) == expected
