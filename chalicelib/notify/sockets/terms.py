"""The terms of an open socket: what API Gateway imposes, and what this relay makes of it.

Sources: "Quotas for configuring and running a WebSocket API in API Gateway" (frames of 32 KB, messages of
128 KB, 10 minutes idle, 2 hours in all), engine.io-protocol v4 (heartbeat: the client gives up when no ping
has come for `pingInterval + pingTimeout`).
"""

from __future__ import annotations

from typing import Final

FRAME_BYTES: Final = 32 * 1024
"""A larger frame from a client ends its socket with code 1009, before the relay hears of it."""
MESSAGE_BYTES: Final = 128 * 1024
"""Nothing larger is posted; a client may send as much in several frames."""

PING_INTERVAL_S: Final = 240
"""Every socket that has signed in is pinged this often: well within the idle limit of ten minutes."""
PING_TIMEOUT_S: Final = 200
"""How much later than that a ping may come."""

LIFETIME_S: Final = 2 * 3_600 + 600
"""How long a socket is remembered: the gateway ends it after two hours."""
SOCKETS_PER_ACCOUNT: Final = 20
"""Of more, the oldest is closed."""

BACKLOG_MESSAGES: Final = 100
BACKLOG_BYTES: Final = 1_000_000
"""About how much one `subscribe` or `resume` is answered with; the client asks for the rest."""
