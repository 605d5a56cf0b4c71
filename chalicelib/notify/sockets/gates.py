"""What sockets may use: openings by source and by account, frames by both (`relay.quota`).

Each opening and each frame is a call of a function and a read or two, so each is charged to whoever caused
it. Large quotas are sampled: of sixteen charges one is written.
"""

from __future__ import annotations

from contextlib import suppress

from chalicelib.notify.sockets.open_socket import OpenSocket
from chalicelib.protocol.errors import Unavailable
from chalicelib.relay.quota import (
    Quotas,
    account_backlogs,
    account_frames,
    account_sockets,
    source_frames,
    source_sockets,
    unsigned_frames,
)
from chalicelib.relay.settings import Limits
from chalicelib.relay.values import Account


class Gates:
    """Charges sockets. Everything raises LimitExceeded, and all but `frame` Unavailable."""

    def __init__(self, quotas: Quotas, limits: Limits) -> None:
        self._quotas = quotas
        self._limits = limits

    def opening(self, source: str) -> None:
        """A socket is being opened from `source`."""
        self._quotas.charge(source_sockets(self._limits, source))

    def signing_in(self, account: Account) -> None:
        """A socket is about to speak for `account`."""
        self._quotas.charge(account_sockets(self._limits, account.key))

    def frame(self, socket: OpenSocket) -> None:
        """A frame came over `socket`. It passes if nobody can tell: closing all sockets helps no outage."""
        with suppress(Unavailable):
            self._quotas.charge(source_frames(self._limits, socket.source))
            if socket.account is None:
                self._quotas.charge(unsigned_frames(self._limits, socket.source))
            else:
                self._quotas.charge(account_frames(self._limits, socket.account.key))

    def backlog(self, account: Account) -> None:
        """Up to a hundred messages are about to be read and posted."""
        self._quotas.charge(account_backlogs(account.key))
