from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.protocol.errors import Undecryptable
from chalicelib.relay.vault import Vault
from tests.unit.relay.ports import SeededChance

INDEX_KEY, STORAGE_KEY = b"i" * 32, b"s" * 32


def vault(storage_key: bytes = STORAGE_KEY, *older: bytes) -> Vault:
    return Vault(INDEX_KEY, storage_key, SeededChance(), older_keys=older)


def test_an_index_depends_on_the_key_the_kind_and_every_part() -> None:
    indexes = {
        vault().index("name", "bob.eth"),
        vault().index("sender", "bob.eth"),
        vault().index("name", "bob.eth", ""),
        Vault(b"j" * 32, STORAGE_KEY, SeededChance()).index("name", "bob.eth"),
    }
    assert len(indexes) == 4
    assert all(len(index) == 32 for index in indexes)


def test_an_index_knows_where_its_parts_end() -> None:
    assert vault().index("x", "ab", "c") != vault().index("x", "a", "bc")


def test_text_and_its_utf8_have_the_same_index() -> None:
    assert vault().index("x", "é") == vault().index("x", "é".encode())


def test_a_lone_surrogate_has_an_index() -> None:
    assert vault().index("x", "\ud800") != vault().index("x", "\ud801")


@settings(deadline=None, max_examples=30)
@given(st.binary(max_size=300), st.binary(max_size=40))
def test_what_is_sealed_opens_in_its_context(plain: bytes, context: bytes) -> None:
    sealed = vault().seal(plain, context)
    assert vault().open(sealed, context) == plain
    with pytest.raises(Undecryptable):
        vault().open(sealed, context + b"!")


@settings(deadline=None, max_examples=50)
@given(st.data())
def test_no_bit_of_a_sealed_value_can_be_changed(data: st.DataObject) -> None:
    sealed = vault().seal(b"secret", b"here")
    position = data.draw(st.integers(0, len(sealed) - 1))
    bit = data.draw(st.integers(0, 7))
    altered = bytearray(sealed)
    altered[position] ^= 1 << bit
    with pytest.raises(Undecryptable):
        vault().open(bytes(altered), b"here")


@settings(deadline=None, max_examples=50)
@given(st.binary(max_size=80))
def test_anything_else_is_undecryptable(data: bytes) -> None:
    with pytest.raises(Undecryptable):
        vault().open(data, b"here")


def test_a_truncated_value_of_the_right_key_is_undecryptable() -> None:
    sealed = vault().seal(b"secret", b"here")
    for length in range(len(sealed)):
        with pytest.raises(Undecryptable):
            vault().open(sealed[:length], b"here")


def test_sealing_twice_gives_different_bytes() -> None:
    one = vault()
    assert one.seal(b"same", b"") != one.seal(b"same", b"")


def test_a_rotated_storage_key_reads_what_the_older_one_sealed() -> None:
    old = vault().seal(b"letter", b"here")
    rotated = vault(b"n" * 32, STORAGE_KEY)
    assert rotated.open(old, b"here") == b"letter"
    new = rotated.seal(b"letter", b"here")
    with pytest.raises(Undecryptable):
        vault().open(new, b"here")
    with pytest.raises(Undecryptable):
        vault(b"n" * 32).open(old, b"here")


@pytest.mark.parametrize("keys", [(b"", STORAGE_KEY), (INDEX_KEY, b"short"), (INDEX_KEY, STORAGE_KEY, b"x")])
def test_keys_have_32_bytes(keys: tuple[bytes, ...]) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Vault(keys[0], keys[1], SeededChance(), older_keys=keys[2:])
