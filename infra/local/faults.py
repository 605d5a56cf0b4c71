"""What can be wrong with a resolver: the numbers of infra/local/contracts/faulty_resolver.vy."""

from __future__ import annotations

from enum import IntEnum


class Fault(IntEnum):
    """How a resolver fails or lies."""

    REVERTS = 1
    REVERTS_SILENTLY = 2
    BURNS_GAS = 3
    GARBAGE = 4
    """31 bytes that are no encoding of anything."""
    WRONG_TYPES = 5
    """A text where an address is asked for, and a number where a text is."""
    HUGE_TEXT = 6
    """128 KiB."""
    ANOTHER_NAME = 7
    """The same records whatever name it is asked for."""
    ONLY_ADDRESS = 8
    ONLY_TEXT = 9
    EXTENDED_GARBAGE = 10
    """`GARBAGE` by a resolver that says it is an extended one (ENSIP-10)."""
    FOREIGN_LOOKUP = 11
    """Sends its caller to a gateway (ERC-3668) in the name of another contract."""
    BURNS_GAS_ON_TEXT = 12
    """Answers addresses, and leaves no gas when it is asked for a text."""
