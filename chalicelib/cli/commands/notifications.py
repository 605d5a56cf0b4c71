"""`dm3 notifications`: how one is told of new mail when no app is open."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Final, ParamSpec

import click

from chalicelib.cli.notification_table import notification_lines
from chalicelib.cli.options import Chain, KeyOptions, chain_options, connect, key_options
from chalicelib.cli.output import json_option, plain, print_json
from chalicelib.cli.unreached import unreached_json, warn_unreached
from chalicelib.client.notifications import (
    ChannelType,
    Done,
    KeptNotifications,
    NotificationSettings,
    QuietHours,
)
from chalicelib.protocol.errors import InvalidInput

_NAMES = [channel.value for channel in ChannelType]
_TYPE = click.Choice([name.lower() for name in _NAMES], case_sensitive=False)


P = ParamSpec("P")

# What a service answers is to the letter of the reference, and does not say what to do.
_ADVICE: Final = {
    "Global notifications is off": "Notifications are off; turn them on with: dm3 notifications on.",
    "Invalid notification channel type": "The delivery service offers no such channel.",
    "Invalid OTP": "The code is not the one that was sent; have another one with: dm3 notifications code.",
    "Invalid email value": "The recipient is not an e-mail address.",
    "Invalid push value": "The recipient is not the JSON text of a browser's push subscription.",
    "Invalid sms value": "The recipient is not a number such as +4915112345678.",
}


def _advising(command: Callable[P, None]) -> Callable[P, None]:
    """Says what to do where a delivery service only refuses."""

    @functools.wraps(command)
    def advised(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except InvalidInput as error:
            if error.message not in _ADVICE:
                raise
            raise InvalidInput(_ADVICE[error.message], data=error.data) from error

    return advised


@click.group("notifications")
def command() -> None:
    """Be told of new mail by e-mail, in your browser, or by SMS.

    No notification says who wrote, what, or to which name. Each delivery service of your profile sends its
    own, and its own codes.
    """


@command.command()
@key_options
@chain_options
@json_option
@_advising
def on(keys: KeyOptions, chain: Chain, as_json: bool) -> None:
    r"""Turn notifications on; then add a channel.

    \b
    Example:
      dm3 notifications on
    """
    _done(connect(keys, chain).notifications.switch(on=True), "Notifications are on", as_json=as_json)


@command.command()
@key_options
@chain_options
@json_option
@_advising
def off(keys: KeyOptions, chain: Chain, as_json: bool) -> None:
    r"""Turn all notifications off. Your channels are kept.

    \b
    Example:
      dm3 notifications off
    """
    _done(connect(keys, chain).notifications.switch(on=False), "Notifications are off", as_json=as_json)


@command.command("list")
@key_options
@chain_options
@json_option
@_advising
def list_(keys: KeyOptions, chain: Chain, as_json: bool) -> None:
    r"""Show your channels and settings.

    \b
    Example:
      dm3 notifications list
    """
    _tell(connect(keys, chain).notifications.read(), as_json=as_json)


@command.command()
@click.argument("channel", type=_TYPE)
@click.argument("recipient")
@key_options
@chain_options
@json_option
@_advising
def add(keys: KeyOptions, chain: Chain, channel: str, recipient: str, as_json: bool) -> None:
    r"""Add a channel, or replace the one of its kind; a code is sent to it.

    RECIPIENT is an e-mail address, a number such as +4915112345678, or the JSON of a browser's push
    subscription, which needs no code.

    \b
    Examples:
      dm3 notifications add email bob@mail.example
      dm3 notifications verify email 12345
    """
    done = connect(keys, chain).notifications.add(_type(channel), recipient)
    push = _type(channel) is ChannelType.PUSH
    _done(done, "The channel is on" if push else "A code is on its way", as_json=as_json)


@command.command()
@click.argument("channel", type=_TYPE)
@key_options
@chain_options
@json_option
@_advising
def code(keys: KeyOptions, chain: Chain, channel: str, as_json: bool) -> None:
    r"""Have another code sent, a minute after the last at the earliest.

    \b
    Example:
      dm3 notifications code email
    """
    done = connect(keys, chain).notifications.send_code(_type(channel))
    _done(done, "Another code is on its way", as_json=as_json)


@command.command()
@click.argument("channel", type=_TYPE)
@click.argument("one_time_code", metavar="CODE")
@key_options
@chain_options
@json_option
@_advising
def verify(keys: KeyOptions, chain: Chain, channel: str, one_time_code: str, as_json: bool) -> None:
    r"""Type in the CODE that was sent. It counts for ten minutes and five tries, once.

    \b
    Example:
      dm3 notifications verify email 12345
    """
    done = connect(keys, chain).notifications.verify(_type(channel), one_time_code)
    _done(done, "The channel is verified", as_json=as_json)


@command.command()
@click.argument("channel", type=_TYPE)
@key_options
@chain_options
@json_option
@_advising
def enable(keys: KeyOptions, chain: Chain, channel: str, as_json: bool) -> None:
    r"""Turn one channel on again.

    \b
    Example:
      dm3 notifications enable email
    """
    done = connect(keys, chain).notifications.toggle(_type(channel), on=True)
    _done(done, "The channel is on", as_json=as_json)


@command.command()
@click.argument("channel", type=_TYPE)
@key_options
@chain_options
@json_option
@_advising
def disable(keys: KeyOptions, chain: Chain, channel: str, as_json: bool) -> None:
    r"""Turn one channel off; push in all your browsers.

    \b
    Example:
      dm3 notifications disable email
    """
    done = connect(keys, chain).notifications.toggle(_type(channel), on=False)
    _done(done, "The channel is off", as_json=as_json)


@command.command()
@click.argument("channel", type=_TYPE)
@key_options
@chain_options
@json_option
@_advising
def remove(keys: KeyOptions, chain: Chain, channel: str, as_json: bool) -> None:
    r"""Forget one channel; push in all your browsers.

    \b
    Example:
      dm3 notifications remove email
    """
    done = connect(keys, chain).notifications.remove(_type(channel))
    _done(done, "The channel is removed", as_json=as_json)


@command.command()
@click.option("--quiet", metavar="FROM-TO", help="When nobody is to wake you, such as 22:00-07:00.")
@click.option("--time-zone", metavar="ZONE", help="For --quiet: such as Europe/Berlin.")
@click.option("--no-quiet", is_flag=True, help="No quiet hours.")
@click.option(
    "--every",
    "pauses",
    multiple=True,
    metavar="CHANNEL=MINUTES",
    help="Tell me at most once in so many minutes, such as email=60. Can be repeated.",
)
@key_options
@chain_options
@json_option
@_advising
def settings(
    keys: KeyOptions,
    chain: Chain,
    quiet: str | None,
    time_zone: str | None,
    no_quiet: bool,
    pauses: tuple[str, ...],
    as_json: bool,
) -> None:
    r"""Show when you may be woken, or change it; what you do not name stays as it is.

    \b
    Examples:
      dm3 notifications settings
      dm3 notifications settings --quiet 22:00-07:00 --time-zone Europe/Berlin
      dm3 notifications settings --every email=60 --every push=5
    """
    if no_quiet and quiet is not None:
        raise click.UsageError("Either --quiet or --no-quiet.")
    if (quiet is None) != (time_zone is None):
        raise click.UsageError("--quiet and --time-zone go together.")
    hours = None if quiet is None or time_zone is None else _quiet_hours(quiet, time_zone)
    between = dict(_pause(text) for text in pauses)
    book = connect(keys, chain).notifications
    if hours is None and not no_quiet and not between:
        _tell(book.read(), as_json=as_json)
        return

    def change(standing: NotificationSettings) -> NotificationSettings:
        kept = None if no_quiet else hours or standing.quiet_hours
        return replace(standing, quiet_hours=kept, minutes_between={**standing.minutes_between, **between})

    _tell(book.change_settings(change), as_json=as_json)


def _type(channel: str) -> ChannelType:
    return ChannelType(channel.upper())


def _quiet_hours(text: str, time_zone: str) -> QuietHours:
    start, dash, end = text.partition("-")
    if not dash:
        raise InvalidInput("The quiet hours are written FROM-TO, such as 22:00-07:00.")
    return QuietHours(start.strip(), end.strip(), time_zone)


def _pause(text: str) -> tuple[str, int]:
    channel, _, minutes = text.partition("=")
    if channel.upper() not in _NAMES or not minutes.isascii() or not minutes.isdigit():
        raise InvalidInput("A pause is written CHANNEL=MINUTES, such as email=60.")
    return channel.upper(), int(minutes[:6])


def _done(done: Done, sentence: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"done": list(done.at), "unreached": unreached_json(done.unreached)})
        return
    click.echo(f"{sentence} at {plain(', '.join(done.at))}.")
    warn_unreached(done.unreached)


def _tell(kept: KeptNotifications, *, as_json: bool) -> None:
    if as_json:
        at = {service: dict(notifications.to_json()) for service, notifications in kept.at.items()}
        print_json({"notifications": at, "unreached": unreached_json(kept.unreached)})
        return
    for service, notifications in kept.at.items():
        click.echo(f"At {plain(service)}:")
        for line in notification_lines(notifications):
            click.echo(f"  {plain(line)}")
    warn_unreached(kept.unreached)
