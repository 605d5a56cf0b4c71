"""The `dm3` command: a group whose commands are imported when they are called.

`dm3 --help` therefore starts fast, and only the commands that write to a chain import web3.
"""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Sequence
from typing import Any, Final

import click

from chalicelib.cli.output import fail, wants_json
from chalicelib.protocol.errors import Dm3Error, InvalidInput, InvalidParams

# name: (module under chalicelib.cli.commands, what `dm3 --help` says)
COMMANDS: Final = {
    "keys": ("keys", "Make, show and import the keys of a name."),
    "profile": ("profile", "Publish your profile, or look somebody's up."),
    "send": ("send", "Send a message."),
    "inbox": ("inbox", "Read, decrypt and verify what came in."),
    "ack": ("ack", "Acknowledge messages: the relay deletes them."),
    "outbox": ("outbox", "See what could not be sent yet, and try again."),
    "account": ("account", "See how your account stands, take what it holds, or leave."),
    "rules": ("rules", "Say from whom you accept mail, and see what others ask of you."),
    "webhooks": ("webhooks", "Have your own servers told when mail has come."),
    "notifications": ("notifications", "Be told of new mail by e-mail, in your browser, or by SMS."),
    "operator": ("operator", "Read and set the rules of a relay that you run."),
    "local": ("local", "Run a whole relay on this machine: chain, AWS and all."),
    "demo": ("demo", "Watch two people exchange messages through a relay on this machine."),
}


class _Lazy(click.Group):
    """A group that knows its commands by name, and imports them one at a time.

    Wrong usage is told in JSON to whoever asks for JSON, which click itself does not do.
    """

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,  # noqa: ANN401 - as click declares it
    ) -> Any:  # noqa: ANN401 - as click declares it
        """As click's, but an error of click's is JSON after `--json`."""
        as_click = functools.partial(
            super().main, args, prog_name, complete_var, windows_expand_args=windows_expand_args, **extra
        )
        if not standalone_mode or not wants_json(sys.argv[1:] if args is None else args):
            return as_click(standalone_mode=standalone_mode)
        try:
            sys.exit(as_click(standalone_mode=False))
        except click.ClickException as error:
            fail(InvalidParams(error.format_message()), as_json=True, status=error.exit_code)
        except click.Abort:
            fail(InvalidInput("It was interrupted."), as_json=True)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - as click calls it
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as click calls it
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"chalicelib.cli.commands.{COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - as click calls it
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


HELP: Final = """\
dm3: end-to-end encrypted messages between ENS names.

\b
The first message, with a relay on your own machine:
  dm3 local                               # in a terminal of its own
  export DM3_RPC_URL=http://127.0.0.1:…   # "rpc_url" of the line it prints
  export DM3_KEY_FILE=bob.json DM3_WALLET_KEY=0x…     # Bob's "private_key" there
  dm3 keys create bob.eth --delivery-service relay.eth
  dm3 profile publish
  export DM3_KEY_FILE=alice.json DM3_WALLET_KEY=0x…   # and Alice's
  dm3 keys create alice.eth --delivery-service relay.eth
  dm3 profile publish
  dm3 send bob.eth "Hello Bob"
  dm3 inbox --keys bob.json

`dm3 local` has given alice.eth and bob.eth to two of its accounts: you are both of them. The passphrase
that is asked for is your choice; it encrypts the keys.

Every command takes --json, for programs, and --help, with examples. A command that fails says why in
one sentence on standard error; the exit status is then 1 (2 if it was called wrongly).
"""


@click.group(cls=_Lazy, help=HELP, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="dm3-relay", prog_name="dm3")
def dm3() -> None:
    """The `dm3` command; `HELP` is what it says of itself."""


def main() -> None:
    """Run the command line. Errors of the project become one sentence, never a traceback."""
    try:
        dm3.main(prog_name="dm3")
    except Dm3Error as error:
        fail(error, as_json=wants_json(sys.argv[1:]))
