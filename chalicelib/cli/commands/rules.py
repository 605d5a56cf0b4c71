"""`dm3 rules`: from whom one accepts mail, and what others ask of those who write to them."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from chalicelib.cli.options import Chain, KeyOptions, chain_options, connect, key_options
from chalicelib.cli.output import json_option, plain, print_json
from chalicelib.cli.rule_options import DOCUMENT, RULES, RuleOptions
from chalicelib.cli.rule_table import condition_line, own_lines
from chalicelib.cli.unreached import unreached_json, warn_unreached
from chalicelib.client.own_rules import KeptRules, OwnRules
from chalicelib.client.private_files import read_private
from chalicelib.client.values import Verdict
from chalicelib.client.welcome import Welcome
from chalicelib.protocol.canonical import parse_json
from chalicelib.protocol.errors import InvalidInput, ParseError

REFUSED_STATUS = 4
# The relay takes documents of 64 KiB.
MAX_FILE_BYTES = 1_048_576


@click.group("rules")
def command() -> None:
    """Say from whom you accept mail, and see what others ask of you.

    The rules are kept at each delivery service of your profile, which applies them. Lists of names are
    private; everything else is told to those who write to you.
    """


@command.command()
@key_options
@chain_options
@json_option
def show(keys: KeyOptions, chain: Chain, as_json: bool) -> None:
    r"""Show your rules and lists.

    \b
    Example:
      dm3 rules show
    """
    _tell(connect(keys, chain).rules(), as_json=as_json)


@command.command("set")
@click.option(
    "--min-nonce", type=click.IntRange(min=0), help="Transactions that the sender has sent, at least."
)
@click.option("--min-balance", metavar="ETH", help="ETH that the sender has, at least, such as 0.01.")
@click.option(
    "--token",
    "tokens",
    multiple=True,
    metavar="STANDARD:ADDRESS[:ID]:AMOUNT",
    help="Tokens that the sender has, at least; erc20, erc721, or erc1155 with its ID. Can be repeated, and "
    "takes the place of all token rules.",
)
@click.option("--stake", metavar="ADDRESS:AMOUNT", help="What the sender has deposited in this contract.")
@click.option(
    "--first-contact",
    type=click.IntRange(min=0),
    metavar="N",
    help="Messages from somebody new, until you answer or allow them.",
)
@click.option("--sender-messages", type=click.IntRange(min=0), metavar="N", help="From one sender, each day.")
@click.option("--sender-kib", type=click.IntRange(min=0), metavar="N", help="The same, by size.")
@click.option(
    "--total-messages", type=click.IntRange(min=0), metavar="N", help="From all together, each day."
)
@click.option("--total-kib", type=click.IntRange(min=0), metavar="N", help="The same, by size.")
@click.option(
    "--fail-open/--fail-closed",
    default=None,
    help="While the chain cannot be asked: accept, or refuse for now.",
)
@click.option("--only-allowed/--everybody", default=None, help="Accept only who is on your allow list.")
@click.option("--types", metavar="A,B", help="The types of messages you can read, NEW among them.")
@click.option("--schemes", metavar="A,B", help="The encryption schemes you prefer.")
@click.option(
    "--without",
    multiple=True,
    type=click.Choice([*RULES, *DOCUMENT]),
    help="Take this rule away. Can be repeated.",
)
@click.option(
    "--file",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Replace everything, lists included, by the document in this file (docs/cli.md).",
)
@key_options
@chain_options
@json_option
def set_(keys: KeyOptions, chain: Chain, file: Path | None, as_json: bool, **given: object) -> None:
    r"""Set rules; what you do not name stays as it is.

    \b
    Examples:
      dm3 rules set --min-nonce 5 --min-balance 0.01
      dm3 rules set --token erc721:0x…:1 --fail-open
      dm3 rules set --first-contact 3 --without min-nonce
      dm3 rules set --file rules.json
    """
    options = RuleOptions(**given)  # type: ignore[arg-type]  # click has checked the types
    if options.given == (file is not None):
        raise click.UsageError("Name the rules to set, or a --file with all of them.")
    if file is not None:
        replacement = _document(file)
        kept = connect(keys, chain).set_rules(replacement)
    else:
        # What cannot be parsed is told before anybody is asked.
        options.applied_to(OwnRules())
        kept = connect(keys, chain).change_rules(options.applied_to)
    _tell(kept, as_json=as_json)


@command.command()
@click.argument("entries", nargs=-1, required=True)
@key_options
@chain_options
@json_option
def allow(keys: KeyOptions, chain: Chain, entries: tuple[str, ...], as_json: bool) -> None:
    r"""Accept mail from ENTRIES whatever your rules say: names, addresses, or "*.name" for all below it.

    \b
    Example:
      dm3 rules allow bob.eth "*.friends.eth"
    """
    _tell(connect(keys, chain).edit_lists(allow=entries), as_json=as_json)


@command.command()
@click.argument("entries", nargs=-1, required=True)
@key_options
@chain_options
@json_option
def block(keys: KeyOptions, chain: Chain, entries: tuple[str, ...], as_json: bool) -> None:
    r"""Refuse mail from ENTRIES: names, addresses, or "*.name" for all below it. They are not told why.

    \b
    Example:
      dm3 rules block mallory.eth 0x…
    """
    _tell(connect(keys, chain).edit_lists(block=entries), as_json=as_json)


@command.command()
@click.argument("entries", nargs=-1, required=True)
@key_options
@chain_options
@json_option
def remove(keys: KeyOptions, chain: Chain, entries: tuple[str, ...], as_json: bool) -> None:
    r"""Take ENTRIES off your lists.

    \b
    Example:
      dm3 rules remove bob.eth
    """
    _tell(connect(keys, chain).edit_lists(remove=entries), as_json=as_json)


@command.command()
@key_options
@chain_options
@json_option
def clear(keys: KeyOptions, chain: Chain, as_json: bool) -> None:
    r"""Accept everybody again: take away all rules, and empty both lists.

    \b
    Example:
      dm3 rules clear
    """
    unreached = connect(keys, chain).clear_rules()
    if as_json:
        print_json({"cleared": True, "unreached": unreached_json(unreached)})
        return
    click.echo("Everybody is accepted.")
    warn_unreached(unreached)


@command.command()
@click.argument("name")
@key_options
@chain_options
@json_option
def check(keys: KeyOptions, chain: Chain, name: str, as_json: bool) -> None:
    r"""Show what NAME asks of those who write, and whether you meet it.

    The exit status is 4 if a message from you would be refused. A question mark stands before what cannot be
    known from here; whether NAME has allowed or blocked you is private.

    \b
    Example:
      dm3 rules check bob.eth
    """
    welcome = connect(keys, chain).welcome(name)
    if as_json:
        print_json(_welcome(welcome))
    else:
        for condition in welcome.conditions:
            click.echo(plain(condition_line(condition)))
        if not welcome.conditions:
            click.echo("Everybody is accepted.")
        click.echo(f"Message types       {plain(', '.join(welcome.supported_message_types))}")
        if welcome.encryption_scheme is not None:
            click.echo(f"Encryption schemes  {plain(', '.join(welcome.encryption_scheme))}")
    if welcome.verdict is Verdict.FAILED:
        sys.exit(REFUSED_STATUS)


def _document(path: Path) -> OwnRules:
    try:
        return OwnRules.parse(parse_json(read_private(path, max_bytes=MAX_FILE_BYTES)))
    except ParseError:
        raise InvalidInput("The file is not JSON.") from None


def _tell(kept: KeptRules, *, as_json: bool) -> None:
    if as_json:
        at = {service: dict(rules.to_json()) for service, rules in kept.at.items()}
        print_json({"rules": at, "unreached": unreached_json(kept.unreached)})
        return
    if kept.differ:
        click.echo("Your delivery services keep different rules.", err=True)
    shown = kept.at.items() if kept.differ else [(", ".join(kept.at), kept.preferred)]
    for services, rules in shown:
        click.echo(f"At {plain(services)}:")
        for line in own_lines(rules):
            click.echo(f"  {plain(line)}")
    warn_unreached(kept.unreached)


def _welcome(welcome: Welcome) -> dict[str, object]:
    schemes = welcome.encryption_scheme
    return {
        "receiver": welcome.receiver,
        "deliveryService": welcome.delivery_service,
        "verdict": welcome.verdict.value,
        "conditions": [
            {"verdict": condition.verdict.value, "sentence": condition.sentence, **condition.data}
            for condition in welcome.conditions
        ],
        "supportedMessageTypes": list(welcome.supported_message_types),
        "encryptionScheme": None if schemes is None else list(schemes),
    }
