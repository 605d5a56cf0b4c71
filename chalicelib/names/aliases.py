"""Top-level aliases by configuration: `alice.gno` is looked up as `alice.gnosis.eth`, if an operator says so.

Nothing is ever guessed. Where an alias is configured it wins, also over a name of that spelling that exists
in ENS. An alias leads to a name of ENS directly: aliases of aliases are refused.
"""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.names.normalize import normalize
from chalicelib.protocol.errors import InvalidName


class Aliases:
    """Aliases of top-level domains, such as `{".gno": ".gnosis.eth"}`.

    Each side begins with a dot, the left one has one label. Raises ValueError, with a sentence that repeats
    none of them, for what is not normalised, not of that form, or leads to another alias.
    """

    def __init__(self, suffixes: Mapping[str, str] | None = None) -> None:
        self._suffixes = {_suffix(alias): _suffix(target) for alias, target in (suffixes or {}).items()}
        if any("." in alias[1:] for alias in self._suffixes):
            raise ValueError("An alias stands for a top-level domain: one label.")
        if any("." + target.rpartition(".")[2] in self._suffixes for target in self._suffixes.values()):
            raise ValueError("An alias leads to another alias.")

    @classmethod
    def parse(cls, text: str) -> Aliases:
        """The aliases of a text such as `.gno=.gnosis.eth,.lens=.lens.xyz`. Raises ValueError as above."""
        pairs = [tuple(part.strip() for part in pair.split("=")) for pair in text.split(",") if pair.strip()]
        suffixes = {pair[0]: pair[-1] for pair in pairs}
        if any(len(pair) != 2 for pair in pairs) or len(suffixes) < len(pairs):
            raise ValueError("Aliases are pairs such as .gno=.gnosis.eth, each alias once.")
        return cls(suffixes)

    def target(self, name: str) -> str:
        """The name to look up in ENS for the normalised `name`: itself, unless its last label is an alias."""
        alias = self._alias_of(name)
        return name if alias is None else name.removesuffix(alias) + self._suffixes[alias]

    def spellings(self, name: str) -> tuple[str, ...]:
        """The normalised `name` and every other name that is looked up as the same."""
        target = self.target(name)
        aliased = (
            target.removesuffix(suffix) + alias
            for alias, suffix in self._suffixes.items()
            if target.endswith(suffix)
        )
        return tuple(dict.fromkeys((name, target, *aliased)))

    def _alias_of(self, name: str) -> str | None:
        head, dot, label = name.rpartition(".")
        alias = dot + label
        return alias if head and alias in self._suffixes else None


def _suffix(text: str) -> str:
    name = text.removeprefix(".")
    try:
        normal = text.startswith(".") and normalize(name) == name
    except InvalidName:
        normal = False
    if not normal:
        raise ValueError("Each side of an alias is a normalised name behind a dot.")
    return text
