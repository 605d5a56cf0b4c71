"""`python -m infra.package.keys`: the relay's keys, made and put where only the functions read them.

    create --parameter NAME                generate keys and store them as an SSM SecureString
    record --parameter NAME --url URL      print the relay's network.dm3.deliveryService record
    push --parameter NAME                  add a key for web push to stored keys that have none
    origin                                 print a new value for the template's parameter OriginSecret

Keys are never printed and never touch a disk here. Nothing that is there is ever replaced: whoever loses the
`index` and `storage` keys loses the mail.
"""

from __future__ import annotations

import argparse
import secrets
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import boto3

from chalicelib.config import Keys, new_push_key
from chalicelib.protocol.crypto import encryption_key_pair, signing_key_pair
from chalicelib.protocol.profile import DeliveryServiceProfile
from chalicelib.protocol.profile_uri import data_uri

if TYPE_CHECKING:
    from collections.abc import Sequence


def service_profile(keys: Keys, url: str) -> DeliveryServiceProfile:
    """What the relay with `keys` says of itself on ENS; `url` without a slash at its end."""
    return DeliveryServiceProfile(
        public_encryption_key=encryption_key_pair(keys.encryption).public_key,
        public_signing_key=signing_key_pair(keys.signing).public_key,
        url=url.rstrip("/"),
    )


def create(parameter: str) -> str:
    """Generate keys, store them under `parameter`, and say so. Raises botocore's own errors."""
    boto3.client("ssm").put_parameter(
        Name=parameter,
        Description="Keys of a dm3 relay",
        Type="SecureString",
        Value=Keys.generate(secrets.token_bytes).to_text(),
        Overwrite=False,
    )
    return f"Stored new keys as {parameter}. Back them up: without them stored mail cannot be read."


def add_push(parameter: str) -> str:
    """Give the keys under `parameter` one for web push, unless they have it. Raises botocore's own errors."""
    ssm = boto3.client("ssm")
    stored = ssm.get_parameter(Name=parameter, WithDecryption=True)["Parameter"]["Value"]
    keys = Keys.parse(stored)
    if keys.push is not None:
        return f"The keys in {parameter} have one for web push."
    text = replace(keys, push=new_push_key(secrets.token_bytes)).to_text()
    ssm.put_parameter(Name=parameter, Type="SecureString", Value=text, Overwrite=True)
    return f"Added a key for web push to {parameter}. Back the keys up again."


def record(parameter: str, url: str) -> str:
    """The text of the relay's ENS record, made from the keys under `parameter`."""
    answer = boto3.client("ssm").get_parameter(Name=parameter, WithDecryption=True)
    return data_uri(service_profile(Keys.parse(answer["Parameter"]["Value"]), url).to_json())


def origin_secret() -> str:
    """What a distribution may tell its relay, so that nobody else can pass for it: 256 random bits."""
    return secrets.token_urlsafe(32)


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks; exit status 0."""
    parser = argparse.ArgumentParser(prog="python -m infra.package.keys", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("create", "record", "push"):
        command = commands.add_parser(name)
        command.add_argument("--parameter", default="/dm3/relay/keys", help="name of the SSM parameter")
        if name == "record":
            command.add_argument("--url", required=True, help="base URL of the relay (output RelayUrl)")
    commands.add_parser("origin")
    given = parser.parse_args(arguments)
    if given.command == "create":
        said = create(given.parameter)
    elif given.command == "push":
        said = add_push(given.parameter)
    elif given.command == "record":
        said = record(given.parameter, given.url)
    else:
        said = origin_secret()
    sys.stdout.write(said + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
