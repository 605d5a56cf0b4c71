"""`dm3 outbox`: what could not be sent yet."""

from __future__ import annotations

import click

from chalicelib.cli.options import Chain, KeyOptions, chain_options, connect, key_options
from chalicelib.cli.output import json_option, moment, plain, print_json
from chalicelib.client.client import Dm3Client
from chalicelib.client.outbox import Entry
from chalicelib.client.values import Queued, Refused, Sent


@click.command("outbox")
@click.option("--send", "send_now", is_flag=True, help="Try to send what waits.")
@key_options
@chain_options
@json_option
def command(keys: KeyOptions, chain: Chain, send_now: bool, as_json: bool) -> None:
    r"""Show the messages that could not be sent yet; with --send, try again.

    \b
    Examples:
      dm3 outbox
      dm3 outbox --send
    """
    client = connect(keys, chain)
    if send_now:
        _send(client, as_json=as_json)
        return
    waiting = client.unsent()
    if as_json:
        print_json([_as_object(entry) for entry in waiting])
        return
    for entry in waiting:
        tries = "once" if entry.attempts == 1 else f"{entry.attempts} times"
        click.echo(f"{entry.to}  {moment(entry.created_at_ms)}  tried {tries}")
        click.echo(f"  {plain(entry.reason)}")
    if not waiting:
        click.echo("Nothing waits.")


def _send(client: Dm3Client, *, as_json: bool) -> None:
    outcomes = client.flush()
    if as_json:
        print_json([_outcome(outcome) for outcome in outcomes])
        return
    for outcome in outcomes:
        word = {Sent: "Sent", Queued: "Still waiting", Refused: "Refused and dropped"}[type(outcome)]
        click.echo(f"{word}: {plain(outcome.message.to)} {plain(_reason(outcome) or '')}".rstrip())
    if not outcomes:
        click.echo("Nothing waits.")


def _outcome(outcome: Sent | Queued | Refused) -> dict[str, object]:
    return {
        "messageHash": outcome.message_hash,
        "delivered": outcome.delivered,
        "reason": _reason(outcome),
    }


def _reason(outcome: Sent | Queued | Refused) -> str | None:
    return None if isinstance(outcome, Sent) else outcome.reason.message


def _as_object(entry: Entry) -> dict[str, object]:
    return {
        "messageHash": entry.id,
        "to": entry.to,
        "createdAt": entry.created_at_ms,
        "attempts": entry.attempts,
        "reason": entry.reason,
    }
