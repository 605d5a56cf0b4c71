"""The rules by which a receiver protects an account from spam, as far as a sender must know them.

Sources: dm3 specification, "Get the User's Profile Extension" (spam protection settings may be added to that
structure); `minNonce`, `minBalance` and `minTokenBalance` are named as in the reference's `SpamFilterRules`.
The JSON, every member optional:

    {minNonce: 1,                                     transactions that the sender's address has sent
     minBalance: "10000000000000000",                 wei
     minTokenBalance: [{address, amount: "1", standard: "erc20" | "erc721" | "erc1155", id: "7"}],
     stake: {address, amount: "1000"},                deposit, in the contract's own unit
     firstContact: {messages: 3},                     from a stranger, until answered or allowed
     senderQuota: {messagesPerDay, kibPerDay},        from one sender
     totalQuota: {messagesPerDay, kibPerDay},         from all together
     onChainFailure: "fail_closed" | "fail_open"}

Amounts are decimal texts, since they exceed what JSON numbers hold. The reference's form is read, too: there
`minTokenBalance` is one object `{address, amount}`. A minimum of 0 asks for nothing, and is no rule. What the
chain must be asked for is a `Question`; who asks it, and how, is told in `chalicelib.names.holdings`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar

from chalicelib.protocol.errors import InvalidEncoding, InvalidInput
from chalicelib.protocol.json_types import JsonObject, JsonValue
from chalicelib.protocol.members import number_member, require_object, text_member
from chalicelib.protocol.wallet import checksum_address

MAX_TOKEN_RULES: Final = 10
_UINT256: Final = 2**256
_AMOUNT: Final = re.compile("[0-9]{1,78}")
_MAX_COUNT: Final = 2**53

Parsed = TypeVar("Parsed")


class Asked(StrEnum):
    """What can be asked of the chain about an address. The values are the names of the rules."""

    NONCE = "minNonce"
    BALANCE = "minBalance"
    TOKEN = "minTokenBalance"  # noqa: S105 - the rule's name
    STAKE = "stake"


class TokenStandard(StrEnum):
    """ERC-20 balances, ERC-721 collections, or one token id of an ERC-1155 contract."""

    ERC20 = "erc20"
    ERC721 = "erc721"
    ERC1155 = "erc1155"


class ChainFailure(StrEnum):
    """What happens to mail while the chain cannot be asked: accepted, or refused for the time being."""

    FAIL_OPEN = "fail_open"
    FAIL_CLOSED = "fail_closed"


@dataclass(frozen=True, slots=True)
class Question:
    """One number to be read from the chain about an address; `contract` is checksummed.

    `standard` is set for tokens, `token_id` for those of ERC-1155.
    """

    asked: Asked
    contract: str | None = None
    standard: TokenStandard | None = None
    token_id: int | None = None


@dataclass(frozen=True, slots=True)
class Requirement:
    """A question, and the least number that answers it well."""

    question: Question
    least: int

    def to_json(self) -> JsonObject:
        """The rule as a refusal tells it: `{rule, required, address?, standard?, id?}`."""
        question = self.question
        told: dict[str, JsonValue] = {"rule": question.asked.value, "required": str(self.least)}
        if question.contract is not None:
            told["address"] = question.contract
        if question.standard is not None:
            told["standard"] = question.standard.value
        if question.token_id is not None:
            told["id"] = str(question.token_id)
        return told


@dataclass(frozen=True, slots=True)
class Allowance:
    """How much may come in on one day (UTC); None is no limit. At least one of the two is set."""

    messages_per_day: int | None = None
    kib_per_day: int | None = None

    def to_json(self) -> JsonObject:
        """`{messagesPerDay?, kibPerDay?}`."""
        members = {"messagesPerDay": self.messages_per_day, "kibPerDay": self.kib_per_day}
        return {name: value for name, value in members.items() if value is not None}

    @classmethod
    def parse(cls, value: JsonValue) -> Allowance:
        """Inverse of `to_json`. Raises `InvalidInput`."""
        members = _known(value, {"messagesPerDay", "kibPerDay"})
        messages = _count(members, "messagesPerDay") if "messagesPerDay" in members else None
        kib = _count(members, "kibPerDay") if "kibPerDay" in members else None
        if messages is None and kib is None:
            raise InvalidInput("A quota needs messagesPerDay or kibPerDay.")
        return cls(messages, kib)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicRules:
    """What of a receiver's rules a sender may know. The default accepts everybody.

    `requirements` are met by the sender's proven address; all of them must be.
    """

    requirements: tuple[Requirement, ...] = ()
    first_contact_messages: int | None = None
    sender_quota: Allowance | None = None
    total_quota: Allowance | None = None
    on_chain_failure: ChainFailure = ChainFailure.FAIL_CLOSED

    def unmet(self, answers: Mapping[Question, int]) -> Requirement | None:
        """The first requirement that `answers`, which has one for each question, does not meet."""
        for requirement in self.requirements:
            if answers[requirement.question] < requirement.least:
                return requirement
        return None

    def to_json(self) -> JsonObject:
        """The JSON of the module's docstring; members that say nothing are left out."""
        members = _requirements_json(self.requirements)
        if self.first_contact_messages is not None:
            members["firstContact"] = {"messages": self.first_contact_messages}
        if self.sender_quota is not None:
            members["senderQuota"] = self.sender_quota.to_json()
        if self.total_quota is not None:
            members["totalQuota"] = self.total_quota.to_json()
        if self.requirements or self.on_chain_failure is not ChainFailure.FAIL_CLOSED:
            members["onChainFailure"] = self.on_chain_failure.value
        return members

    @classmethod
    def parse(cls, value: JsonValue, *, strict: bool = True) -> PublicRules:
        """Inverse of `to_json`. Raises `InvalidInput`.

        Unless `strict`, each rule that is not of our form is ignored, and only what is no object is refused:
        another service may have more rules, or others under the same name.
        """
        members = _known(value, _MEMBERS) if strict else _ours(require_object(value, InvalidInput))
        return cls(
            requirements=_requirements(members),
            first_contact_messages=_optional(members, "firstContact", _first_contact),
            sender_quota=_optional(members, "senderQuota", Allowance.parse),
            total_quota=_optional(members, "totalQuota", Allowance.parse),
            on_chain_failure=_optional(members, "onChainFailure", _chain_failure) or ChainFailure.FAIL_CLOSED,
        )


