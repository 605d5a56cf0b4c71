"""Finding delivery services by name, and remembering what they say of themselves and of receivers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from chalicelib.client.delivery_service import DeliveryService
from chalicelib.client.patience import Patience
from chalicelib.client.remembered import Remembered
from chalicelib.client.transport import Transport
from chalicelib.names.directory import Directory
from chalicelib.names.normalize import normalize
from chalicelib.protocol.errors import MethodNotFound, MethodNotSupported, NotFound
from chalicelib.protocol.extension import ProfileExtension
from chalicelib.protocol.properties import DeliveryServiceProperties

ANSWERS_LIFETIME_MS: Final = 600_000
# A receiver may change their rules at any time.
EXTENSIONS_LIFETIME_MS: Final = 60_000


class Services:
    """Delivery services by ENS name, with their answers remembered: ten minutes, one minute for receivers."""

    def __init__(
        self, directory: Directory, transport: Transport, patience: Patience, clock_ms: Callable[[], int]
    ) -> None:
        self._directory = directory
        self._transport = transport
        self._patience = patience
        self._properties = Remembered[str, DeliveryServiceProperties](
            clock_ms, lifetime_ms=ANSWERS_LIFETIME_MS
        )
        self._extensions = Remembered[tuple[str, str], ProfileExtension](
            clock_ms, lifetime_ms=EXTENSIONS_LIFETIME_MS
        )

    def find(self, name: str, *, fresh: bool = False) -> DeliveryService:
        """The delivery service called `name`, by its record on ENS.

        Raises NotFound if it publishes none, Unavailable, InvalidName.
        """
        name = normalize(name)
        profile = self._directory.delivery_service(name, fresh=fresh)
        if profile is None:
            raise NotFound("A delivery service has no profile at ENS.")
        return DeliveryService(name, profile, self._transport, self._patience)

    def properties(self, service: DeliveryService) -> DeliveryServiceProperties:
        """What `service` says of itself. Raises as `DeliveryService.properties`."""
        return self._properties.get(service.name, service.properties)

    def extension(self, service: DeliveryService, receiver: str) -> ProfileExtension:
        """What `service` says of `receiver`; the default where services do not know this question.

        Raises NotFound if the receiver has no account there.
        """
        return self._extensions.get((service.name, receiver), lambda: _extension(service, receiver))


def _extension(service: DeliveryService, receiver: str) -> ProfileExtension:
    try:
        return service.extension(receiver)
    except (MethodNotFound, MethodNotSupported):
        return ProfileExtension.default()
