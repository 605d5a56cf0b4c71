"""`dm3 send`: one message."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import click

from chalicelib.cli.options import Chain, KeyOptions, chain_options, connect, key_options
from chalicelib.cli.output import json_option, moment, plain, print_json
from chalicelib.client import drafts
from chalicelib.client.drafts import Draft
from chalicelib.client.values import Queued, Sent
from chalicelib.client.welcome import Unwelcome
from chalicelib.protocol.envelope import Revision
from chalicelib.protocol.errors import InvalidInput

QUEUED_STATUS = 3

_REFERRING: Final[Mapping[str, Callable[[str, str], Draft]]] = {
    "reply": drafts.reply,
    "edit": drafts.edit,
    "reaction": drafts.reaction,
}
_BARE: Final[Mapping[str, Callable[[str], Draft]]] = {
    "delete-request": drafts.delete_request,
    "read-receipt": drafts.read_receipt,
    "read-opened": drafts.read_opened,
    "read-received": drafts.read_received,
    "resend-request": drafts.resend_request,
}


@click.command("send")
@click.argument("to")
@click.argument("text", required=False)
@click.option(
    "--type",
    "kind",
    type=click.Choice(["new", *_REFERRING, *_BARE]),
    default="new",
    show_default=True,
    help="What kind of message; all but `new` need --reference.",
)
@click.option("--reference", metavar="HASH", help="The message hash it refers to (`dm3 inbox` shows them).")
@click.option(
    "--attach",
    "attachments",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file to send along. Can be repeated.",
)
@click.option(
    "--revision",
    "revisions",
    multiple=True,
    type=click.Choice([revision.value for revision in Revision]),
    help="Revision of the envelope, for receivers who read only one. Can be repeated.",
)
@click.option(
    "--anyway", is_flag=True, help="Send it even if you do not meet the receiver's rules: you are allowed."
)
@key_options
@chain_options
@json_option
def command(
    keys: KeyOptions,
    chain: Chain,
    to: str,
    text: str | None,
    kind: str,
    reference: str | None,
    attachments: tuple[Path, ...],
    revisions: tuple[str, ...],
    anyway: bool,
    as_json: bool,
) -> None:
    r"""Send TEXT to the ENS name TO, sealed so that nobody else can read it.

    Without TEXT, or with "-", it is read from standard input. If the receiver cannot be reached yet (no
    profile, no account, relay down), the message is kept, encrypted, and `dm3 outbox --send` tries again; the
    exit status is then 3. A message that the receiver's rules would refuse is not sent at all; `dm3 rules
    check TO` shows what they ask of you.

    \b
    Examples:
      dm3 send bob.eth "Hello Bob"
      dm3 send bob.eth --attach photo.jpg "Look at this"
      dm3 send bob.eth --type reply --reference 0x12… "Yes"
      git log -1 | dm3 send bob.eth
    """
    draft = _draft(kind, text, reference)
    draft = replace(draft, attachments=tuple(drafts.attach(path) for path in attachments))
    client = connect(keys, chain, tuple(Revision(revision) for revision in revisions))
    try:
        outcome = client.send(to, draft, anyway=anyway)
    except Unwelcome as refusal:
        if as_json:
            raise
        click.echo(f"Not sent: {plain(refusal.message)}", err=True)
        click.echo("If the receiver has allowed you all the same, send it with --anyway.", err=True)
        sys.exit(1)
    _tell(outcome, as_json=as_json)
    if not outcome.delivered:
        sys.exit(QUEUED_STATUS)


def _draft(kind: str, text: str | None, reference: str | None) -> Draft:
    if kind == "new":
        return drafts.new(_text(text))
    if reference is None:
        raise InvalidInput("A message of this type needs --reference.")
    if kind in _BARE:
        return _BARE[kind](reference)
    return _REFERRING[kind](reference, _text(text))


def _text(text: str | None) -> str:
    if text is None or text == "-":
        return sys.stdin.read()
    return text


def _tell(outcome: Sent | Queued, *, as_json: bool) -> None:
    if as_json:
        print_json(as_object(outcome))
        return
    if isinstance(outcome, Queued):
        click.echo(f"Not sent yet: {plain(outcome.reason.message)}", err=True)
        click.echo("The message is kept; try again with: dm3 outbox --send", err=True)
        return
    again = ", which had it already" if outcome.duplicate else ""
    click.echo(f"Sent to {outcome.delivery_service}{again}.")
    click.echo(f"Message hash  {outcome.message_hash}")
    if outcome.receipt is not None:
        click.echo(f"Receipt       verified; kept until {moment(outcome.receipt.expires_at_ms)}")


def as_object(outcome: Sent | Queued) -> dict[str, object]:
    """The outcome for programs."""
    if isinstance(outcome, Queued):
        return {
            "delivered": False,
            "messageHash": outcome.message_hash,
            "reason": outcome.reason.message,
            "code": outcome.reason.code,
            "retryAfter": outcome.retry_after_s,
        }
    return {
        "delivered": True,
        "messageHash": outcome.message_hash,
        "deliveryService": outcome.delivery_service,
        "duplicate": outcome.duplicate,
        "receipt": None if outcome.receipt is None else dict(outcome.receipt.to_json()),
    }
