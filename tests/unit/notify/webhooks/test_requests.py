from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.notify.webhooks.requests import NewEndpoint, Replay, host_quota
from chalicelib.notify.webhooks.signing import Signature
from chalicelib.protocol.errors import InvalidInput

json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["url", "signature", "delivery", "since", "cursor"]) | st.text(),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


def test_a_new_webhook() -> None:
    assert NewEndpoint.parse({"url": "https://a.example/x"}) == NewEndpoint(
        "https://a.example/x", Signature.V1
    )
    assert NewEndpoint.parse({"url": "https://a.example", "signature": "v1a"}).signature is Signature.V1A


def test_a_replay() -> None:
    assert Replay.parse({"delivery": "msg_1"}) == Replay("msg_1")
    assert Replay.parse({"since": 5, "cursor": "c"}) == Replay(None, 5, "c")


@given(json)
@pytest.mark.parametrize("parse", [NewEndpoint.parse, Replay.parse])
def test_any_json_is_read_or_refused(parse: object, document: object) -> None:
    with suppress(InvalidInput):
        parse(document)  # type: ignore[operator]


def test_one_host_is_one_however_it_is_written() -> None:
    assert host_quota("https://A.Example/x").subject == host_quota("https://a.example:8443/y?z").subject
