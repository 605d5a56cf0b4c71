"""`dm3 account`: how one's account stands at each of one's delivery services, and leaving it."""

from __future__ import annotations

from typing import Any

import click

from chalicelib.cli.options import Chain, KeyOptions, chain_options, connect, key_options
from chalicelib.cli.output import json_option, moment, plain, print_json
from chalicelib.client.values import AccountStatus, Unreached
from chalicelib.protocol.errors import InvalidInput

_LISTED = {
    True: "yes",
    False: "no: new mail to this name is refused there, what waits can be read",
    None: "not known: no profile at ENS, or no answer",
}


@click.group("account")
def command() -> None:
    """See how your account stands at each of your delivery services, take what it holds, or leave."""


@command.command("show")
@key_options
@chain_options
@json_option
def show(keys: KeyOptions, chain: Chain, as_json: bool) -> None:
    r"""Show what each delivery service says of your account.

    Mail that came in before an encryption key was replaced stays where it is; it opens with the key file of
    then.

    \b
    Examples:
      dm3 account show
      dm3 account show --json
    """
    statuses = connect(keys, chain).account()
    if as_json:
        print_json([_as_object(status) for status in statuses])
        return
    for status in statuses:
        if isinstance(status, Unreached):
            _tell_unreached(status)
        else:
            _show(status)


@command.command("export")
@key_options
@chain_options
@json_option
def export(keys: KeyOptions, chain: Chain, as_json: bool) -> None:  # noqa: ARG001 - it is JSON anyway
    r"""Print everything that your delivery services store for you, as JSON. Messages stay encrypted.

    \b
    Example:
      dm3 account export > account.json
    """
    print_json([dict(exported) for exported in connect(keys, chain).export()])


@command.command("sign-out-everywhere")
@key_options
@chain_options
@json_option
def sign_out_everywhere(keys: KeyOptions, chain: Chain, as_json: bool) -> None:
    r"""End every session of your account, on all devices. Who has your keys can sign in again.

    \b
    Example:
      dm3 account sign-out-everywhere
    """
    _tell_done("Signed out everywhere.", connect(keys, chain).sign_out_everywhere(), as_json=as_json)


@command.command("delete")
@click.option("--yes", is_flag=True, help="Do not ask.")
@key_options
@chain_options
@json_option
def delete(keys: KeyOptions, chain: Chain, yes: bool, as_json: bool) -> None:
    r"""Delete your account, with profile and mail, at each of your delivery services, at once and for good.

    Your profile at ENS stays as it is: take the delivery services out of it first, or others go on writing to
    them.

    \b
    Examples:
      dm3 account delete
      dm3 account delete --yes --json
    """
    client = connect(keys, chain)
    if not yes and not click.confirm(
        f"Delete the account of {client.identity.name}, with all mail, for good?", err=True
    ):
        raise InvalidInput("Nothing was deleted.")
    _tell_done("The account is deleted.", client.delete_account(), as_json=as_json)


def _tell_done(sentence: str, unreached: tuple[Unreached, ...], *, as_json: bool) -> None:
    if as_json:
        print_json({"done": not unreached, "failed": [_as_object(failure) for failure in unreached]})
        return
    click.echo(sentence)
    for failure in unreached:
        _tell_unreached(failure)


def _tell_unreached(failure: Unreached) -> None:
    click.echo(f"But not at {plain(failure.delivery_service)}: {plain(failure.reason.message)}", err=True)


def _show(status: AccountStatus) -> None:
    click.echo(f"Delivery service   {plain(status.delivery_service)}")
    click.echo(f"Address            {plain(status.address)}")
    click.echo(f"Names              {plain(', '.join(status.names))}")
    click.echo(f"Since              {moment(status.created_at_ms)}")
    click.echo(f"Listed at ENS      {_LISTED[status.listed]}")
    click.echo(f"Encryption key     {plain(status.public_encryption_key)}")
    for former in status.former_keys:
        replaced = moment(former.replaced_at_ms)
        click.echo(f"Replaced key       {plain(former.public_encryption_key)}  until {replaced}")


def _as_object(status: AccountStatus | Unreached) -> dict[str, Any]:
    """A status for programs, in the delivery service's own words; a failure with sentence and code."""
    if isinstance(status, Unreached):
        reason = status.reason
        return {"deliveryService": status.delivery_service, "error": reason.message, "code": reason.code}
    return {
        "deliveryService": status.delivery_service,
        "address": status.address,
        "names": list(status.names),
        "createdAt": status.created_at_ms,
        "publicEncryptionKey": status.public_encryption_key,
        "formerKeys": [
            {"publicEncryptionKey": former.public_encryption_key, "replacedAt": former.replaced_at_ms}
            for former in status.former_keys
        ],
        "listed": status.listed,
    }
