"""What owners ask for, read; and how often they may."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from chalicelib.fetching.urls import vet
from chalicelib.notify.webhooks.signing import Signature
from chalicelib.protocol.errors import InvalidInput
from chalicelib.protocol.json_types import JsonValue
from chalicelib.protocol.members import optional_text, require_object, text_member
from chalicelib.relay.quota import Quota
from chalicelib.relay.values import Account
from chalicelib.relay.vault import text_bytes

MAX_URL_BYTES: Final = 2_048
_HOUR_S = 3_600
_REQUESTS, _CHANGES, _HOST_REQUESTS = 60, 120, 600


@dataclass(frozen=True, slots=True)
class NewEndpoint:
    """What is to be added."""

    url: str
    signature: Signature

    @classmethod
    def parse(cls, document: JsonValue) -> NewEndpoint:
        """From `{url, signature?}`. Raises InvalidInput, and UnsafeLink for a URL that is not plain."""
        members = require_object(document, InvalidInput)
        if not members.keys() <= {"url", "signature"}:
            raise InvalidInput("There is a member that a webhook does not have.")
        url = text_member(members, "url", InvalidInput)
        if len(text_bytes(url)) > MAX_URL_BYTES:
            raise InvalidInput("The URL is too long.")
        vet(url)
        signature = optional_text(members, "signature", InvalidInput) or Signature.V1
        try:
            return cls(url, Signature(signature))
        except ValueError:
            raise InvalidInput("The signature is v1 or v1a.") from None


@dataclass(frozen=True, slots=True)
class Replay:
    """What is to be sent again: one `delivery`, or all that failed since `since_ms`, from `cursor` on."""

    delivery: str | None = None
    since_ms: int = 0
    cursor: str | None = None

    @classmethod
    def parse(cls, document: JsonValue) -> Replay:
        """From `{delivery}` or `{since, cursor?}`. Raises InvalidInput."""
        members = require_object(document, InvalidInput)
        if members.keys() == {"delivery"}:
            return cls(delivery=text_member(members, "delivery", InvalidInput))
        if not ({"since"} <= members.keys() <= {"since", "cursor"}):
            raise InvalidInput("Name the delivery, or since when.")
        since_ms = members["since"]
        if isinstance(since_ms, bool) or not isinstance(since_ms, int) or since_ms < 0:
            raise InvalidInput("The member since must be a time in milliseconds.")
        return cls(since_ms=since_ms, cursor=optional_text(members, "cursor", InvalidInput))


def request_quota(account: Account) -> Quota:
    """Requests that the relay makes because the account asked for it just now."""
    return Quota("webhook requests", account.key, _REQUESTS, _HOUR_S)


def host_quota(url: str) -> Quota:
    """Requests of that kind to one host, whoever asks: many accounts must not add up to an attack."""
    return Quota("webhook host", vet(url).host, _HOST_REQUESTS, _HOUR_S)


def change_quota(account: Account) -> Quota:
    """Changes and replays, which write much and send nothing by themselves."""
    return Quota("webhook changes", account.key, _CHANGES, _HOUR_S)
