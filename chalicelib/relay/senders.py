"""Is the sender genuine? Name, profile, signing key, signature of the envelope's metadata (decision 3).

The answer costs nothing for signatures of the wrong form, one remembered lookup otherwise, and one fresh
lookup (granted by the directory at a limited rate) when the remembered profile does not fit: keys rotate.
"""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.names.directory import Directory, ResolvedName, Toll
from chalicelib.names.normalize import normalize
from chalicelib.protocol.encoding import decode_base64
from chalicelib.protocol.envelope import Envelope, verify_envelope
from chalicelib.protocol.errors import InvalidEncoding, UnverifiedSender

_SIGNATURE_BYTES = 64  # Ed25519


@dataclass(frozen=True, slots=True)
class Sender:
    """Who wrote: a normalised name, and the address if the wallet's signature of the profile proves it.

    `verified` is False only at a lenient relay; then the name is a claim and `address` is None.
    """

    name: str
    address: str | None
    verified: bool

    @property
    def identity(self) -> str:
        """Whom a quota is charged to: all names of one proven address are one, and a claim is nobody's."""
        if not self.verified:
            return f"claimed {self.name}"
        return f"address {self.address}" if self.address else f"name {self.name}"


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
                if _fits(envelope, resolved):
                    proven = resolved.address if resolved.signed is not None else None
                    return Sender(name, proven, verified=True)
        if not self._lenient:
            raise UnverifiedSender
        return Sender(name, None, verified=False)


def _fits(envelope: Envelope, resolved: ResolvedName) -> bool:
    if resolved.profile is None:
        return False
    try:
        return verify_envelope(envelope, resolved.profile.public_signing_key)
    except InvalidEncoding:
        # The profile was published with a key of the wrong form.
        return False
