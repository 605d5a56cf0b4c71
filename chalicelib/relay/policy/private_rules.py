"""The rules that nobody but the receiver knows: allow list, block list, `onlyAllowed`.

All of them are asked about every sender, whatever the first one answers, and none of them reads anything: a
refused sender learns neither from the answer nor from its time which of them refused.
"""

from __future__ import annotations

from enum import Enum, auto

from chalicelib.relay.policy.account_rules import AccountRules
from chalicelib.relay.senders import Sender


class Welcome(Enum):
    """ALLOWED skips all other rules of the receiver, OPEN is for them to decide."""

    ALLOWED = auto()
    OPEN = auto()
    REFUSED = auto()


def judge(rules: AccountRules, sender: Sender) -> Welcome:
    """What the private rules say of `sender`.

    Who merely claims a name (at a lenient relay) may be blocked by it, never allowed.
    """
    listed = rules.allow.has(sender.names, sender.address)
    blocked = rules.block.has(sender.names, sender.address)
    if listed and sender.verified:
        return Welcome.ALLOWED
    return Welcome.REFUSED if blocked or rules.only_allowed else Welcome.OPEN
