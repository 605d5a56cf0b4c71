"""What a socket does, whatever its dialect: sign in, read the backlog, acknowledge, submit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Protocol

from chalicelib.notify.sockets.gates import Gates
from chalicelib.notify.sockets.open_socket import OpenSocket
from chalicelib.notify.sockets.registry import Registry
from chalicelib.protocol.errors import Dm3Error, Forbidden, InvalidParams, ParseError, Unavailable
from chalicelib.protocol.json_types import JsonValue
from chalicelib.relay.service import Relay
from chalicelib.relay.values import Account, Page, Submitted

Authenticate = Callable[[], Account]
"""Says for whom a socket is to speak. Raises Dm3Error."""

_PAGE = 20


class Dialogue(Protocol):
    """One dialect's part: it answers over the socket. Raises Dm3Error only if it could not answer."""

    def take(self, socket: OpenSocket, text: str) -> None:
        """Do what the frame asks for."""
        ...

    def refuse(self, socket: OpenSocket, text: str, error: Dm3Error) -> None:
        """Say why the frame is not worked, if the dialect can."""
        ...


class Core:
    """The relay behind the sockets. Every method raises Dm3Error and nothing else."""

    def __init__(self, *, relay: Relay, registry: Registry, gates: Gates) -> None:
        self.relay = relay
        self.registry = registry
        self._gates = gates

    def sign_in(self, socket: OpenSocket, authenticate: Authenticate) -> OpenSocket:
        """The socket, speaking for an account: what is committed from now on is pushed to it.

        The caller is asked for twice, the second time after the row is written: whoever signs out everywhere
        in between, or deletes the account, has either seen the row and closed the socket or is seen here.
        """
        account = authenticate()
        self._gates.signing_in(account)
        try:
            signed_in = self.registry.sign_in(socket, account)
            if authenticate().inbox != account.inbox:
                raise Forbidden("The account does not exist any more.")
        except Dm3Error:
            self.registry.forget(replace(socket, account=account))
            raise
        return signed_in

    def pages(self, account: Account, cursor: str | None) -> Iterator[Page]:
        """The inbox from `cursor` on, in small pages: a caller stops when it has enough.

        The first page is never missing. Raises InvalidParams for a cursor that is not of this account, and
        LimitExceeded if the account asks too often.
        """
        self._gates.backlog(account)
        while True:
            page = self.relay.inbox.page(account, cursor, _PAGE, follow=True)
            yield page
            if not page.more:
                return
            cursor = page.cursor

    def ponged(self, socket: OpenSocket) -> None:
        """A ping has been answered. If that cannot be noted, somebody may be woken without need."""
        with suppress(Unavailable):
            self.registry.ponged(socket)

    def acknowledge(self, account: Account, ids: JsonValue) -> int:
        """Delete the messages with these ids. Raises InvalidParams."""
        if not isinstance(ids, list) or not all(isinstance(one, str) for one in ids):
            raise InvalidParams("The ids are not a list of texts.")
        return self.relay.inbox.acknowledge(account, ids)

    def submit(self, socket: OpenSocket, envelope: JsonValue) -> Submitted:
        """Admit an envelope exactly as over RPC, on the account of the socket's source."""
        try:
            return self.relay.admission.submit(envelope, source=socket.source)
        except ParseError:
            raise InvalidParams("The envelope is not valid JSON.") from None
