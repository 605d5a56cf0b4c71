"""`dm3 demo`: see it work."""

from __future__ import annotations

import sys

import click

from chalicelib.cli.output import json_option, print_json
from chalicelib.protocol.errors import Dm3Error, InvalidInput


@click.command("demo")
@json_option
def command(as_json: bool) -> None:
    r"""Start a whole relay on this machine, and watch Alice and Bob exchange messages through it.

    Every claim is tried: that the relay stores ciphertext without names, that a forged sender is refused,
    that a message submitted twice arrives once, that acknowledging empties the inbox. The exit status is 0
    only if all of them hold. Everything that was started is stopped.

    \b
    Examples:
      dm3 demo
      dm3 demo --json
    """
    try:
        from rich.console import Console

        from chalicelib.cli.demo.narrator import Narrator, StepFailed
        from chalicelib.cli.demo.story import tell
        from infra.local.chain import ChainError
        from infra.local.node import MissingNode
    except ImportError:
        raise InvalidInput("This needs the package with its `local` extra, in a clone: make setup.") from None
    console = Console(quiet=as_json, highlight=False)
    narrator = Narrator(console)
    reason: str | None = None
    try:
        tell(narrator)
    except (StepFailed, ChainError, MissingNode) as error:
        reason = str(error)
    except Dm3Error as error:
        reason = error.message
    except OSError as error:
        reason = error.strerror or str(error)
    if reason is not None:
        narrator.fail(reason)
    if as_json:
        print_json({"held": reason is None, "reason": reason, "proofs": narrator.proofs})
    else:
        held = f"{len(narrator.proofs)} claims were tried, and all of them held."
        console.print(f"\n{held}" if reason is None else f"\nIt stopped there: {reason}", markup=False)
    if reason is not None:
        sys.exit(1)
