"""What the steps of the demo share: the people, the relay, and what has been said so far."""

from __future__ import annotations

from dataclasses import dataclass, field

from chalicelib.cli.demo.narrator import Narrator
from chalicelib.cli.demo.people import Person
from chalicelib.client import Identity, Revision, Sent, SystemEntropy, drafts
from chalicelib.client.client import now_ms
from chalicelib.client.composer import Composer
from chalicelib.client.delivery_service import DeliveryService
from chalicelib.client.http import HttpTransport
from chalicelib.client.patience import Patience
from chalicelib.client.services import Services
from chalicelib.names.ens_directory import EnsDirectory
from chalicelib.names.http_transport import HttpTransport as ChainOverHttp
from chalicelib.protocol.json_types import JsonObject
from infra.local.serve import LocalRelay


@dataclass
class Stage:
    """The story so far. The people and the first message are there once their step has been told."""

    narrator: Narrator
    relay: LocalRelay
    alice: Person = field(init=False)
    bob: Person = field(init=False)
    hello: Sent = field(init=False)

    def service(self) -> DeliveryService:
        """The relay, called without the conveniences of the client."""
        directory = EnsDirectory(ChainOverHttp(self.relay.rpc_url), clock_ms=now_ms)
        services = Services(directory, HttpTransport(allow_http=True), Patience(attempts=1), now_ms)
        return services.find(self.relay.relay_name)

    def envelope(self, author: Identity, text: str) -> JsonObject:
        """An envelope to Bob that `author` has sealed for the relay."""
        composer = Composer(
            author,
            revisions=(Revision.ENCRYPTED_MESSAGE_HASH,),
            clock_ms=now_ms,
            entropy=SystemEntropy(),
        )
        entry = composer.compose(self.bob.name, drafts.new(text))
        receiver = self.bob.identity.signed_profile.profile
        return composer.seal(entry, receiver, self.service().profile).envelope
