"""An open socket as the relay knows it, and its sealed text in the store."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum

from chalicelib.relay.values import Account


class Dialect(StrEnum):
    """What is spoken on a socket; told by the query of its opening."""

    SOCKET_IO = "socket.io"
    """Engine.IO 4 and Socket.IO 5, as the reference's client speaks them."""
    PLAIN = "plain"
    """One JSON object a frame."""


@dataclass(frozen=True, slots=True)
class OpenSocket:
    """A socket that the gateway keeps under `connection_id`; `connection` is the keyed hash of that.

    `source` is the network address it came from. `account` is None until it has signed in.
    """

    connection: bytes
    connection_id: str = field(repr=False)
    source: str = field(repr=False)
    dialect: Dialect
    expires_at_s: int
    account: Account | None = field(default=None, repr=False)

    def to_bytes(self) -> bytes:
        """JSON in UTF-8 of what the row itself does not say."""
        account = self.account
        members = {
            "id": self.connection_id,
            "source": self.source,
            "dialect": self.dialect,
            "account": account
            and {
                "key": account.key.hex(),
                "inbox": account.inbox.hex(),
                "address": account.address,
                "name": account.name,
                "encryptionKey": account.encryption_key,
            },
        }
        return json.dumps(members, separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, data: bytes, *, connection: bytes, expires_at_s: int) -> OpenSocket:
        """Inverse of `to_bytes`, for what this relay has sealed itself."""
        members = json.loads(data)
        account = members["account"]
        return cls(
            connection=connection,
            connection_id=members["id"],
            source=members["source"],
            dialect=Dialect(members["dialect"]),
            expires_at_s=expires_at_s,
            account=account
            and Account(
                key=bytes.fromhex(account["key"]),
                inbox=bytes.fromhex(account["inbox"]),
                address=account["address"],
                name=account["name"],
                encryption_key=account["encryptionKey"],
            ),
        )
