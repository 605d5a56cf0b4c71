"""The documents of rules, described: the API's own documents are generated from these models.

The relay checks what it is given itself (`relay.policy.account_rules`), in better words than a model has; the
tests hold what it takes and gives against these descriptions.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from chalicelib.api.models import Input, Texts

_CONTRACT = "Address of the contract."


def _left_out(alias: str) -> Any:  # noqa: ANN401 - as pydantic's own Field
    """A member that may be left out but not be null: no default stands in the description."""
    return Field(default_factory=lambda: None, alias=alias)


class Token(Input):
    """At least `amount` of a token: a balance of ERC-20, pieces of ERC-721, or one id of ERC-1155."""

    address: str = Field(description=_CONTRACT)
    amount: str = Field("1", description="In the token's smallest unit.")
    standard: Literal["erc20", "erc721", "erc1155"] = "erc20"
    id: str = Field(default_factory=str, description="Of ERC-1155, and of no other.")


class Stake(Input):
    """At least `amount` deposited in a contract."""

    address: str = Field(description=_CONTRACT)
    amount: str = Field(description="In the contract's own unit.")


class FirstContact(Input):
    """How many messages come in from a stranger until answered or allowed."""

    messages: int


class Allowance(Input):
    """How much comes in on one day (UTC); at least one of the two."""

    messages_per_day: int = Field(default_factory=int, alias="messagesPerDay")
    kib_per_day: int = Field(default_factory=int, alias="kibPerDay")


class PublicRules(Input):
    """What a sender may know of a receiver's rules. Requirements are met by the sender's proven address."""

    min_nonce: int = Field(default_factory=int, alias="minNonce", description="Transactions it has sent.")
    min_balance: str = Field(default_factory=str, alias="minBalance", description="Wei.")
    min_token_balance: list[Token] | Token = Field(default_factory=list, alias="minTokenBalance")
    stake: Stake = _left_out("stake")
    first_contact: FirstContact = _left_out("firstContact")
    sender_quota: Allowance = _left_out("senderQuota")
    total_quota: Allowance = _left_out("totalQuota")
    on_chain_failure: Literal["fail_open", "fail_closed"] = Field(
        "fail_closed",
        alias="onChainFailure",
        description="Whether mail is accepted while the chain cannot be asked.",
    )


class Rules(Input):
    """All rules of an account. Entries of lists are ENS names, `*.` and a name, or addresses."""

    rules: PublicRules = _left_out("rules")
    allow: Texts = Field(default_factory=list, description="Accepted whatever the other rules say.")
    block: Texts = Field(default_factory=list, description="Refused.")
    only_allowed: bool = Field(
        default=False, alias="onlyAllowed", description="Refuse everybody who is not on the allow list."
    )
    supported_message_types: Texts = Field(
        default_factory=list, alias="supportedMessageTypes", description="For senders; NEW is among them."
    )
    encryption_scheme: Texts = Field(
        default_factory=list,
        alias="encryptionScheme",
        description="For senders, the preferred one first; x25519-chacha20-poly1305 is among them.",
    )


class ListChanges(Input):
    """Entries to put on one of the lists (they leave the other), and entries to take off both."""

    allow: Texts = Field(default_factory=list)
    block: Texts = Field(default_factory=list)
    remove: Texts = Field(default_factory=list)


RULE_BODIES: dict[str, type[Input]] = {model.__name__: model for model in (Rules, ListChanges)}
"""The bodies of the routes of rules, by name."""
