"""What the commands print: text for people, or JSON for programs.

What other people wrote never reaches the terminal as it came: control characters could move the cursor,
colour the screen or type for the user.
"""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NoReturn, ParamSpec

import click

from chalicelib.protocol.errors import Dm3Error

P = ParamSpec("P")


def json_option(command: Callable[P, None]) -> Callable[P, None]:
    """Adds `--json` to a command, and tells its errors accordingly."""

    @click.option("--json", "as_json", is_flag=True, help="Print JSON, one object or array, for programs.")
    @functools.wraps(command)
    def told(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except Dm3Error as error:
            fail(error, as_json=bool(kwargs.get("as_json")))

    # In the raw docstrings of this package, click's mark for lines not to be joined is two characters.
    told.__doc__ = (command.__doc__ or "").replace("\\b", "\b")
    return told


def wants_json(words: Sequence[str]) -> bool:
    """Whether a command line asks for JSON. What follows `--` is no option."""
    words = list(words)
    return "--json" in words[: words.index("--") if "--" in words else None]


def fail(error: Dm3Error, *, as_json: bool, status: int = 1) -> NoReturn:
    """Say what went wrong on standard error and end with `status`."""
    if as_json:
        text = json.dumps({"error": error.message, "code": error.code, **error.data})
    else:
        text = f"Error: {plain(error.message)}"
    click.echo(text, err=True)
    sys.exit(status)


def print_json(value: Mapping[str, Any] | list[Any]) -> None:
    """One JSON document on standard output."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=True))


def print_json_line(value: Mapping[str, Any]) -> None:
    """One JSON document on one line, for output that does not end."""
    click.echo(json.dumps(value, ensure_ascii=True))


def plain(text: str) -> str:
    """`text` without what a terminal would obey; line feeds and tabs stay."""
    return "".join(
        char if char.isprintable() or char in "\n\t" else "\N{REPLACEMENT CHARACTER}" for char in text
    )


def moment(time_ms: int) -> str:
    """A time as people of all zones read it. Times no calendar has are shown as they are."""
    try:
        return datetime.fromtimestamp(time_ms / 1_000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return f"{time_ms} ms"
