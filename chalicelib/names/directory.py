"""Who a name is: its address, its profile, and whether the address's owner signed for it.

A name proves nothing about an address, since anyone can point a name at anyone's address. Only a profile
that the wallet of the address has signed proves that the two belong together (`ResolvedName.signed`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from chalicelib.protocol.profile import DeliveryServiceProfile, SignedUserProfile, UserProfile

Toll = Callable[[], None]
"""Called before the chain is asked on somebody's behalf; it refuses by raising LimitExceeded.

Called again after a reading that was slow, when its refusal is of no account.
"""


@dataclass(frozen=True, slots=True)
class ResolvedName:
    """What ENS says about a normalised name.

    `address` is checksummed (EIP-55), or None if the name has none. `profile` is the one published at
    `network.dm3.profile`, bare or signed, or None if there is none that can be used. `signed` is set only
    if the profile carries a wallet signature that recovers to `address`: the proof of address. `spellings`
    are the other names that are looked up as the same, by aliases (`names.aliases`).
    """

    name: str
    address: str | None = None
    profile: UserProfile | None = None
    signed: SignedUserProfile | None = None
    spellings: tuple[str, ...] = ()


class Directory(Protocol):
    """Looks names up. The names given to it are normalised (`names.normalize`)."""

    def lookup(self, name: str, *, fresh: bool = False, toll: Toll | None = None) -> ResolvedName:
        """What ENS says about `name`; a name that does not exist has neither address nor profile.

        `fresh` asks for a reading newer than the remembered one; it is granted at a limited rate, and
        otherwise the remembered answer is given. `toll` is called if no remembered answer will do. Raises
        what `toll` raises, `Unavailable` when the chain did not answer, and `LimitExceeded` when too many
        unknown names are looked up.
        """
        ...

    def delivery_service(self, name: str, *, fresh: bool = False) -> DeliveryServiceProfile | None:
        """The delivery service profile published at `name` (`network.dm3.deliveryService`), if any.

        `fresh` and errors as in `lookup`.
        """
        ...


class RememberingDirectory(Directory, Protocol):
    """A directory that can be told to forget."""

    def invalidate(self, name: str) -> None:
        """Forgets what is remembered of `name`: its owner has changed something. Never fails."""
        ...
