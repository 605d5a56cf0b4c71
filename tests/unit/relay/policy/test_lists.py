from __future__ import annotations

import pytest

from chalicelib.protocol.errors import InvalidInput
from chalicelib.relay.policy.lists import SenderList, normal_entry

ADDRESS = "0x00000000000C2E074eC69A0dFb2997BA6C7d2e1e"


@pytest.mark.parametrize(
    ("entry", "names", "address", "listed"),
    [
        ("alice.eth", ["alice.eth"], None, True),
        ("ALICE.eth", ["alice.eth"], None, True),
        ("alice.eth", ["bob.eth"], None, False),
        ("alice.eth", ["sub.alice.eth"], None, False),
        ("*.example.eth", ["a.example.eth"], None, True),
        ("*.example.eth", ["a.b.example.eth"], None, True),
        ("*.example.eth", ["example.eth"], None, False),
        ("*.example.eth", ["notexample.eth"], None, False),
        ("*.eth", ["alice.eth"], None, True),
        (ADDRESS.lower(), ["alice.eth"], ADDRESS, True),
        (ADDRESS, ["alice.eth"], None, False),
        ("alice.gnosis.eth", ["alice.gno", "alice.gnosis.eth"], None, True),
    ],
)
def test_an_entry_lists(entry: str, names: list[str], address: str | None, listed: bool) -> None:
    assert SenderList.parse([entry]).has(names, address) is listed


@pytest.mark.parametrize(
    "entry", ["", "*", "*.", "a..b", "a b.eth", "*.*.eth", "**.eth", ADDRESS.replace("C", "c")]
)
def test_nonsense_is_refused(entry: str) -> None:
    with pytest.raises(InvalidInput):
        normal_entry(entry)


def test_an_empty_list_has_nobody() -> None:
    assert not SenderList().has(["alice.eth"], ADDRESS)
