"""The documents of webhooks, described: the API's own documents are generated from these models.

The relay checks what it is given itself (`notify.webhooks.requests`); the tests hold what it takes and gives
against these descriptions.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from chalicelib.api.models import Input

_MS = "Milliseconds since the Unix epoch."


class NewWebhook(Input):
    """A server that is to be told of mail."""

    url: str = Field(description="An https: URL that answers for you. No redirects are followed.")
    signature: Literal["v1", "v1a"] = Field(
        "v1", description="Of Standard Webhooks: v1 with a shared secret, v1a with a key pair (Ed25519)."
    )


class Replay(Input):
    """What to send again: `delivery`, or all that failed `since` a time."""

    delivery: str = Field(default_factory=str, description="The id of one delivery.")
    since: int = Field(default_factory=int, description=_MS)
    cursor: str = Field(default_factory=str, description="With since: where the last answer ended.")


class _Told(BaseModel):
    """Base of what is told: exact types, and no member that is not described."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Attempt(_Told):
    """One request: the status of the answer, or a word for why there was none that counts."""

    number: int = Field(alias="try", description="From 1 on; replays go on counting.")
    at: int = Field(description=_MS)
    latency: int = Field(description="Milliseconds.")
    status: int | None
    reason: str | None = Field(
        description="timed_out, unresolved, unreachable, untrusted, broken_off, not_http, redirected, "
        "unreadable, too_long or unsafe."
    )


class Webhook(_Told):
    """A webhook as it stands."""

    id: str
    url: str
    state: Literal["unverified", "active", "paused", "gone"]
    signature: Literal["v1", "v1a"]
    createdAt: int = Field(description=_MS)  # noqa: N815 - as on the wire
    failingSince: int | None = Field(  # noqa: N815
        description="Since when it has done nothing but fail. After three days it is paused."
    )
    oldSecretUntil: int | None = Field(  # noqa: N815
        description="Until when the secret before the last rotation signs, too."
    )
    publicKey: str = Field(default_factory=str, description="whpk_…, with signature v1a.")  # noqa: N815


class RotatedWebhook(Webhook):
    """A webhook with its new secret."""

    secret: str = Field(default_factory=str, description="whsec_…, with signature v1. Told this once.")


class AddedWebhook(RotatedWebhook):
    """A new webhook. It is active if it has answered the challenge, else unverified."""

    challenge: Attempt


class Webhooks(_Told):
    """All webhooks of an account."""

    webhooks: list[Webhook]


class Delivery(_Told):
    """An event on its way to a webhook. `id` is the webhook-id of every request made for it."""

    id: str
    type: Literal["message.received", "webhook.test"]
    state: Literal["pending", "delivered", "failed", "held"]
    at: int = Field(description="When it happened: milliseconds since the Unix epoch.")
    messageId: str | None  # noqa: N815
    size: Literal["small", "medium", "large"] | None
    tries: int = Field(description="The number of the last try.")
    nextTryAt: int | None = Field(description=_MS)  # noqa: N815
    attempts: list[Attempt] = Field(description="The latest twenty, the oldest first.")


class DeliveryLog(_Told):
    """A page of the log, newest first. `cursor` continues; null: there is nothing more."""

    deliveries: list[Delivery]
    cursor: str | None


class Replayed(_Told):
    """How many deliveries begin again. `cursor` continues; null: there is nothing more."""

    replayed: int
    cursor: str | None


WEBHOOK_BODIES: dict[str, type[Input]] = {model.__name__: model for model in (NewWebhook, Replay)}
"""The bodies of the routes of webhooks, by name."""

WEBHOOK_RESULTS: dict[str, type[BaseModel]] = {
    model.__name__: model
    for model in (Webhook, Webhooks, AddedWebhook, RotatedWebhook, Delivery, DeliveryLog, Replayed)
}
"""What the routes of webhooks answer, by name."""
