from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.notify.sockets.open_socket import Dialect, OpenSocket
from chalicelib.relay.values import Account

_ACCOUNTS = st.none() | st.builds(
    Account, key=st.binary(), inbox=st.binary(), address=st.text(), name=st.text(), encryption_key=st.text()
)
_SOCKETS = st.builds(
    OpenSocket,
    connection=st.binary(min_size=32, max_size=32),
    connection_id=st.text(),
    source=st.text(),
    dialect=st.sampled_from(Dialect),
    expires_at_s=st.integers(),
    account=_ACCOUNTS,
)


@given(_SOCKETS)
def test_a_socket_comes_back_from_its_bytes(socket: OpenSocket) -> None:
    read = OpenSocket.from_bytes(
        socket.to_bytes(), connection=socket.connection, expires_at_s=socket.expires_at_s
    )
    assert read == socket
