"""Does the receiver still use this relay? What ENS lists under a name, and when mail is refused for it.

An owner moves by publishing a profile that names other delivery services. New mail is then refused, so that
its sender goes to where the owner reads; what came in before stays (DESIGN, decision 15). The receiver is
known here, so every doubt is decided for the mail: it is accepted if the name publishes no profile (an
account may begin before that), if the chain does not answer, and if asking it would exceed a rate. Whoever
wrote still has to be verified.
"""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.names.directory import Directory, Toll
from chalicelib.names.normalize import normalize
from chalicelib.protocol.errors import InvalidName, LimitExceeded, ReceiverMoved, Unavailable

# Of one profile: normalising takes time, and whoever publishes a profile chooses how many it lists.
_SERVICES_READ = 100


class Standing:
    """Compares the delivery services that ENS lists for a name with this relay's own name.

    Raises InvalidName if that cannot be normalised.
    """

    def __init__(self, directory: Directory, relay_name: str) -> None:
        self._directory = directory
        self._relay_name = normalize(relay_name)

    def listed(self, name: str, *, toll: Toll | None = None) -> bool | None:
        """Whether the profile under the normalised `name`, bare or signed, lists this relay.

        None if the name publishes no profile, or nobody can tell just now. `toll` is as in
        `Directory.lookup`; if it cannot be paid, nobody can tell.
        """
        try:
            return self._read(name, fresh=False, toll=toll)
        except (Unavailable, LimitExceeded):
            return None

    def require_listed(self, name: str, *, toll: Toll | None = None) -> None:
        """Raises ReceiverMoved if the profile under the normalised `name` does not list this relay.

        The owner may have listed it a moment ago: before a refusal ENS is asked afresh, at the directory's
        limited rate. If it does not answer that, what is remembered stands.
        """
        if self.listed(name, toll=toll) is not False:
            return
        try:
            moved = self._read(name, fresh=True, toll=toll) is False
        except (Unavailable, LimitExceeded):
            moved = True
        if moved:
            raise ReceiverMoved

    def _read(self, name: str, *, fresh: bool, toll: Toll | None) -> bool | None:
        profile = self._directory.lookup(name, fresh=fresh, toll=toll).profile
        if profile is None:
            return None
        return lists_relay(profile.delivery_services, self._relay_name)


def lists_relay(services: Sequence[str], relay_name: str) -> bool:
    """Whether the delivery services of a profile have the relay of the normalised `relay_name` among them."""
    return any(_is_called(service, relay_name) for service in services[:_SERVICES_READ])


def _is_called(service: str, relay_name: str) -> bool:
    try:
        return normalize(service) == relay_name
    except InvalidName:
        # What one entry of somebody's profile is says nothing of the others.
        return False
