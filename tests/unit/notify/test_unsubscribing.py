from __future__ import annotations

from base64 import urlsafe_b64encode
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.notify.events import Channel
from chalicelib.notify.preferences import WakeUpChannel
from chalicelib.notify.unsubscribing import Unsubscribing
from chalicelib.protocol.errors import NotFound
from chalicelib.relay.vault import Vault
from tests.unit.relay.ports import SeededChance

OWNER = b"o" * 32
EMAIL = WakeUpChannel(Channel.EMAIL, "bob@mail.example")
LINKS = Unsubscribing(Vault(b"1" * 32, b"2" * 32, SeededChance()))


def test_a_link_names_the_channel_whatever_became_of_it() -> None:
    link = LINKS.read(LINKS.token(OWNER, EMAIL))
    assert (link.owner, link.channel) == (OWNER, Channel.EMAIL)
    assert LINKS.names(link, EMAIL)
    assert LINKS.names(link, replace(EMAIL, enabled=False, verified=True))


def test_a_link_names_no_other_channel() -> None:
    link = LINKS.read(LINKS.token(OWNER, EMAIL))
    assert not LINKS.names(link, replace(EMAIL, recipient="bob@other.example"))
    assert not LINKS.names(link, replace(EMAIL, channel=Channel.SMS))
    assert not LINKS.names(replace(link, owner=b"p" * 32), EMAIL)


def test_links_can_be_neither_told_apart_by_owner_nor_read() -> None:
    first, second = LINKS.token(OWNER, EMAIL), LINKS.token(OWNER, EMAIL)
    assert first != second
    assert len(first) == len(LINKS.token(b"p" * 32, EMAIL))
    assert "bob" not in first


def test_a_link_outlives_a_storage_key() -> None:
    token = LINKS.token(OWNER, EMAIL)
    newer = Unsubscribing(Vault(b"1" * 32, b"3" * 32, SeededChance(), older_keys=[b"2" * 32]))
    assert newer.names(newer.read(token), EMAIL)
    with pytest.raises(NotFound):
        Unsubscribing(Vault(b"1" * 32, b"3" * 32, SeededChance())).read(token)


def test_other_sealed_values_are_no_links() -> None:
    vault = Vault(b"1" * 32, b"2" * 32, SeededChance())
    sealed = vault.seal(OWNER + b"m" * 16 + b"email", b"preferences")
    with pytest.raises(NotFound):
        LINKS.read(urlsafe_b64encode(sealed).decode().rstrip("="))


@given(st.data())
def test_an_altered_link_is_none(data: st.DataObject) -> None:
    token = LINKS.token(OWNER, EMAIL)
    place = data.draw(st.integers(0, len(token) - 2))
    letter = data.draw(st.sampled_from("ABab01-_").filter(lambda letter: letter != token[place]))
    with pytest.raises(NotFound):
        LINKS.read(token[:place] + letter + token[place + 1 :])


@given(st.text() | st.text("AZaz09-_", max_size=300))
def test_anything_else_is_none(text: str) -> None:
    with pytest.raises(NotFound):
        LINKS.read(text)
