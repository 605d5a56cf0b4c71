"""What the options of `dm3 rules set` make of the rules that are there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from chalicelib.client.amounts import parse_eth
from chalicelib.client.own_rules import OwnRules
from chalicelib.protocol.errors import InvalidInput
from chalicelib.protocol.json_types import JsonObject, JsonValue
from chalicelib.protocol.rules import ChainFailure

# What `--without` takes away: the option's name, and the member of the public rules or of the document.
RULES: Final[Mapping[str, str]] = {
    "min-nonce": "minNonce",
    "min-balance": "minBalance",
    "token": "minTokenBalance",
    "stake": "stake",
    "first-contact": "firstContact",
    "sender-quota": "senderQuota",
    "total-quota": "totalQuota",
}
DOCUMENT: Final[Mapping[str, str]] = {"types": "supportedMessageTypes", "schemes": "encryptionScheme"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleOptions:
    """The options as they were given; None and () for those that were not."""

    min_nonce: int | None
    min_balance: str | None
    tokens: Sequence[str]
    stake: str | None
    first_contact: int | None
    sender_messages: int | None
    sender_kib: int | None
    total_messages: int | None
    total_kib: int | None
    fail_open: bool | None
    only_allowed: bool | None
    types: str | None
    schemes: str | None
    without: Sequence[str]

    @property
    def given(self) -> bool:
        """Whether there is any."""
        values = (getattr(self, name) for name in self.__slots__)
        return any(value is not None and value != () for value in values)

    def applied_to(self, kept: OwnRules) -> OwnRules:
        """`kept` with what the options say; the rest stays. Raises InvalidInput."""
        document = dict(kept.to_json())
        rules = {**kept.rules.to_json(), **self._rules(kept.rules.to_json())}
        document["rules"] = {
            name: value
            for name, value in rules.items()
            if name not in {RULES.get(word) for word in self.without}
        }
        if self.only_allowed is not None:
            document["onlyAllowed"] = self.only_allowed
        for member, words in (("supportedMessageTypes", self.types), ("encryptionScheme", self.schemes)):
            if words is not None:
                document[member] = [word.strip() for word in words.split(",")]
        for word in self.without:
            document.pop(DOCUMENT.get(word, ""), None)
        return OwnRules.parse(document)

    def _rules(self, kept: JsonObject) -> JsonObject:
        """The members of the public rules that the options set."""
        rules: dict[str, JsonValue] = {
            "minNonce": self.min_nonce,
            "minBalance": None if self.min_balance is None else str(parse_eth(self.min_balance)),
            "minTokenBalance": [_token(words) for words in self.tokens] or None,
            "stake": None if self.stake is None else _stake(self.stake),
            "firstContact": None if self.first_contact is None else {"messages": self.first_contact},
            "senderQuota": _quota(kept.get("senderQuota"), self.sender_messages, self.sender_kib),
            "totalQuota": _quota(kept.get("totalQuota"), self.total_messages, self.total_kib),
        }
        if self.fail_open is not None:
            failure = ChainFailure.FAIL_OPEN if self.fail_open else ChainFailure.FAIL_CLOSED
            rules["onChainFailure"] = failure.value
        return {name: value for name, value in rules.items() if value is not None}


def _token(text: str) -> JsonObject:
    """`STANDARD:ADDRESS[:ID]:AMOUNT`."""
    match text.split(":"):
        case [standard, address, amount]:
            return {"standard": standard.lower(), "address": address, "amount": amount}
        case [standard, address, token_id, amount]:
            return {"standard": standard.lower(), "address": address, "id": token_id, "amount": amount}
    raise InvalidInput(
        "A token is written as STANDARD:ADDRESS:AMOUNT, of ERC-1155 STANDARD:ADDRESS:ID:AMOUNT."
    )


def _stake(text: str) -> JsonObject:
    address, separator, amount = text.partition(":")
    if not separator:
        raise InvalidInput("A stake is written as ADDRESS:AMOUNT.")
    return {"address": address, "amount": amount}


def _quota(kept: JsonValue, messages: int | None, kib: int | None) -> JsonObject | None:
    """The quota with what is new; None if nothing is."""
    new: dict[str, JsonValue] = {
        name: value for name, value in (("messagesPerDay", messages), ("kibPerDay", kib)) if value is not None
    }
    return {**(kept if isinstance(kept, dict) else {}), **new} if new else None
