"""`dm3 inbox`: what came in, decrypted and verified."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from chalicelib.cli.options import Chain, KeyOptions, chain_options, connect, key_options
from chalicelib.cli.output import json_option, moment, plain, print_json, print_json_line
from chalicelib.client.client import Dm3Client
from chalicelib.client.live import Following
from chalicelib.client.live_events import LiveState, Standing
from chalicelib.client.values import Received, Unreached, Unreadable


@click.command("inbox")
@click.option("--follow", is_flag=True, help="Go on, and show each message that comes in. Ctrl-C ends it.")
@click.option(
    "--poll",
    "poll_s",
    type=click.FloatRange(min=0.1),
    default=5.0,
    help="Seconds between looks at relays that have no live connections.",
)
@click.option("--no-live", is_flag=True, help="Hold no live connection, and look every --poll seconds.")
@click.option("--ack", is_flag=True, help="Acknowledge what was shown: the relay deletes it.")
@click.option(
    "--older-keys",
    type=click.Path(dir_okay=False, path_type=Path),
    multiple=True,
    help="A key file that yours has replaced: mail of before opens with it.",
)
@key_options
@chain_options
@json_option
def command(
    keys: KeyOptions,
    chain: Chain,
    *,
    follow: bool,
    poll_s: float,
    no_live: bool,
    ack: bool,
    older_keys: tuple[Path, ...],
    as_json: bool,
) -> None:
    r"""Show the messages that wait for you, the oldest first.

    A check mark says that the sender's name published the key that signed, that the message was written to
    you, and that the relay stamped it; otherwise the reasons are told. Reading deletes nothing.

    With --follow, messages are shown as they come in: the relay is kept connected, or asked again and again
    if it has no live connections. Standard error says how that stands.

    \b
    Examples:
      dm3 inbox
      dm3 inbox --ack
      dm3 inbox --older-keys keys-of-2025.json
      dm3 inbox --follow --json | jq .text       one JSON object on each line
    """
    client = connect(keys, chain, older=tuple(KeyOptions(path, keys.passphrase_file) for path in older_keys))
    if follow:
        following = client.follow(
            poll_s=poll_s, poll=no_live, acknowledge=ack, tell=None if as_json else _tell
        )
        _follow(following, as_json=as_json)
    else:
        _once(client, ack=ack, as_json=as_json)


def _once(client: Dm3Client, *, ack: bool, as_json: bool) -> None:
    received: list[Received] = []
    unreadable: list[Unreadable] = []
    unreached: tuple[Unreached, ...] = ()
    cursor, more = None, True
    while more:
        page = client.fetch(cursor)
        received += page.messages
        unreadable += page.unreadable
        cursor, more, unreached = page.cursor, page.more, page.unreached
    if as_json:
        print_json(
            {
                "messages": [as_object(message) for message in received],
                "unreadable": [{"id": item.id, "reason": item.reason} for item in unreadable],
                "unreachable": [failure.delivery_service for failure in unreached],
                "reasons": {failure.delivery_service: failure.reason.message for failure in unreached},
            }
        )
    else:
        for message in received:
            _show(message)
        _sum_up(len(received), unreadable, unreached)
    if ack and received:
        client.acknowledge(received)


def _follow(following: Following, *, as_json: bool) -> None:
    try:
        with following:
            for message in following:
                if as_json:
                    print_json_line(as_object(message))
                else:
                    _show(message)
    except KeyboardInterrupt:
        click.echo("", err=True)


def _tell(state: LiveState) -> None:
    service, reason = plain(state.delivery_service), plain(state.reason)
    match state.standing:
        case Standing.CONNECTED:
            told = f"Connected to {service}."
        case Standing.RECONNECTING:
            told = f"Reconnecting to {service}: {reason}"
        case Standing.POLLING:
            told = f"Looking again and again at {service}: {reason}"
    click.echo(told, err=True)


def _sum_up(count: int, unreadable: list[Unreadable], unreached: tuple[Unreached, ...]) -> None:
    if count == 0:
        click.echo("No messages.")
    if unreadable:
        click.echo(f"{len(unreadable)} more cannot be opened with these keys.", err=True)
    for reason in sorted({item.reason for item in unreadable}):
        click.echo(f"  {reason}", err=True)
    for failure in unreached:
        reason = plain(failure.reason.message)
        click.echo(f"Nothing could be read from {plain(failure.delivery_service)}: {reason}", err=True)


def _show(message: Received) -> None:
    mark = click.style("✔", fg="green") if message.verified else click.style("✘ not verified", fg="red")
    kind = "" if message.type == "NEW" else f"  {plain(message.type)}"
    click.echo(f"{mark} {plain(message.sender)}  {moment(message.received_at_ms)}{kind}")
    for reason in message.reasons:
        click.echo(f"    {reason}")
    for line in plain(message.text or "").splitlines():
        click.echo(f"  {line}")
    for attachment in message.attachments:
        click.echo(f"  [attached: {plain(attachment.name or 'a file')}]")
    click.echo(click.style(f"  hash {message.message_hash}\n  id   {plain(message.id)}", dim=True))


def as_object(message: Received) -> dict[str, Any]:
    """A message for programs."""
    return {
        "id": message.id,
        "messageHash": message.message_hash,
        "sender": message.sender,
        "verified": message.verified,
        "checks": [
            {"check": check.name, "verdict": check.verdict.value, "reason": check.reason}
            for check in message.checks
        ],
        "type": message.type,
        "text": message.text,
        "reference": message.message.reference_message_hash,
        "attachments": [dict(attachment.to_json()) for attachment in message.attachments],
        "receivedAt": message.received_at_ms,
        "expiresAt": message.expires_at_ms,
        "deliveryService": message.delivery_service,
        "message": message.message.to_json(),
    }
