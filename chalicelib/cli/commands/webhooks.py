"""`dm3 webhooks`: servers that are told when mail has come."""

from __future__ import annotations

import sys
from typing import Any

import click

from chalicelib.cli.options import Chain, KeyOptions, chain_options, connect, key_options
from chalicelib.cli.output import json_option, moment, plain, print_json
from chalicelib.cli.unreached import unreached_json, warn_unreached
from chalicelib.client.client import now_ms
from chalicelib.client.webhooks import Webhook, WebhookAttempt, WebhookDelivery

FAILED_STATUS = 4
_HOUR_MS = 3_600_000

_id_argument = click.argument("webhook", metavar="ID")


@click.group("webhooks")
def command() -> None:
    """Have your own servers told when mail has come.

    They learn that there is a message, and never who wrote or what. Each request is signed (Standard
    Webhooks); docs/webhooks.md says how to receive one.
    """


@command.command()
@click.argument("url")
@click.option(
    "--signature",
    type=click.Choice(["v1", "v1a"]),
    default="v1",
    show_default=True,
    help="v1: a secret that both sides know. v1a: a key pair, of which you get the public key.",
)
@key_options
@chain_options
@json_option
def add(keys: KeyOptions, chain: Chain, url: str, signature: str, as_json: bool) -> None:
    r"""Add URL, which is challenged at once. The secret is shown now, and never again.

    If it does not answer yet, set it up with the secret and call: dm3 webhooks verify ID.

    \b
    Example:
      dm3 webhooks add https://example.com/dm3
    """
    kept = connect(keys, chain).webhooks.add(url, signature=signature)
    if as_json:
        print_json(
            {"webhooks": list(map(_webhook, kept.webhooks)), "unreached": unreached_json(kept.unreached)}
        )
        return
    for webhook in kept.webhooks:
        _show(webhook)
        if webhook.challenge is not None and webhook.state == "unverified":
            click.echo(f"  Challenge  {plain(_how(webhook.challenge))}: verify it when it is ready")
    warn_unreached(kept.unreached)


@command.command("list")
@key_options
@chain_options
@json_option
def list_(keys: KeyOptions, chain: Chain, as_json: bool) -> None:
    r"""Show your webhooks and how they stand.

    \b
    Example:
      dm3 webhooks list
    """
    kept = connect(keys, chain).webhooks.list()
    if as_json:
        print_json(
            {"webhooks": list(map(_webhook, kept.webhooks)), "unreached": unreached_json(kept.unreached)}
        )
        return
    for webhook in kept.webhooks:
        _show(webhook)
    if not kept.webhooks:
        click.echo("There are no webhooks.")
    warn_unreached(kept.unreached)


@command.command()
@_id_argument
@key_options
@chain_options
@json_option
def verify(keys: KeyOptions, chain: Chain, webhook: str, as_json: bool) -> None:
    r"""Challenge a webhook again. If it answers, it receives what comes in from now on.

    \b
    Example:
      dm3 webhooks verify ID
    """
    _tell(connect(keys, chain).webhooks.verify(webhook), as_json=as_json)


@command.command()
@_id_argument
@key_options
@chain_options
@json_option
def pause(keys: KeyOptions, chain: Chain, webhook: str, as_json: bool) -> None:
    r"""Send no events until the webhook is verified again; what happens meanwhile can be replayed.

    \b
    Example:
      dm3 webhooks pause ID
    """
    _tell(connect(keys, chain).webhooks.pause(webhook), as_json=as_json)


@command.command()
@_id_argument
@key_options
@chain_options
@json_option
def rotate(keys: KeyOptions, chain: Chain, webhook: str, as_json: bool) -> None:
    r"""Make a new secret. For 24 hours the old one signs beside it.

    \b
    Example:
      dm3 webhooks rotate ID
    """
    _tell(connect(keys, chain).webhooks.rotate(webhook), as_json=as_json)


@command.command()
@_id_argument
@key_options
@chain_options
@json_option
def remove(keys: KeyOptions, chain: Chain, webhook: str, as_json: bool) -> None:
    r"""Forget a webhook and its log.

    \b
    Example:
      dm3 webhooks remove ID
    """
    connect(keys, chain).webhooks.remove(webhook)
    if as_json:
        print_json({"removed": webhook})
        return
    click.echo("It is removed.")


@command.command()
@_id_argument
@key_options
@chain_options
@json_option
def test(keys: KeyOptions, chain: Chain, webhook: str, as_json: bool) -> None:
    r"""Send a test event now. The exit status is 4 if it did not arrive.

    \b
    Example:
      dm3 webhooks test ID
    """
    delivery = connect(keys, chain).webhooks.test(webhook)
    if as_json:
        print_json(_delivery(delivery))
    else:
        _show_delivery(delivery)
    if delivery.state != "delivered":
        sys.exit(FAILED_STATUS)


