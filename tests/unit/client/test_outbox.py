from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.client.outbox import Entry, FileOutbox, MemoryOutbox, Outbox, Sealed
from chalicelib.protocol.errors import InvalidMessage
from chalicelib.protocol.message import build_message
from tests.unit.client.world import SeededChance, World

ALICE = World().identity("alice.eth")


def entry(number: int = 1) -> Entry:
    message = build_message(
        to="bob.eth",
        from_="alice.eth",
        timestamp_ms=number,
        message=f"secret {number}",
        signing_private_key=ALICE.keys.signing.private_key,
    )
    sealed = {"relay.eth": Sealed("r", "s", {"message": "m", "metadata": {}})}
    return Entry(f"id-{number}", "bob.eth", number, message, "by pigeon", sealed, 2, "It is down.")


@pytest.fixture(params=["memory", "file"])
def outbox(request: pytest.FixtureRequest, tmp_path: Path) -> Outbox:
    return (
        MemoryOutbox() if request.param == "memory" else FileOutbox(tmp_path / "box", ALICE, SeededChance())
    )


def test_entries_come_back_oldest_first(outbox: Outbox) -> None:
    assert outbox.entries() == ()
    for number in (2, 3, 1):
        outbox.put(entry(number))
    assert outbox.entries() == (entry(1), entry(2), entry(3))


def test_that_it_is_to_go_anyway_is_kept(outbox: Outbox) -> None:
    outbox.put(replace(entry(), anyway=True))
    assert [kept.anyway for kept in outbox.entries()] == [True]


def test_an_entry_of_before_that_choice_existed_is_read() -> None:
    members = dict(entry().to_json())
    del members["anyway"]
    assert Entry.parse(members) == entry()


def test_an_entry_is_replaced_and_removed(outbox: Outbox) -> None:
    outbox.put(entry())
    outbox.put(entry().after("Still down."))
    (kept,) = outbox.entries()
    assert (kept.attempts, kept.reason) == (3, "Still down.")
    outbox.remove(kept.id)
    outbox.remove(kept.id)
    assert outbox.entries() == ()


def test_on_disk_nothing_is_readable_by_others(tmp_path: Path) -> None:
    box = FileOutbox(tmp_path / "box", ALICE, SeededChance())
    box.put(entry())
    (path,) = (tmp_path / "box").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for word in (b"secret", b"bob.eth", b"alice.eth"):
        assert word not in path.read_bytes()
    assert "bob" not in path.name


def test_files_of_others_and_damaged_ones_stop_nobody(tmp_path: Path) -> None:
    chance = SeededChance()
    FileOutbox(tmp_path, World().identity("mallory.eth"), chance).put(entry(1))
    mine = FileOutbox(tmp_path, ALICE, chance)
    mine.put(entry(2))
    (tmp_path / "x.message").write_bytes(b"nonsense")
    (tmp_path / "notes.txt").write_bytes(b"not ours")
    assert mine.entries() == (entry(2),)
    assert mine.unreadable == 2


def test_an_entry_whose_content_is_no_entry_is_unreadable(tmp_path: Path) -> None:
    box = FileOutbox(tmp_path, ALICE, SeededChance())
    box.put(entry())
    (path,) = tmp_path.iterdir()
    path.write_bytes(bytes(box._box.encrypt(b"[1]")))
    assert box.entries() == ()
    assert box.unreadable == 1


def test_a_sealed_envelope_is_used_for_the_same_keys_only() -> None:
    sealed = Sealed("r", "s", {})
    assert sealed.fits("r", "s")
    assert not sealed.fits("other", "s")
    assert not sealed.fits("r", "other")


_JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(sorted(entry().to_json())), _JSON)
def test_any_json_is_an_entry_or_an_error_of_ours(member: str, value: object) -> None:
    try:
        parsed = Entry.parse({**entry().to_json(), member: value})  # type: ignore[dict-item]
    except InvalidMessage:
        return
    assert replace(parsed) == Entry.parse(parsed.to_json())
