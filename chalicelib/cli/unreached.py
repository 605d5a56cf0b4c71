"""Delivery services at which something was not done, told to people and to programs."""

from __future__ import annotations

import click

from chalicelib.cli.output import plain
from chalicelib.client.values import Unreached


def warn_unreached(unreached: tuple[Unreached, ...]) -> None:
    """Tell people, on standard error, where something was not done and why."""
    for failure in unreached:
        click.echo(
            f"Not done at {plain(failure.delivery_service)}: {plain(failure.reason.message)}", err=True
        )


def unreached_json(unreached: tuple[Unreached, ...]) -> list[dict[str, object]]:
    """The same for programs: `[{deliveryService, error, code}]`."""
    return [
        {
            "deliveryService": failure.delivery_service,
            "error": failure.reason.message,
            "code": failure.reason.code,
        }
        for failure in unreached
    ]
