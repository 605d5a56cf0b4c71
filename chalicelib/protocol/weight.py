"""How heavy a JSON value is: values, and characters in them, without writing it down.

A text of 64 KiB can become megabytes of lists in memory, so that its length alone bounds little.
"""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.protocol.json_types import JsonValue


def outweighs(value: JsonValue, *, values: int, characters: int) -> bool:
    """Whether `value` has more values, itself included, or more characters in its texts and names.

    Looks no further than that.
    """
    waiting: list[JsonValue] = [value]
    seen = length = 0
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            length += len(value)
        elif isinstance(value, Mapping):
            length += sum(map(len, value))
            waiting.extend(value.values())
        elif isinstance(value, list | tuple):
            waiting.extend(value)
        seen += 1
        if seen + len(waiting) > values or length > characters:
            return True
    return False
