"""Options that several commands share: where the keys are, how they open, which node is asked.

Each has an environment variable, so that a shell is set up once.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Concatenate, ParamSpec

import click

from chalicelib.client.client import Dm3Client, Settings
from chalicelib.client.key_file import StoredKeys, load_keys
from chalicelib.client.private_files import read_private
from chalicelib.client.wallet import Wallet
from chalicelib.names.universal_resolver import UNIVERSAL_RESOLVER
from chalicelib.protocol.envelope import Revision
from chalicelib.protocol.errors import InvalidInput

P = ParamSpec("P")

PASSPHRASE_VARIABLE = "DM3_PASSPHRASE"  # noqa: S105 - its name, not its value
WALLET_VARIABLE = "DM3_WALLET_KEY"
_MAX_SECRET_BYTES = 4_096


@dataclass(frozen=True, slots=True)
class KeyOptions:
    """Where the key file is, and where its passphrase comes from."""

    path: Path
    passphrase_file: Path | None

    def passphrase(self, *, new: bool = False) -> str:
        """The passphrase: of the file, else of DM3_PASSPHRASE, else asked for (twice if it is `new`)."""
        if self.passphrase_file is not None:
            return read_secret(self.passphrase_file)
        if PASSPHRASE_VARIABLE in os.environ:
            return os.environ[PASSPHRASE_VARIABLE]
        answer: str = click.prompt("Passphrase", hide_input=True, confirmation_prompt=new, err=True)
        return answer

    def load(self) -> StoredKeys:
        """The keys. Raises InvalidInput (no key file), Undecryptable (wrong passphrase)."""
        if not self.path.exists():
            raise InvalidInput("There is no key file yet; make one with: dm3 keys create NAME.")
        return load_keys(self.path, self.passphrase())

    @property
    def outbox_folder(self) -> Path:
        """Where unsent messages are kept, encrypted: beside the key file."""
        return self.path.with_name(f"{self.path.name}.outbox")


@dataclass(frozen=True, slots=True)
class Chain:
    """The Ethereum node that is asked, and the contract that resolves names."""

    rpc_url: str
    universal_resolver: str


def key_options(command: Callable[Concatenate[KeyOptions, P], None]) -> Callable[..., None]:
    """Adds `--keys` and `--passphrase-file`; the command gets them as its first argument."""

    @click.option(
        "--keys",
        "keys_path",
        type=click.Path(dir_okay=False, path_type=Path),
        default=lambda: Path(click.get_app_dir("dm3")) / "keys.json",
        envvar="DM3_KEY_FILE",
        show_default="keys.json in the user's configuration folder",
        show_envvar=True,
        help="The encrypted key file.",
    )
    @click.option(
        "--passphrase-file",
        type=click.Path(dir_okay=False, path_type=Path),
        help=f"Read the key file's passphrase from here, not from {PASSPHRASE_VARIABLE} or the terminal.",
    )
    @functools.wraps(command)
    def with_keys(*args: Any, keys_path: Path, passphrase_file: Path | None, **kwargs: Any) -> None:  # noqa: ANN401
        command(KeyOptions(keys_path, passphrase_file), *args, **kwargs)

    return with_keys


def chain_options(command: Callable[..., None]) -> Callable[..., None]:
    """Adds `--rpc-url` and `--universal-resolver`; the command gets them as `chain`."""

    @click.option(
        "--rpc-url",
        envvar="DM3_RPC_URL",
        show_envvar=True,
        required=True,
        help="The Ethereum node that is asked for names (http: or https:).",
    )
    @click.option(
        "--universal-resolver",
        envvar="DM3_UNIVERSAL_RESOLVER",
        default=UNIVERSAL_RESOLVER,
        hidden=True,
        help="Address of the ENS Universal Resolver.",
    )
    @functools.wraps(command)
    def with_chain(*args: Any, rpc_url: str, universal_resolver: str, **kwargs: Any) -> None:  # noqa: ANN401
        if not rpc_url.startswith(("http://", "https://")):
            raise click.BadParameter("must begin with http: or https:", param_hint="--rpc-url")
        command(*args, chain=Chain(rpc_url, universal_resolver), **kwargs)

    return with_chain


def wallet_option(command: Callable[..., None]) -> Callable[..., None]:
    """Adds `--wallet-key-file`; the command gets the path, or None."""
    return click.option(
        "--wallet-key-file",
        type=click.Path(dir_okay=False, path_type=Path),
        help=f"Read the wallet's private key (hex) from here; otherwise from {WALLET_VARIABLE}.",
    )(command)


def given_wallet(wallet_key_file: Path | None) -> Wallet | None:
    """The wallet of the option or the environment variable, if there is one. Raises InvalidEncoding."""
    if wallet_key_file is not None:
        return Wallet.parse(read_secret(wallet_key_file))
    text = os.environ.get(WALLET_VARIABLE)
    return Wallet.parse(text) if text else None


def read_secret(path: Path) -> str:
    """The first line of a file. Raises InvalidInput."""
    try:
        lines = read_private(path, max_bytes=_MAX_SECRET_BYTES).decode().splitlines()
    except UnicodeDecodeError:
        raise InvalidInput("The file is not text.") from None
    if not lines or not lines[0]:
        raise InvalidInput("The file is empty.")
    return lines[0]


def connect(
    keys: KeyOptions,
    chain: Chain,
    revisions: tuple[Revision, ...] = (),
    *,
    older: tuple[KeyOptions, ...] = (),
) -> Dm3Client:
    """A client for the key file's identity, writing the default revision of envelopes or these.

    `older` are key files that this one has replaced: mail of before opens with them.
    """
    replaced = tuple(one.load().identity for one in older)
    settings = Settings(revisions=revisions, older=replaced) if revisions else Settings(older=replaced)
    return Dm3Client.connect(
        keys.load().identity,
        chain.rpc_url,
        outbox_folder=keys.outbox_folder,
        universal_resolver=chain.universal_resolver,
        settings=settings,
    )
