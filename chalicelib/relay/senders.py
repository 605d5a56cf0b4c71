"""Is the sender genuine? Name, profile, signing key, signature of the envelope's metadata (decision 3).

The answer costs nothing for signatures of the wrong form, one remembered lookup otherwise, and one fresh
lookup (granted by the directory at a limited rate) when the remembered profile does not fit: keys rotate.
"""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.names.directory import Directory, Toll
from chalicelib.names.normalize import normalize
from chalicelib.protocol.encoding import decode_base64
from chalicelib.protocol.envelope import Envelope, verify_envelope
from chalicelib.protocol.errors import InvalidEncoding, UnverifiedSender
from chalicelib.protocol.profile import UserProfile

_SIGNATURE_BYTES = 64  # Ed25519


@dataclass(frozen=True, slots=True)
class Sender:
    """Who wrote: a normalised name, and the address if the wallet's signature of the profile proves it.

    `verified` is False only at a lenient relay; then the name is a claim and `address` is None.
    `delivery_services` are those of the profile that verified the sender. `spellings` are the other names
    that the operator's aliases make of this one.
    """

    name: str
    address: str | None
    verified: bool
    delivery_services: tuple[str, ...] = ()
    spellings: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names under which the sender may be on a list."""
        return (self.name, *self.spellings)

    @property
    def identity(self) -> str:
        """Whom a quota is charged to: all names of one proven address are one, and a claim is nobody's."""
        if not self.verified:
            return f"claimed {self.name}"
        return identity_of_address(self.address) if self.address else identity_of_name(min(self.names))


def identity_of_address(address: str) -> str:
    """`Sender.identity` of whoever proves the checksummed `address`."""
    return f"address {address}"


def identity_of_name(name: str) -> str:
    """`Sender.identity` of whoever proves the normalised `name`, but no address."""
    return f"name {name}"


class SenderCheck:
    """Settles who the sender of an envelope is."""

    def __init__(self, directory: Directory, *, lenient: bool) -> None:
        self._directory = directory
        self._lenient = lenient

    def check(self, envelope: Envelope, claimed: str, *, toll: Toll | None = None) -> Sender:
        """The sender of `envelope`, which names itself `claimed`; `toll` is paid for each reading of ENS.

        Raises what `toll` raises, InvalidName, UnverifiedSender (unless lenient), Unavailable when ENS does
        not answer, LimitExceeded when too many unknown names are looked up.
        """
        name = normalize(claimed)
        if len(decode_base64(envelope.signature)) == _SIGNATURE_BYTES:
            for fresh in (False, True):
                resolved = self._directory.lookup(name, fresh=fresh, toll=toll)
                profile = resolved.profile
                if profile is not None and _fits(envelope, profile):
                    proven = resolved.address if resolved.signed is not None else None
                    return Sender(
                        name,
                        proven,
                        verified=True,
                        delivery_services=profile.delivery_services,
                        spellings=resolved.spellings,
                    )
        if not self._lenient:
            raise UnverifiedSender
        return Sender(name, None, verified=False)


def _fits(envelope: Envelope, profile: UserProfile) -> bool:
    try:
        return verify_envelope(envelope, profile.public_signing_key)
    except InvalidEncoding:
        # The profile was published with a key of the wrong form.
        return False
