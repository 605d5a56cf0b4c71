"""`dm3 local`: the whole relay on this machine."""

from __future__ import annotations

import click

from chalicelib.cli.output import json_option
from chalicelib.protocol.errors import InvalidInput, Unavailable


@click.command("local")
@click.option("--port", type=click.IntRange(0, 65_535), default=0, help="Port of the relay; 0: any free one.")
@click.option("--rpc-port", type=click.IntRange(0, 65_535), default=0, help="Port of the Ethereum node.")
@click.option("--aws-url", help="Endpoint of the AWS services; without it they run in this process.")
@click.option(
    "--accounts", type=click.IntRange(1, 1_000), default=10, show_default=True, help="Funded accounts."
)
@json_option
def command(port: int, rpc_port: int, aws_url: str | None, accounts: int, as_json: bool) -> None:  # noqa: ARG001
    r"""Run a whole relay on loopback: an Ethereum node with ENS, the AWS services, and the gateway.

    When it is ready, the first line on standard output is one JSON object with every address: url, ws_url,
    rpc_url, ens_registry, ens_resolver, universal_resolver, relay_name, operator_token (for `dm3 operator`),
    ccip_gateway_url, the funded accounts, and the people: alice.eth and bob.eth, names that accounts own and
    that have published nothing yet. The root and .eth of the local registry belong to the node's first
    default account. Ctrl-C or SIGTERM ends it, and nothing is left running.

    \b
    Examples:
      dm3 local
      dm3 local --port 8080 --rpc-port 8545
      dm3 local --aws-url http://127.0.0.1:4566
    """
    try:
        from infra.local.chain import ChainError
        from infra.local.node import MissingNode
        from infra.local.serve import run
    except ImportError:
        raise InvalidInput("This needs the package with its `local` extra, in a clone: make setup.") from None
    try:
        run(port, rpc_port, aws_url, accounts)
    except MissingNode:
        raise InvalidInput("The Ethereum node is missing or does not start; run: make setup.") from None
    except ChainError:
        raise Unavailable("The local chain did not come up.") from None
    except OSError as error:
        raise Unavailable(f"The relay cannot start: {error.strerror or error}.") from None
