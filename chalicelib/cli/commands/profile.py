"""`dm3 profile`: publish one's own, look somebody's up."""

from __future__ import annotations

from pathlib import Path

import click

from chalicelib.cli.options import Chain, KeyOptions, chain_options, given_wallet, key_options, wallet_option
from chalicelib.cli.output import json_option, plain, print_json
from chalicelib.client.client import Dm3Client, now_ms
from chalicelib.client.ens import ens_directory
from chalicelib.client.identity import Identity
from chalicelib.client.key_file import StoredKeys
from chalicelib.client.wallet import Wallet
from chalicelib.names.normalize import normalize
from chalicelib.protocol.errors import Dm3Error, InvalidInput, NotFound


@click.group("profile")
def command() -> None:
    """Publish your profile, or look somebody's up."""


@command.command()
@wallet_option
@click.option("--chain/--no-chain", "on_chain", default=True, help="Write the record at ENS (default).")
@click.option("--register/--no-register", default=True, help="Open an account at the relay (default).")
@key_options
@chain_options
@json_option
def publish(
    keys: KeyOptions,
    chain: Chain,
    wallet_key_file: Path | None,
    on_chain: bool,
    register: bool,
    as_json: bool,
) -> None:
    r"""Publish your profile: at ENS, where senders find it, and at your relay, which then takes your mail.

    The record at ENS is a transaction, signed here and paid by the wallet of the name; its private key comes
    from --wallet-key-file, DM3_WALLET_KEY, or the key file. If you publish with another ENS tool (`dm3 keys
    show` prints the record), open the account alone with --no-chain.

    \b
    Examples:
      dm3 profile publish
      dm3 profile publish --wallet-key-file ./wallet
      dm3 profile publish --no-chain
    """
    stored = keys.load()
    identity = stored.identity
    transaction: str | None = None
    if on_chain:
        # Only here: it imports web3.
        from chalicelib.cli.publish import publish_profile

        transaction = publish_profile(chain.rpc_url, identity, _wallet(stored, wallet_key_file))
        if not as_json:
            click.echo(f"Published at ENS: {identity.name}, transaction {transaction}")
    services: tuple[str, ...] = ()
    if register:
        services = _register(identity, chain, transaction)
    missing = [name for name in identity.delivery_services if register and name not in services]
    if as_json:
        published = {"name": identity.name, "transaction": transaction}
        print_json({**published, "registeredAt": list(services), "notRegisteredAt": missing})
        return
    if services:
        click.echo(f"Account opened at: {', '.join(services)}")
    if missing:
        click.echo(
            f"No account at: {', '.join(missing)}; try again: dm3 profile publish --no-chain", err=True
        )


@command.command()
@click.argument("name")
@chain_options
@json_option
def show(chain: Chain, name: str, as_json: bool) -> None:
    r"""Show the profile that NAME publishes, and whether its wallet has signed it.

    \b
    Examples:
      dm3 profile show bob.eth
      dm3 profile show bob.eth --json
    """
    directory = ens_directory(chain.rpc_url, clock_ms=now_ms, universal_resolver=chain.universal_resolver)
    found = directory.lookup(normalize(name))
    if found.profile is None:
        raise NotFound("The name has no dm3 profile at ENS.")
    proven = found.signed is not None
    if as_json:
        profile = dict(found.profile.to_json())
        print_json({"name": found.name, "address": found.address, "walletSigned": proven, "profile": profile})
        return
    signed = "yes" if proven else "no: the profile proves the name, but not the address"
    click.echo(f"Name               {found.name}")
    click.echo(f"Address            {found.address or 'none'}")
    click.echo(f"Signed by wallet   {signed}")
    click.echo(f"Encryption key     {plain(found.profile.public_encryption_key)}")
    click.echo(f"Signing key        {plain(found.profile.public_signing_key)}")
    click.echo(f"Delivery services  {plain(', '.join(found.profile.delivery_services))}")


def _register(identity: Identity, chain: Chain, transaction: str | None) -> tuple[str, ...]:
    """Open the accounts. An error carries what has been done, and paid for, before."""
    client = Dm3Client.connect(identity, chain.rpc_url, universal_resolver=chain.universal_resolver)
    try:
        return client.register()
    except Dm3Error as error:
        if transaction is not None:
            error.data["transaction"] = transaction
        raise


def _wallet(stored: StoredKeys, wallet_key_file: Path | None) -> Wallet:
    """The wallet that pays, which must be the one of the name."""
    wallet = given_wallet(wallet_key_file)
    if wallet is None and stored.wallet_key is not None:
        wallet = Wallet.parse(stored.wallet_key)
    if wallet is None:
        raise InvalidInput("No wallet was given: use --wallet-key-file, DM3_WALLET_KEY or --no-chain.")
    if wallet.address != stored.identity.address:
        raise InvalidInput("The wallet is not the one that the keys belong to.")
    return wallet
