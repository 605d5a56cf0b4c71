"""Which profile stands for an account? The one rule that says when another one may (ADR 0010).

Every profile that an address has ever signed stays valid by its signature, and says nothing of when it was
made. What is current only ENS can tell, and only under a name of the account's owner: anyone can point a name
of theirs at the address and publish there a profile that its owner has long replaced.

A name is *confirmed* when a session has been opened under it with the key of the profile that stands. While
no name is, ENS is believed under any name that resolves to the address.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.protocol.profile import SignedUserProfile


@dataclass(frozen=True, slots=True)
class Claim:
    """`signed`, by the account's wallet, is offered as the account's profile under `name`.

    `published` is what ENS publishes under `name` now, signed by the same wallet; None if there is no such.
    """

    name: str
    signed: SignedUserProfile
    published: SignedUserProfile | None

    @property
    def is_published(self) -> bool:
        """Whether ENS publishes this very profile under the name."""
        return self.published is not None and self.published.profile == self.signed.profile


def may_begin(claim: Claim, *, superseded: bool) -> bool:
    """Whether an account may begin with the profile; `superseded`: the address has replaced it before."""
    return claim.is_published or (claim.published is None and not superseded)


def may_replace(claim: Claim, confirmed: Sequence[str]) -> bool:
    """Whether the profile may replace a different one, in an account with these confirmed names."""
    return claim.is_published and (not confirmed or claim.name in confirmed)


def confirmed_after(claim: Claim, confirmed: Sequence[str]) -> tuple[str, ...]:
    """What remains confirmed once the profile has replaced another: at most the name it came under.

    The others were confirmed with the key that is replaced, perhaps by whoever it was replaced for.
    """
    return tuple(name for name in confirmed if name == claim.name)