@command.command()
@_id_argument
@click.option("--limit", type=click.IntRange(1, 100), help="How many events at most.")
@click.option("--cursor", help="Go on where the last page ended.")
@key_options
@chain_options
@json_option
def log(
    keys: KeyOptions, chain: Chain, webhook: str, limit: int | None, cursor: str | None, as_json: bool
) -> None:
    r"""Show what was sent in the last 30 days and how it went, the newest first.

    \b
    Examples:
      dm3 webhooks log ID
      dm3 webhooks log ID --limit 100 --json
    """
    page = connect(keys, chain).webhooks.log(webhook, cursor, limit=limit)
    if as_json:
        print_json({"deliveries": list(map(_delivery, page.deliveries)), "cursor": page.cursor})
        return
    for delivery in page.deliveries:
        _show_delivery(delivery)
    if not page.deliveries:
        click.echo("Nothing was sent.")
    if page.cursor is not None:
        click.echo(f"There is more: --cursor {plain(page.cursor)}")


@command.command()
@_id_argument
@click.argument("delivery", required=False)
@click.option(
    "--hours",
    type=click.FloatRange(min=0, max=720, min_open=True),
    help="Everything that failed or was held in the last so many hours.",
)
@key_options
@chain_options
@json_option
def replay(
    keys: KeyOptions, chain: Chain, webhook: str, delivery: str | None, hours: float | None, as_json: bool
) -> None:
    r"""Send again: one DELIVERY of the log, or everything that failed.

    \b
    Examples:
      dm3 webhooks replay ID msg_…
      dm3 webhooks replay ID --hours 72
    """
    if (delivery is None) == (hours is None):
        raise click.UsageError("Name the delivery, or how many --hours to go back.")
    webhooks = connect(keys, chain).webhooks
    replayed = 1
    if delivery is not None:
        webhooks.replay(webhook, delivery)
    elif hours is not None:
        replayed = webhooks.replay_since(webhook, now_ms() - int(hours * _HOUR_MS))
    if as_json:
        print_json({"replayed": replayed})
        return
    click.echo(f"{replayed} sent again; see: dm3 webhooks log {plain(webhook)}")


def _tell(webhook: Webhook, *, as_json: bool) -> None:
    if as_json:
        print_json(_webhook(webhook))
    else:
        _show(webhook)


def _show(webhook: Webhook) -> None:
    click.echo(
        plain(
            f"{webhook.id}  {webhook.state}  {webhook.signature}  {webhook.url}  ({webhook.delivery_service})"
        )
    )
    for label, text in (("Secret", webhook.secret), ("Public key", webhook.public_key)):
        if text is not None:
            click.echo(f"  {label:10} {plain(text)}")
    for label, time_ms in (
        ("Failing since", webhook.failing_since_ms),
        ("The old secret signs until", webhook.old_secret_until_ms),
    ):
        if time_ms is not None:
            click.echo(f"  {label} {moment(time_ms)}")


def _show_delivery(delivery: WebhookDelivery) -> None:
    click.echo(plain(f"{moment(delivery.at_ms)}  {delivery.state:9}  {delivery.type}  {delivery.id}"))
    for attempt in delivery.attempts:
        click.echo(
            plain(
                f"  {moment(attempt.at_ms)}  try {attempt.number}  {_how(attempt)}  {attempt.latency_ms} ms"
            )
        )
    if delivery.next_try_at_ms is not None:
        click.echo(f"  {moment(delivery.next_try_at_ms)}  next try")


def _how(attempt: WebhookAttempt) -> str:
    return " ".join(str(part) for part in (attempt.status, attempt.reason) if part is not None)


def _webhook(webhook: Webhook) -> dict[str, Any]:
    members: dict[str, Any] = {
        "deliveryService": webhook.delivery_service,
        "id": webhook.id,
        "url": webhook.url,
        "state": webhook.state,
        "signature": webhook.signature,
        "createdAt": webhook.created_at_ms,
        "failingSince": webhook.failing_since_ms,
        "oldSecretUntil": webhook.old_secret_until_ms,
        "publicKey": webhook.public_key,
    }
    if webhook.secret is not None:
        members["secret"] = webhook.secret
    if webhook.challenge is not None:
        members["challenge"] = _attempt(webhook.challenge)
    return members


def _delivery(delivery: WebhookDelivery) -> dict[str, Any]:
    return {
        "id": delivery.id,
        "type": delivery.type,
        "state": delivery.state,
        "at": delivery.at_ms,
        "messageId": delivery.message_id,
        "size": delivery.size,
        "tries": delivery.tries,
        "nextTryAt": delivery.next_try_at_ms,
        "attempts": list(map(_attempt, delivery.attempts)),
    }


def _attempt(attempt: WebhookAttempt) -> dict[str, Any]:
    return {
        "try": attempt.number,
        "at": attempt.at_ms,
        "latency": attempt.latency_ms,
        "status": attempt.status,
        "reason": attempt.reason,
    }
