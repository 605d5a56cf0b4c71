from __future__ import annotations

import string
import subprocess
import sys
import unicodedata

import pytest
from ens._normalization import normalize_name_ensip15  # type: ignore[import-untyped]  # ens has no types
from ens.exceptions import InvalidName as Web3InvalidName  # type: ignore[import-untyped]  # ens has no types
from ens_normalize import DisallowedSequence, ens_normalize
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chalicelib.names.normalize import normalize
from chalicelib.protocol.errors import InvalidName

_NAME_CHARACTERS = string.ascii_letters + string.digits + "-_$.' "


def _normalized(name: str) -> str | None:
    try:
        return normalize(name)
    except InvalidName:
        return None


def _by_the_library(name: str) -> str | None:
    try:
        return str(ens_normalize(name)) or None
    except DisallowedSequence:
        return None


@pytest.mark.parametrize(
    ("name", "normal"),
    [
        ("alice.eth", "alice.eth"),
        ("ALICE.eth", "alice.eth"),
        ("_sub.$alice-1.eth", "_sub.$alice-1.eth"),
        ("RaFFY\U0001f6b4\u200d\u2642\ufe0f.eTh", "raffy\U0001f6b4\u200d\u2642.eth"),
        ("caf\u00e9.eth", "caf\u00e9.eth"),
        ("cafe\u0301.eth", "caf\u00e9.eth"),
        ("it's.eth", "it\u2019s.eth"),
        ("a--b.eth", "a--b.eth"),
        ("1.2", "1.2"),
    ],
)
def test_normal_form(name: str, normal: str) -> None:
    assert normalize(name) == normal


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("", id="empty"),
        pytest.param(".", id="only a dot"),
        pytest.param("alice..eth", id="empty label"),
        pytest.param("alice.eth.", id="trailing dot"),
        pytest.param("al ice.eth", id="space"),
        pytest.param("alice.eth\n", id="trailing line feed, which the library lets through"),
        pytest.param("a_b.eth", id="underscore inside"),
        pytest.param("xn--ls8h.eth", id="punycode"),
        pytest.param("AB--c.eth", id="label extension in upper case"),
        pytest.param("\u0430lice.eth", id="Cyrillic letter among Latin ones"),
        pytest.param("\u0301.eth", id="lone combining mark"),
        pytest.param("\ud800.eth", id="lone surrogate"),
        pytest.param("alice\u0000.eth", id="null character"),
        pytest.param("a" * 256 + ".eth", id="label longer than DNS encoding holds"),
        pytest.param("\u00e9" * 128 + ".eth", id="label too long in bytes"),
        pytest.param("a" * 1025, id="name too long"),
        pytest.param(".".join(["a"] * 512), id="name too long once encoded"),
    ],
)
def test_refused(name: str) -> None:
    with pytest.raises(InvalidName) as refusal:
        normalize(name)
    assert name not in refusal.value.message or len(name) < 2


def test_the_longest_labels_and_names_pass() -> None:
    longest = ".".join(["a" * 255] * 3 + ["b" * 253])
    assert normalize(longest) == longest


@given(st.text(_NAME_CHARACTERS, max_size=20))
@example("ab--")
@example("__--")
@example("a.--b")
@settings(deadline=None, max_examples=400)
def test_the_ascii_path_equals_the_library(name: str) -> None:
    assert _normalized(name) == _by_the_library(name)


@given(st.text(st.characters(max_codepoint=127), min_size=1, max_size=6))
@settings(deadline=None, max_examples=300)
def test_any_ascii_equals_the_library(name: str) -> None:
    expected = None if name.endswith("\n") else _by_the_library(name)
    assert _normalized(name) == expected


def _refused_by_us_alone(name: str, web3_says: str) -> bool:
    """Where web3 is laxer: labels that vanish, and characters that came with a later Unicode."""
    return "" in web3_says.split(".") or any(unicodedata.category(character) == "Cn" for character in name)


@given(st.text(max_size=12))
@example("\xad")
@example("\U000323b0")
@settings(deadline=None, max_examples=200)
def test_any_text_is_normalised_or_refused_and_web3_agrees(name: str) -> None:
    normal = _normalized(name)
    if normal is not None:
        assert normalize(normal) == normal
        assert normalize_name_ensip15(name).as_text == normal
    elif name and not any(character <= " " for character in name):
        try:
            web3_says = normalize_name_ensip15(name).as_text
        except (Web3InvalidName, UnicodeEncodeError):
            return
        assert _refused_by_us_alone(name, web3_says)


def test_plain_names_do_not_load_the_tables() -> None:
    program = (
        "import sys; from chalicelib.names.normalize import normalize; normalize('Alice.eth');"
        "print('ens_normalize' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
