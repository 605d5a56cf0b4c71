"""How the demo speaks: a step, what was done, and a check mark with what that proves."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from chalicelib.cli.output import plain


class StepFailed(Exception):
    """Something did not hold. The message says what, in one sentence."""


class Narrator:
    """Writes for a person, or (silent) only collects for a program.

    `proofs` lists what was proven so far: `{"step": …, "proven": …}`.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._step = ""
        self._number = 0
        self.proofs: list[dict[str, Any]] = []

    def open(self, title: str, text: str) -> None:
        """The frame around everything."""
        self._console.print(Panel(Text(text), title=title, title_align="left", border_style="cyan"))

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """A step of the story; its time is told at the end."""
        self._number += 1
        self._step = title
        self._console.print()
        self._console.print(Text(f"{self._number}. {title}", style="bold"))
        started = time.monotonic()
        yield
        self._console.print(Text(f"   {time.monotonic() - started:.1f} s", style="dim"))

    def say(self, text: str) -> None:
        """Something worth seeing."""
        self._console.print(Text(f"   {plain(text)}", style="dim"), soft_wrap=True)

    def table(self, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
        """Evidence in rows. Everything is shown as it is, without markup."""
        table = Table(*columns, show_edge=False, pad_edge=True, header_style="dim", style="dim")
        for row in rows:
            table.add_row(*(Text(plain(cell)) for cell in row))
        self._console.print(table)

    def prove(self, claim: str, holds: object, otherwise: str = "") -> None:
        """A claim with a check mark, if it holds. Raises StepFailed if not."""
        if not holds:
            raise StepFailed(otherwise or f"It does not hold that {claim[0].lower()}{claim[1:]}.")
        self.proofs.append({"step": self._step, "proven": claim})
        self._console.print(
            Text("   ✔ ", style="green").append(plain(claim), style="default"), soft_wrap=True
        )

    def fail(self, reason: str) -> None:
        """What did not hold."""
        self._console.print(Text("   ✘ ", style="bold red").append(plain(reason), style="default"))
