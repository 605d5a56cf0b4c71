"""What a stranger may send: any text, any JSON value, and values that nearly fit."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from hypothesis import strategies as st

from chalicelib.protocol.errors import Dm3Error
from chalicelib.protocol.json_types import JsonValue

TEXTS = st.text(st.characters(), max_size=40)  # lone surrogates included
NUMBERS = st.integers() | st.floats() | st.sampled_from([10**400, -(10**400), 2**53 + 1, -0.0, 1e21])
SCALARS: st.SearchStrategy[JsonValue] = st.none() | st.booleans() | NUMBERS | TEXTS


def values(names: Iterable[str] = ()) -> st.SearchStrategy[JsonValue]:
    """JSON values whose members like to be called `names`."""
    keys = st.sampled_from(sorted(names)) | TEXTS if names else TEXTS
    return st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=6),
        max_leaves=12,
    )


def bent(value: JsonValue) -> st.SearchStrategy[JsonValue]:
    """`value` (an object) with some members missing or replaced, at any level."""
    if not isinstance(value, dict):
        return st.just(value) | SCALARS
    left_out = st.sets(st.sampled_from(sorted(value)), max_size=1) if value else st.just(set[str]())
    members = st.fixed_dictionaries({name: st.just(item) | bent(item) for name, item in value.items()})
    return st.builds(
        lambda all_, gone: {name: item for name, item in all_.items() if name not in gone}, members, left_out
    )


def accepts_or_refuses(parse: Callable[[], object]) -> bool:
    """Whether `parse` accepts; what it raises must be an error of the protocol."""
    try:
        parse()
    except Dm3Error:
        return False
    return True
