"""`dm3 operator`: what the operator of a relay decides while it runs."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from chalicelib.cli.options import read_secret
from chalicelib.cli.output import json_option, plain, print_json
from chalicelib.client.http import HttpTransport
from chalicelib.client.operator import Operator
from chalicelib.client.private_files import read_private
from chalicelib.protocol.canonical import canonicalize, parse_json
from chalicelib.protocol.errors import InvalidInput, ParseError
from chalicelib.protocol.json_types import JsonObject

TOKEN_VARIABLE = "DM3_OPERATOR_TOKEN"  # noqa: S105 - its name, not its value
MAX_FILE_BYTES = 1_048_576


@click.group("operator")
def command() -> None:
    """Read and set the rules of a relay that you run."""


@command.group()
def rules() -> None:
    """The operator's rules come before those of receivers: block list, oldest version, limits of sources."""


def operator_options(command: Callable[..., None]) -> Callable[..., None]:
    """Adds `--url` and `--token-file`; the command gets the `operator`."""

    @click.option(
        "--url",
        envvar="DM3_RELAY_URL",
        show_envvar=True,
        required=True,
        help="Where the relay's API begins (https:, or http: on this machine).",
    )
    @click.option(
        "--token-file",
        type=click.Path(dir_okay=False, path_type=Path),
        help=f"Read the operator's token from here, not from {TOKEN_VARIABLE}.",
    )
    @functools.wraps(command)
    def with_operator(*args: Any, url: str, token_file: Path | None, **kwargs: Any) -> None:  # noqa: ANN401
        token = os.environ.get(TOKEN_VARIABLE, "") if token_file is None else read_secret(token_file)
        if not token:
            raise InvalidInput(f"No token was given: use --token-file or {TOKEN_VARIABLE}.")
        command(*args, operator=Operator(url, token, HttpTransport(allow_http=True)), **kwargs)

    return with_operator


@rules.command()
@json_option
@operator_options
def show(operator: Operator, as_json: bool) -> None:
    r"""Show the rules in force.

    \b
    Example:
      dm3 operator rules show --url https://relay.example.org
    """
    _tell(operator.rules(), as_json=as_json)


@rules.command("set")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@json_option
@operator_options
def set_(operator: Operator, file: Path, as_json: bool) -> None:
    r"""Replace the rules by the document in FILE; every process of the relay follows within 30 seconds.

    \b
    The document, every member optional:
      {"block": ["mallory.eth", "*.spam.eth", "0x…"], "minimumVersion": "v1",
       "limits": {"sourceSubmitsPerMinute": 10}}
    Example:
      dm3 operator rules set rules.json
    """
    _tell(operator.set_rules(_document(file)), as_json=as_json)


def _document(path: Path) -> JsonObject:
    try:
        value = parse_json(read_private(path, max_bytes=MAX_FILE_BYTES))
    except ParseError:
        value = None
    if not isinstance(value, dict):
        raise InvalidInput("The file is not a JSON object.")
    return value


def _tell(document: JsonObject, *, as_json: bool) -> None:
    if as_json:
        print_json(document)
        return
    for name, value in document.items():
        click.echo(plain(f"{name:<20}{value if isinstance(value, str) else canonicalize(value)}"))
