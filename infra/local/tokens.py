"""Tokens and a deposit on the local chain, for rules about what a sender owns."""

from __future__ import annotations

from infra.local.contracts.artifacts import creation_code
from infra.local.transactions import Transactions, number, word


class Tokens:
    """Creates contracts of the usual standards, of which anybody may mint. Raises `ChainError`."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def erc20(self) -> str:
        """The address of a new ERC-20 token."""
        return self._transactions.deploy(creation_code("erc20"))

    def erc721(self) -> str:
        """The address of a new ERC-721 collection."""
        return self._transactions.deploy(creation_code("erc721"))

    def erc1155(self) -> str:
        """The address of a new ERC-1155 collection."""
        return self._transactions.deploy(creation_code("erc1155"))

    def staking(self) -> str:
        """The address of a new contract with `deposit()` and `depositOf(address)`."""
        return self._transactions.deploy(creation_code("deposit"))

    def mint_erc20(self, token: str, to: str, amount: int) -> None:
        """Gives `amount` units to `to`."""
        self._mint(token, "mint(address,uint256)", word(to), number(amount))

    def mint_erc721(self, token: str, to: str, token_id: int) -> None:
        """Gives a new token to `to`."""
        self._mint(token, "mint(address,uint256)", word(to), number(token_id))

    def mint_erc1155(self, token: str, to: str, token_id: int, amount: int) -> None:
        """Gives `amount` pieces of `token_id` to `to`."""
        self._mint(token, "mint(address,uint256,uint256)", word(to), number(token_id), number(amount))

    def deposit(self, staking: str, owner: str, wei: int) -> None:
        """Adds `wei` of `owner` to their deposit at a contract that `staking` made."""
        self._transactions.send(owner, staking, "deposit()", value_wei=wei)

    def _mint(self, token: str, signature: str, *arguments: bytes) -> None:
        self._transactions.send(self._transactions.first, token, signature, *arguments)
