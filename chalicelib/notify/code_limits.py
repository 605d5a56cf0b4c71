"""How many codes are sent: nobody can be bombed with mails, and nobody can guess for ever.

Guessing: five codes a day for one recipient, with five tries each, against 90,000 codes: one chance in 3,600
a day, however many accounts somebody opens. Bombing: the same five mails a day, whoever asks for them and
however the address is spelled.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from chalicelib.notify.events import Channel
from chalicelib.relay.ports import Chance, Clock, CounterStore
from chalicelib.relay.quota import Quota, Quotas, network
from chalicelib.relay.vault import Vault

PER_ACCOUNT_AND_HOUR: Final = 5
PER_SOURCE_AND_HOUR: Final = 30
PER_RECIPIENT_AND_DAY: Final = 5
PER_RELAY_AND_HOUR: Final[Mapping[Channel, int]] = MappingProxyType({Channel.EMAIL: 1_000, Channel.SMS: 100})
"""Of all accounts together. Text messages cost money, and premium numbers make it somebody else's."""
CHANGES_PER_HOUR: Final = 300
_HOUR_S, _DAY_S = 3_600, 86_400


class CodeLimits:
    """Charges what is sent and written. Refusals raise LimitExceeded with the seconds to wait.

    `account` is `Account.key`: deleting an account and beginning anew gives no new allowance.
    """

    def __init__(self, counters: CounterStore, vault: Vault, clock: Clock, chance: Chance) -> None:
        self._quotas = Quotas(counters, vault, clock, chance)

    def charge_code(self, account: bytes, channel: Channel, recipient: str, source: str) -> None:
        """One code more, asked for from the network address `source`.

        The asker's own allowances are charged first, so that a busy one stops nobody. Accounts cost little:
        without the source's, one machine could use up what all have together.
        """
        allowances = (
            ("codes of account", account, PER_ACCOUNT_AND_HOUR, _HOUR_S),
            ("codes of source", network(source), PER_SOURCE_AND_HOUR, _HOUR_S),
            ("codes to recipient", mailbox_of(channel, recipient), PER_RECIPIENT_AND_DAY, _DAY_S),
            ("codes of relay", str(channel), PER_RELAY_AND_HOUR[channel], _HOUR_S),
        )
        for kind, subject, limit, window_s in allowances:
            self._quotas.charge(Quota(kind, subject, limit, window_s, exact=True))

    def charge_change(self, account: bytes) -> None:
        """One change of an account's preferences more."""
        self._quotas.charge(Quota("preferences", account, CHANGES_PER_HOUR, _HOUR_S, exact=True))


def mailbox_of(channel: Channel, recipient: str) -> str:
    """What many spellings of a recipient have in common.

    Most providers put `bob+anything@` and `b.o.b@` into the mailbox of `bob@`. Where they are different
    people, these share an allowance, and nothing else.
    """
    if channel is not Channel.EMAIL:
        return recipient
    local, _, domain = recipient.lower().rpartition("@")
    return f"{local.partition('+')[0].replace('.', '')}@{domain}"
