"""The sockets that are open now: remembered in the store, sealed, and reached through the gateway.

A socket's row is its only state. The gateway's id of it, its source and its account are sealed; what can be
seen in the table are keyed hashes. Whatever finds a socket gone forgets it on the spot.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace

from chalicelib.names.counting import Counting
from chalicelib.notify.ports import PING_SHARDS, ConnectionRow, ConnectionStore, Gone, Poster
from chalicelib.notify.sockets.open_socket import Dialect, OpenSocket
from chalicelib.notify.sockets.terms import LIFETIME_S, SOCKETS_PER_ACCOUNT
from chalicelib.notify.sockets.voices import VOICES
from chalicelib.protocol.errors import Unavailable, Undecryptable
from chalicelib.relay.ports import Clock
from chalicelib.relay.values import Account
from chalicelib.relay.vault import Vault

OPENED = "SocketsOpened"
"""Metric: a socket was opened. With the dimension `Dialect`, as the next."""
SIGNED_IN = "SocketsSignedIn"
"""Metric: a socket speaks for an account now."""
GONE = "SocketsGone"
"""Metric: a socket was found closed although nobody had said so."""

_SHARD_PAGE = 100
_SID_BYTES = 15


class Registry:
    """Remembers, finds and reaches open sockets. Everything raises Unavailable; what else, each says."""

    def __init__(
        self, *, store: ConnectionStore, vault: Vault, poster: Poster, clock: Clock, count: Counting
    ) -> None:
        self._store = store
        self._vault = vault
        self._poster = poster
        self._clock = clock
        self._count = count

    def remember(self, connection_id: str, *, source: str, dialect: Dialect) -> OpenSocket:
        """A socket is being opened; it speaks for nobody yet."""
        socket = OpenSocket(
            self._connection(connection_id), connection_id, source, dialect, self._now_s() + LIFETIME_S
        )
        self._store.put(self._row(socket))
        self._count(OPENED, Dialect=dialect)
        return socket

    def find(self, connection_id: str) -> OpenSocket | None:
        """The socket that the gateway keeps under `connection_id`, if it is known and unexpired."""
        return self.at(self._connection(connection_id))

    def at(self, connection: bytes) -> OpenSocket | None:
        """As `find`, by the keyed hash (32 bytes)."""
        row = self._store.get(connection, now_s=self._now_s())
        return None if row is None else self._open(row)

    def of_account(self, owner: bytes) -> tuple[OpenSocket, ...]:
        """Every socket that speaks for the account whose inbox is `owner`."""
        rows = self._store.of_account(owner, now_s=self._now_s())
        return tuple(socket for row in rows if (socket := self._open(row)) is not None)

    def of_shard(self, shard: int) -> Iterator[OpenSocket]:
        """Every signed-in socket of a shard, read page by page."""
        after: bytes | None = None
        while True:
            page = self._store.of_shard(shard, after=after, limit=_SHARD_PAGE, now_s=self._now_s())
            yield from (socket for row in page.rows if (socket := self._open(row)) is not None)
            if page.last is None:
                return
            after = page.last

    def sign_in(self, socket: OpenSocket, account: Account) -> OpenSocket:
        """From now on the socket speaks for `account`: whatever is committed after this returns finds it.

        The account's oldest sockets beyond twenty are closed.
        """
        signed_in = replace(socket, account=account)
        self._store.put(self._row(signed_in))
        self._count(SIGNED_IN, Dialect=socket.dialect)
        others = [one for one in self.of_account(account.inbox) if one.connection != socket.connection]
        others.sort(key=lambda one: (one.expires_at_s, one.connection))
        for oldest in others[: max(0, len(others) + 1 - SOCKETS_PER_ACCOUNT)]:
            # The next sign-in tries again.
            with suppress(Unavailable):
                self.close(oldest)
        return signed_in

    def forget(self, socket: OpenSocket) -> None:
        """Remember the socket no longer; one that is not known is no error."""
        self._store.remove(self._row(socket))

    def post(self, socket: OpenSocket, text: str) -> bool:
        """Send one frame; False if the socket was gone, which is forgotten then. Raises TooBig."""
        try:
            self._poster.post(socket.connection_id, text)
        except Gone:
            self.forget(socket)
            self._count(GONE)
            return False
        return True

    def claim_greeting(self, socket: OpenSocket) -> bool:
        """Whether the socket has still to be greeted: true for one caller only.

        A client that is greeted twice begins anew. This counts as its first ping, until it signs in.
        """
        return socket.account is None and self._store.pinged(socket.connection) == 1

    def greet(self, socket: OpenSocket, text: str) -> bool:
        """As `post`, to a socket whose opening may not have been answered yet: nothing is forgotten."""
        try:
            self._poster.post(socket.connection_id, text)
        except Gone:
            return False
        return True

    def ping(self, socket: OpenSocket) -> int:
        """Ask for an answer: the number of the ping, 0 if the socket is not known any more or gone.

        The ping is counted before it is sent, so that the answers cannot run ahead of it.
        """
        number = self._store.pinged(socket.connection)
        return number if number and self.post(socket, VOICES[socket.dialect].ping) else 0

    def ponged(self, socket: OpenSocket) -> None:
        """A ping has been answered."""
        self._store.ponged(socket.connection)

    def mark(self, owner: bytes, message_id: bytes, pings: Mapping[bytes, int]) -> None:
        """Remember the number of the ping behind a pushed message, for each keyed hash of a socket."""
        expires_at_s = self._now_s() + LIFETIME_S
        self._store.mark(owner, message_id, pings, expires_at_s=expires_at_s)

    def marks(self, owner: bytes, message_id: bytes) -> Mapping[bytes, int]:
        """What `mark` remembered."""
        return self._store.marks(owner, message_id, now_s=self._now_s())

    def close(self, socket: OpenSocket) -> None:
        """Forget the socket and end it; one that is gone is no error.

        Forgotten first: what the gateway cannot close now is pushed nothing, and closed at its next frame.
        """
        try:
            self.forget(socket)
        finally:
            self._poster.close(socket.connection_id)

    def close_unknown(self, connection_id: str) -> None:
        """End a socket of which nothing is remembered."""
        self._poster.close(connection_id)

    def close_all(self, owner: bytes) -> None:
        """Tell every socket of the account that its session has ended, and close it.

        Tries all of them, and raises Unavailable if one could not be closed. Whoever asked may have no
        session left to ask again with, so all are forgotten first: that does not need the gateway.
        """
        failure: Unavailable | None = None
        sockets = self.of_account(owner)
        for socket in sockets:
            try:
                self.forget(socket)
            except Unavailable as error:
                failure = error
        for socket in sockets:
            try:
                for text in VOICES[socket.dialect].farewell():
                    self.greet(socket, text)
                self.close(socket)
            except Unavailable as error:
                failure = error
        if failure is not None:
            raise failure

    def sid(self, socket: OpenSocket) -> str:
        """The session id that Engine.IO and Socket.IO tell their client: a keyed hash, good for nothing."""
        return urlsafe_b64encode(self._vault.index("socket sid", socket.connection)[:_SID_BYTES]).decode()

    def _connection(self, connection_id: str) -> bytes:
        return self._vault.index("connection", connection_id)

    def _row(self, socket: OpenSocket) -> ConnectionRow:
        account = socket.account
        return ConnectionRow(
            connection=socket.connection,
            sealed=self._vault.seal(socket.to_bytes(), _context(socket.connection)),
            expires_at_s=socket.expires_at_s,
            owner=None if account is None else account.inbox,
            shard=socket.connection[0] % PING_SHARDS,
        )

    def _open(self, row: ConnectionRow) -> OpenSocket | None:
        try:
            data = self._vault.open(row.sealed, _context(row.connection))
        except Undecryptable:
            # Under a storage key that is gone: the socket is as unknown as one without a row.
            return None
        return OpenSocket.from_bytes(data, connection=row.connection, expires_at_s=row.expires_at_s)

    def _now_s(self) -> int:
        return self._clock.now_ms() // 1_000


def _context(connection: bytes) -> bytes:
    return b"connection" + connection
