from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.names.aliases import Aliases

ALIASES = Aliases.parse(".gno=.gnosis.eth, .g2=.gnosis.eth,.lens=.lens.xyz")


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("alice.gno", "alice.gnosis.eth"),
        ("deep.er.gno", "deep.er.gnosis.eth"),
        ("alice.gno.gno", "alice.gno.gnosis.eth"),
        ("alice.lens", "alice.lens.xyz"),
        ("alice.lens.xyz", "alice.lens.xyz"),
        ("alice.eth", "alice.eth"),
        ("gno", "gno"),
        ("alice.xgno", "alice.xgno"),
        ("gno.eth", "gno.eth"),
    ],
)
def test_only_the_last_label_of_a_longer_name_is_an_alias(name: str, target: str) -> None:
    assert ALIASES.target(name) == target


def test_without_configuration_nothing_is_guessed() -> None:
    for aliases in (Aliases(), Aliases.parse(""), Aliases.parse(" , ")):
        assert aliases.target("alice.gno") == "alice.gno"
        assert aliases.spellings("alice.gno") == ("alice.gno",)


@pytest.mark.parametrize("name", ["alice.gno", "alice.g2", "alice.gnosis.eth"])
def test_all_spellings_of_a_name_are_known(name: str) -> None:
    assert ALIASES.spellings(name)[0] == name
    assert set(ALIASES.spellings(name)) == {"alice.gno", "alice.g2", "alice.gnosis.eth"}


@pytest.mark.parametrize(
    "text",
    [
        ".gno",
        "gno=.gnosis.eth",
        ".gno=gnosis.eth",
        ".gno=",
        "=.gnosis.eth",
        ".gno=.gnosis.eth=.eth",
        ".gno=.gnosis.eth,.gno=.other.eth",
        ".Gno=.gnosis.eth",
        ".gno=.gnosis..eth",
        ".gno=.gno sis.eth",
        ".two.labels=.gnosis.eth",
        "..gno=.gnosis.eth",
        ".a=.x.b,.b=.gnosis.eth",
        ".eth=.x.eth",
        ".gno=.gno",
    ],
)
def test_what_cannot_be_used_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match=r"\.$") as refused:
        Aliases.parse(text)
    assert "gnosis" not in str(refused.value).replace(".gno=.gnosis.eth, each", "")


@given(st.text(alphabet=".=,gnoeth ", max_size=30))
def test_any_text_is_aliases_or_refused(text: str) -> None:
    try:
        aliases = Aliases.parse(text)
    except ValueError:
        return
    target = aliases.target("alice.gno")
    assert aliases.target(target) == target, "an alias of an alias"
