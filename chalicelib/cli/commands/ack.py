"""`dm3 ack`: the relay deletes what was read."""

from __future__ import annotations

import click

from chalicelib.cli.options import Chain, KeyOptions, chain_options, connect, key_options
from chalicelib.cli.output import json_option, print_json
from chalicelib.protocol.errors import InvalidInput


@click.command("ack")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--all", "everything", is_flag=True, help="Every message that can be opened now.")
@key_options
@chain_options
@json_option
def command(keys: KeyOptions, chain: Chain, ids: tuple[str, ...], everything: bool, as_json: bool) -> None:
    r"""Acknowledge messages by the IDs that `dm3 inbox` shows: the relay deletes them, for all your devices.

    \b
    Examples:
      dm3 ack relay.eth/AAABk…
      dm3 ack --all
    """
    if bool(ids) == everything:
        raise InvalidInput("Name messages by their ids, or say --all.")
    client = connect(keys, chain)
    count = client.acknowledge(list(client.inbox()) if everything else ids)
    if as_json:
        print_json({"acknowledged": count})
    else:
        click.echo(f"Acknowledged: {count}")
