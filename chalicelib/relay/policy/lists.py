"""Lists of senders: names, addresses, and whole subtrees of names (`*.example.eth`).

A list costs the same to ask whatever is on it and whatever the answer is: every form that a sender can be
listed under is looked up, always, so that the time of an answer tells nothing of the list.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from chalicelib.names.normalize import normalize
from chalicelib.protocol.errors import InvalidInput, InvalidName
from chalicelib.protocol.wallet import checksum_address, is_address

_SUBTREE = "*."
_MISSPELT_ADDRESS = re.compile("0[xX][0-9a-fA-F]{40}")


@dataclass(frozen=True, slots=True)
class SenderList:
    """Entries in their normal form: normalised names, `*.` and a normalised name, checksummed addresses."""

    entries: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, entries: Iterable[str]) -> SenderList:
        """The list of `entries` as somebody wrote them. Raises InvalidInput."""
        return cls(frozenset(normal_entry(entry) for entry in entries))

    def has(self, names: Iterable[str], address: str | None) -> bool:
        """Whether one of the normalised `names`, a subtree above one, or the *proven* `address` is listed."""
        forms = {form for name in names for form in (name, *_subtrees(name))}
        if address is not None:
            forms.add(address)
        return sum(form in self.entries for form in forms) > 0


def normal_entry(entry: str) -> str:
    """`entry` in its normal form. Raises InvalidInput for what is neither name, subtree nor address."""
    if is_address(entry):
        return checksum_address(entry)
    if _MISSPELT_ADDRESS.fullmatch(entry):
        # As a name it would be in order, and never be anybody's.
        raise InvalidInput("The checksum of an address on a list is wrong.")
    subtree = entry.startswith(_SUBTREE)
    try:
        name = normalize(entry.removeprefix(_SUBTREE))
    except InvalidName:
        raise InvalidInput("An entry of a list is no ENS name, no *.name and no address.") from None
    return _SUBTREE + name if subtree else name


def _subtrees(name: str) -> Iterable[str]:
    """`*.` and each parent of `name`, itself not included."""
    while "." in name:
        name = name.partition(".")[2]
        yield _SUBTREE + name
