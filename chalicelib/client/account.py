"""One's accounts at one's own delivery services: registering, and leaving."""

from __future__ import annotations

from chalicelib.client.delivery_service import DeliveryService, path
from chalicelib.client.identity import Identity
from chalicelib.client.services import Services
from chalicelib.client.session import Sessions
from chalicelib.protocol.errors import Unavailable
from chalicelib.protocol.json_types import JsonObject, JsonValue


class Accounts:
    """The accounts of one identity, one at each of its delivery services."""

    def __init__(self, identity: Identity, services: Services, sessions: Sessions) -> None:
        self._identity = identity
        self._services = services
        self._sessions = sessions

    def register(self) -> tuple[str, ...]:
        """Post the signed profile to each service. See `Dm3Client.register`."""
        body = self._identity.signed_profile.to_json()
        own = self._own()
        for service in own:
            service.request("POST", path("profile", self._identity.name), body=body)
        return tuple(service.name for service in own)

    def sign_out_everywhere(self) -> None:
        """Revoke every session token of the account, also those of other devices."""
        for service in self._own():
            self._sessions.request(service, "POST", path("auth", self._identity.name, "sign-out-everywhere"))
            self._sessions.forget(service)

    def delete(self) -> None:
        """Delete account and mail. See `Dm3Client.delete_account`."""
        for service in self._own():
            self._sessions.request(service, "DELETE", path("account", self._identity.name))
            self._sessions.forget(service)

    def export(self) -> tuple[JsonObject, ...]:
        """Everything that is stored. See `Dm3Client.export`."""
        return tuple(self._export(service) for service in self._own())

    def _export(self, service: DeliveryService) -> JsonObject:
        first = self._export_page(service, None)
        messages = _messages(first)
        page = first
        while page.get("more") is True and isinstance(cursor := page.get("cursor"), str):
            page = self._export_page(service, cursor)
            messages += _messages(page)
        kept = {name: value for name, value in first.items() if name not in ("cursor", "more")}
        return {"deliveryService": service.name, **kept, "messages": messages}

    def _export_page(self, service: DeliveryService, cursor: str | None) -> JsonObject:
        where = path("account", self._identity.name, "export")
        answer = self._sessions.request(service, "GET", where, cursor=cursor)
        if not isinstance(answer, dict):
            raise Unavailable("The delivery service gave an answer that makes no sense.")
        return answer

    def _own(self) -> list[DeliveryService]:
        return [self._services.find(name) for name in self._identity.delivery_services]


def _messages(page: JsonObject) -> list[JsonValue]:
    messages = page.get("messages")
    return list(messages) if isinstance(messages, list) else []