_MEMBERS: Final = frozenset(
    {
        "minNonce",
        "minBalance",
        "minTokenBalance",
        "stake",
        "firstContact",
        "senderQuota",
        "totalQuota",
        "onChainFailure",
    }
)


def _ours(members: JsonObject) -> JsonObject:
    """The members that are rules of our form, each looked at by itself."""
    return {name: value for name, value in members.items() if _is_ours(name, value)}


def _is_ours(name: str, value: JsonValue) -> bool:
    try:
        PublicRules.parse({name: value})
    except InvalidInput:
        return False
    return True


def _requirements(members: JsonObject) -> tuple[Requirement, ...]:
    found: list[Requirement] = []
    if "minNonce" in members:
        found.append(Requirement(Question(Asked.NONCE), _count(members, "minNonce")))
    if "minBalance" in members:
        found.append(Requirement(Question(Asked.BALANCE), _amount(members, "minBalance")))
    if "minTokenBalance" in members:
        given = members["minTokenBalance"]
        # The reference has one object, not a list.
        tokens = given if isinstance(given, (list, tuple)) else [given]
        if len(tokens) > MAX_TOKEN_RULES:
            raise InvalidInput(f"There are at most {MAX_TOKEN_RULES} rules about tokens.")
        found += [_token(token) for token in tokens]
    if "stake" in members:
        stake = _known(members["stake"], {"address", "amount"})
        found.append(Requirement(Question(Asked.STAKE, _contract(stake)), _amount(stake, "amount")))
    return tuple(requirement for requirement in found if requirement.least > 0)


def _requirements_json(requirements: tuple[Requirement, ...]) -> dict[str, JsonValue]:
    members: dict[str, JsonValue] = {}
    tokens: list[JsonValue] = []
    for requirement in requirements:
        question, least = requirement.question, requirement.least
        match question.asked:
            case Asked.NONCE:
                members["minNonce"] = least
            case Asked.BALANCE:
                members["minBalance"] = str(least)
            case Asked.STAKE:
                members["stake"] = {"address": question.contract, "amount": str(least)}
            case Asked.TOKEN:
                tokens.append(_token_json(requirement))
    if tokens:
        members["minTokenBalance"] = tokens
    return members


def _token(value: JsonValue) -> Requirement:
    members = _known(value, {"address", "amount", "standard", "id"})
    standard = _optional(members, "standard", _standard) or TokenStandard.ERC20
    if (standard is TokenStandard.ERC1155) != ("id" in members):
        raise InvalidInput("A token of ERC-1155 needs an id, and no other one has one.")
    token_id = _amount(members, "id") if "id" in members else None
    question = Question(Asked.TOKEN, _contract(members), standard, token_id)
    return Requirement(question, _amount(members, "amount") if "amount" in members else 1)


def _token_json(requirement: Requirement) -> JsonObject:
    question = requirement.question
    members: dict[str, JsonValue] = {
        "address": question.contract,
        "amount": str(requirement.least),
        "standard": (question.standard or TokenStandard.ERC20).value,
    }
    if question.token_id is not None:
        members["id"] = str(question.token_id)
    return members


def _standard(value: JsonValue) -> TokenStandard:
    # Not `in set(TokenStandard)`: what a stranger wrote there may be unhashable.
    for standard in TokenStandard:
        if standard.value == value:
            return standard
    raise InvalidInput("The standard of a token must be erc20, erc721 or erc1155.")


def _chain_failure(value: JsonValue) -> ChainFailure:
    for failure in ChainFailure:
        if failure.value == value:
            return failure
    raise InvalidInput("The member onChainFailure must be fail_open or fail_closed.")


def _first_contact(value: JsonValue) -> int:
    return _count(_known(value, {"messages"}), "messages")


def _contract(members: JsonObject) -> str:
    try:
        return checksum_address(text_member(members, "address", InvalidInput))
    except InvalidEncoding:
        raise InvalidInput("The address of a contract is not an Ethereum address.") from None


def _amount(members: JsonObject, name: str) -> int:
    """A uint256 as decimal text."""
    text = text_member(members, name, InvalidInput)
    if not _AMOUNT.fullmatch(text) or int(text) >= _UINT256:
        raise InvalidInput(f"The member {name} must be a decimal number as a text.")
    return int(text)


def _count(members: JsonObject, name: str) -> int:
    """A whole number from 0 on that every JSON reader gets right."""
    number = number_member(members, name, InvalidInput)
    if not 0 <= number < _MAX_COUNT or number != int(number):
        raise InvalidInput(f"The member {name} must be a whole number from 0 on.")
    return int(number)


def _known(value: JsonValue, names: frozenset[str] | set[str]) -> JsonObject:
    members = require_object(value, InvalidInput)
    if not members.keys() <= names:
        raise InvalidInput("There is a rule, or a member of one, that this service does not know.")
    return members


def _optional(members: JsonObject, name: str, read: Callable[[JsonValue], Parsed]) -> Parsed | None:
    return read(members[name]) if name in members else None
