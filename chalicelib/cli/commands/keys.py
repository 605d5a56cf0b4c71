"""`dm3 keys`: make, show and import the keys of a name."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from chalicelib.cli.options import KeyOptions, given_wallet, key_options, wallet_option
from chalicelib.cli.output import json_option, print_json
from chalicelib.client.client import SystemEntropy
from chalicelib.client.identity import Identity, Signer
from chalicelib.client.key_file import StoredKeys, save_keys
from chalicelib.client.private_files import read_private
from chalicelib.client.wallet import Wallet
from chalicelib.protocol.canonical import parse_json
from chalicelib.protocol.errors import InvalidInput, ParseError
from chalicelib.protocol.profile import USER_PROFILE_RECORD

_MAX_IMPORT_BYTES = 65_536


@click.group("keys")
def command() -> None:
    """Make, show and import the keys of a name.

    The keys follow from a signature of the wallet that the name points at: whoever has the wallet can make
    them again. They are kept in a file that opens with a passphrase (Argon2id, mode 0600).
    """


@command.command()
@click.argument("name")
@click.option(
    "--delivery-service",
    "delivery_services",
    multiple=True,
    required=True,
    help="ENS name of a relay that takes your mail; the preferred one first. Can be repeated.",
)
@wallet_option
@click.option("--new-wallet", is_flag=True, help="Make a new wallet, too; it is kept in the key file.")
@click.option("--keep-wallet", is_flag=True, help="Keep the wallet's private key in the key file, too.")
@click.option("--address", help="Sign elsewhere: the texts to sign are shown, the signatures asked for.")
@click.option("--force", is_flag=True, help="Overwrite an existing key file.")
@key_options
@json_option
def create(
    keys: KeyOptions,
    name: str,
    delivery_services: tuple[str, ...],
    wallet_key_file: Path | None,
    new_wallet: bool,
    keep_wallet: bool,
    address: str | None,
    force: bool,
    as_json: bool,
) -> None:
    r"""Derive the keys of NAME from its wallet, and sign its profile.

    The wallet's private key comes from --wallet-key-file or the environment variable DM3_WALLET_KEY; or sign
    in a wallet of your choice (--address); or begin with a new one (--new-wallet).

    \b
    Examples:
      dm3 keys create alice.eth --delivery-service relay.eth --wallet-key-file ./wallet
      dm3 keys create alice.eth --delivery-service relay.eth --address 0xAb…
      dm3 keys create alice.eth --delivery-service relay.eth --new-wallet
    """
    wallet = Wallet.create(SystemEntropy()) if new_wallet else given_wallet(wallet_key_file)
    if keys.path.exists() and not force:
        raise InvalidInput("There is a key file already; name another with --keys, or add --force.")
    if address is not None:
        identity = Identity.create(name, address, _ask_to_sign(), delivery_services)
    elif wallet is not None:
        identity = Identity.create(name, wallet.address, wallet.sign, delivery_services)
    else:
        raise InvalidInput(
            "No wallet was given: use --wallet-key-file, DM3_WALLET_KEY, --address or --new-wallet."
        )
    kept = wallet.private_key if wallet is not None and (new_wallet or keep_wallet) else None
    _save(keys, StoredKeys(identity, kept), force=force)
    _tell(keys, identity, as_json=as_json)


@command.command()
@click.option("--secrets", is_flag=True, help="Print everything in the clear, as a backup.")
@key_options
@json_option
def show(keys: KeyOptions, secrets: bool, as_json: bool) -> None:
    r"""Show who the keys are for, and the record to publish at ENS.

    \b
    Examples:
      dm3 keys show
      dm3 keys show --secrets > backup.json      then put it somewhere safe
    """
    stored = keys.load()
    if secrets:
        print_json(dict(stored.to_json()))
        return
    _tell(keys, stored.identity, as_json=as_json)


@command.command("import")
@click.argument("backup", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path))
@click.option("--force", is_flag=True, help="Overwrite an existing key file.")
@key_options
@json_option
def import_keys(keys: KeyOptions, backup: Path, force: bool, as_json: bool) -> None:
    r"""Take the keys of a BACKUP (`dm3 keys show --secrets`) into an encrypted key file.

    \b
    Examples:
      dm3 keys import backup.json
      ssh other-machine dm3 keys show --secrets | dm3 keys import -
    """
    content = sys.stdin.buffer.read(_MAX_IMPORT_BYTES) if str(backup) == "-" else None
    if content is None:
        content = read_private(backup, max_bytes=_MAX_IMPORT_BYTES)
    try:
        stored = StoredKeys.parse(parse_json(content))
    except ParseError:
        raise InvalidInput("The backup is not JSON.") from None
    _save(keys, stored, force=force)
    _tell(keys, stored.identity, as_json=as_json)


def _save(keys: KeyOptions, stored: StoredKeys, *, force: bool) -> None:
    save_keys(keys.path, stored, keys.passphrase(new=True), SystemEntropy(), replace=force)


def _ask_to_sign() -> Signer:
    """A signer that is a person with a wallet elsewhere."""

    def sign(text: str) -> str:
        click.echo(f"\nSign this text with your wallet (personal_sign):\n\n{text}\n", err=True)
        answer: str = click.prompt("Signature", err=True)
        return answer.strip()

    return sign


def _tell(keys: KeyOptions, identity: Identity, *, as_json: bool) -> None:
    profile = identity.signed_profile.profile
    shown: dict[str, Any] = {
        "name": identity.name,
        "address": identity.address,
        "publicEncryptionKey": profile.public_encryption_key,
        "publicSigningKey": profile.public_signing_key,
        "deliveryServices": list(profile.delivery_services),
        "record": identity.profile_record(),
        "keyFile": str(keys.path),
    }
    if as_json:
        print_json(shown)
        return
    click.echo(f"Name               {identity.name}")
    click.echo(f"Address            {identity.address}")
    click.echo(f"Encryption key     {profile.public_encryption_key}")
    click.echo(f"Signing key        {profile.public_signing_key}")
    click.echo(f"Delivery services  {', '.join(profile.delivery_services)}")
    click.echo(f"Key file           {keys.path}")
    click.echo(f"Record at ENS      {USER_PROFILE_RECORD}:\n{identity.profile_record()}")
    click.echo("Next: dm3 profile publish")
