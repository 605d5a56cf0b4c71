"""One's accounts at one's own delivery services: registering, how they stand, and leaving."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from chalicelib.client.cursor import Progress, is_position
from chalicelib.client.delivery_service import DeliveryService, path
from chalicelib.client.identity import Identity
from chalicelib.client.services import Services
from chalicelib.client.session import Sessions
from chalicelib.client.several import at_each
from chalicelib.client.values import AccountStatus, FormerKey, Unreached
from chalicelib.protocol.errors import Unavailable
from chalicelib.protocol.json_types import JsonObject, JsonValue

Result = TypeVar("Result")

_NONSENSE: Final = "The delivery service gave an answer that makes no sense."


class Accounts:
    """The accounts of one identity, one at each of its delivery services."""

    def __init__(self, identity: Identity, services: Services, sessions: Sessions) -> None:
        self._identity = identity
        self._services = services
        self._sessions = sessions

    def register(self) -> tuple[str, ...]:
        """Post the signed profile to each service. See `Dm3Client.register`."""
        body = self._identity.signed_profile.to_json()
        where = path("profile", self._identity.name)
        opened, _ = self._at_each(lambda service: service.request("POST", where, body=body))
        return tuple(opened)

    def sign_out_everywhere(self) -> tuple[Unreached, ...]:
        """Revoke every session token of the account. See `Dm3Client.sign_out_everywhere`."""
        return self._leave("POST", path("auth", self._identity.name, "sign-out-everywhere"))

    def delete(self) -> tuple[Unreached, ...]:
        """Delete account and mail. See `Dm3Client.delete_account`."""
        return self._leave("DELETE", path("account", self._identity.name))

    def status(self) -> tuple[AccountStatus | Unreached, ...]:
        """How each account stands. See `Dm3Client.account`."""
        statuses, unreached = self._at_each(self._status)
        return (*statuses.values(), *unreached)

    def export(self) -> tuple[JsonObject, ...]:
        """Everything that is stored. See `Dm3Client.export`."""
        exports, unreached = self._at_each(self._export)
        return (*exports.values(), *(_missing(failure) for failure in unreached))

    def _leave(self, method: str, where: str) -> tuple[Unreached, ...]:
        def leave(service: DeliveryService) -> None:
            self._sessions.request(service, method, where)
            self._sessions.forget(service)

        return self._at_each(leave)[1]

    def _status(self, service: DeliveryService) -> AccountStatus:
        return _read(self._sessions.request(service, "GET", path("account", self._identity.name)), service)

    def _export(self, service: DeliveryService) -> JsonObject:
        first = self._export_page(service, None)
        messages = _messages(first)
        page, before, progress = first, None, Progress()
        while page.get("more") is True and is_position(cursor := page.get("cursor")):
            progress.step(before, cursor, found=bool(_messages(page)))
            page, before = self._export_page(service, cursor), cursor
            messages += _messages(page)
        kept = {name: value for name, value in first.items() if name not in ("cursor", "more")}
        return {"deliveryService": service.name, **kept, "messages": messages}

    def _export_page(self, service: DeliveryService, cursor: str | None) -> JsonObject:
        where = path("account", self._identity.name, "export")
        answer = self._sessions.request(service, "GET", where, cursor=cursor)
        if not isinstance(answer, dict):
            raise Unavailable(_NONSENSE)
        return answer

    def _at_each(
        self, act: Callable[[DeliveryService], Result]
    ) -> tuple[dict[str, Result], tuple[Unreached, ...]]:
        return at_each(self._identity.delivery_services, lambda name: act(self._services.find(name)))


def _read(answer: JsonValue, service: DeliveryService) -> AccountStatus:
    """The status in an answer. Raises Unavailable if it makes no sense."""
    match answer:
        case {
            "address": str(address),
            "names": list(names),
            "createdAt": int(created_at_ms),
            "publicEncryptionKey": str(key),
            "formerKeys": list(former),
            "listed": bool() | None as listed,
        }:
            return AccountStatus(
                delivery_service=service.name,
                address=address,
                names=tuple(name for name in names if isinstance(name, str)),
                created_at_ms=created_at_ms,
                public_encryption_key=key,
                former_keys=tuple(_former(item) for item in former),
                listed=listed,
            )
    raise Unavailable(_NONSENSE)


def _former(item: JsonValue) -> FormerKey:
    match item:
        case {"publicEncryptionKey": str(key), "replacedAt": int(replaced_at_ms)}:
            return FormerKey(key, replaced_at_ms)
    raise Unavailable(_NONSENSE)


def _missing(failure: Unreached) -> JsonObject:
    """What stands in an export for a service that gave none: nobody shall take the rest for everything."""
    reason = failure.reason
    return {"deliveryService": failure.delivery_service, "error": reason.message, "code": reason.code}


def _messages(page: JsonObject) -> list[JsonValue]:
    messages = page.get("messages")
    return list(messages) if isinstance(messages, list) else []
