"""What the API answers with, described. Imported only when a document is asked for.

The relay writes its answers itself; these models describe them, and the tests hold every answer against its
model. Members that a model does not name are possible where an envelope or a profile is passed through.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, RootModel

from chalicelib.api.models import OperatorRules, SignedProfile
from chalicelib.api.rule_models import PublicRules, Rules


class Output(BaseModel):
    """Base of all descriptions: exact types and no member that is not described."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Receipt(Output):
    """The relay's signed statement that it accepted a message; `duplicate` is outside the signature."""

    messageId: str  # noqa: N815 - as on the wire
    messageHash: str  # noqa: N815
    incomingTimestamp: int = Field(description="Milliseconds since the Unix epoch.")  # noqa: N815
    expiresAt: int = Field(description="Milliseconds since the Unix epoch.")  # noqa: N815
    duplicate: bool = Field(description="True if the same envelope was accepted before.")
    signature: str = Field(description="Ed25519, by the delivery service's signing key.")


class DeliveryServiceProperties(BaseModel):
    """Message TTL, size limit, and what else a sender must know."""

    model_config = ConfigDict(extra="allow", strict=True)

    messageTTL: int = Field(description="Days that a message is kept.")  # noqa: N815
    sizeLimit: int = Field(description="Largest envelope accepted, in bytes.")  # noqa: N815
    notificationChannel: list[object] = Field(  # noqa: N815
        description="Ways of telling receivers that mail has come, with what is public of each."
    )
    limits: dict[str, int] = Field(description="The enforced quotas and page sizes; 0 is not enforced.")


class ProfileExtension(BaseModel):
    """What a receiver's client supports, and from whom mail is accepted."""

    model_config = ConfigDict(extra="allow", strict=True)

    encryptionScheme: list[str] | None = None  # noqa: N815
    supportedMessageTypes: list[str]  # noqa: N815
    rules: PublicRules | None = None


class OpenRpc(BaseModel):
    """This document."""

    model_config = ConfigDict(extra="allow", strict=True)

    openrpc: str


class Text(RootModel[str]):
    """A JSON string."""


class Envelope(BaseModel):
    """A stored envelope: `deliveryInformation` is opened, `sealedDeliveryInformation` the original."""

    model_config = ConfigDict(extra="allow", strict=True)

    message: str
    metadata: dict[str, Any]
    postmark: str


class Envelopes(RootModel[list[Envelope]]):
    """Stored envelopes, oldest first."""


class Message(Output):
    """One message of the inbox; `id` acknowledges it, `messageId` tells doubles apart."""

    id: str
    messageId: str  # noqa: N815
    storedAt: int = Field(description="Milliseconds since the Unix epoch.")  # noqa: N815
    expiresAt: int = Field(description="Milliseconds since the Unix epoch.")  # noqa: N815
    verified: bool = Field(description="Whether the sender's signature was verified.")
    encryptionKey: str | None = Field(  # noqa: N815
        description="The receiver's public key when the message was accepted; null if that was not kept."
    )
    olderKey: bool = Field(description="Whether that key has been replaced since.")  # noqa: N815
    envelope: Envelope


class Page(Output):
    """A page of the inbox. `cursor` continues after it, also when there is nothing `more` now."""

    messages: list[Message]
    cursor: str
    more: bool
    unreadable: int = Field(description="Messages of this page that could not be opened.")


class Acknowledged(Output):
    """How many distinct messages were named; those already gone count, too."""

    acknowledged: int


class FormerKey(Output):
    """A public encryption key that was replaced."""

    publicEncryptionKey: str  # noqa: N815
    replacedAt: int = Field(description="Milliseconds since the Unix epoch.")  # noqa: N815


class AccountStatus(Output):
    """How an account stands. Mail of before `replacedAt` is likely to be sealed for the former key."""

    address: str
    names: list[str]
    createdAt: int = Field(description="Milliseconds since the Unix epoch.")  # noqa: N815
    publicEncryptionKey: str  # noqa: N815
    formerKeys: list[FormerKey] = Field(description="The last ten, the oldest first.")  # noqa: N815
    listed: bool | None = Field(
        description="Whether ENS lists this relay under the name, or new mail is refused; null: not known."
    )


class Export(Output):
    """Everything the relay stores for an account, and a page of its mail."""

    address: str
    profile: SignedProfile
    names: list[str]
    createdAt: int = Field(description="Milliseconds since the Unix epoch.")  # noqa: N815
    rules: Rules
    formerKeys: list[FormerKey]  # noqa: N815
    messages: list[Message]
    cursor: str
    more: bool
    notifications: dict[str, Any] = Field(
        description="The global switch, the channels, quiet hours and pauses between wake-ups."
    )
    webhooks: list[dict[str, Any]] = Field(description="The webhooks, without their secrets.")


class Health(Output):
    """All is well."""

    status: str


MODELS: dict[str, type[BaseModel]] = {
    model.__name__: model
    for model in (
        Receipt,
        DeliveryServiceProperties,
        ProfileExtension,
        OpenRpc,
        Text,
        Envelopes,
        SignedProfile,
        Page,
        Acknowledged,
        Rules,
        AccountStatus,
        Export,
        OperatorRules,
        Health,
    )
}
