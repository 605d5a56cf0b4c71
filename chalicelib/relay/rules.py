"""Rules as their owner reads and writes them."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.protocol.errors import Forbidden
from chalicelib.protocol.json_types import JsonValue
from chalicelib.relay.account_book import AccountBook
from chalicelib.relay.policy.account_rules import AccountRules, ListChanges
from chalicelib.relay.policy.rule_book import RuleBook
from chalicelib.relay.quota import Quotas, rule_changes
from chalicelib.relay.settings import Limits
from chalicelib.relay.values import Account


class RelayRules:
    """Implements `service.Rules`."""

    def __init__(self, rules: RuleBook, book: AccountBook, quotas: Quotas, limits: Limits) -> None:
        self._rules = rules
        self._book = book
        self._quotas = quotas
        self._limits = limits

    def get(self, account: Account) -> AccountRules:
        """See `service.Rules.get`."""
        return self._rules.load(account.inbox)

    def replace(self, account: Account, document: JsonValue) -> AccountRules:
        """See `service.Rules.replace`."""
        self._quotas.charge(rule_changes(self._limits, account.key))
        rules = AccountRules.parse(document)
        return self._write(account, lambda _: rules)

    def edit_lists(self, account: Account, changes: JsonValue) -> AccountRules:
        """See `service.Rules.edit_lists`."""
        self._quotas.charge(rule_changes(self._limits, account.key))
        return self._write(account, ListChanges.parse(changes).applied_to)

    def clear(self, account: Account) -> None:
        """See `service.Rules.clear`."""
        self._write(account, lambda _: AccountRules())

    def _write(self, account: Account, change: Callable[[AccountRules], AccountRules]) -> AccountRules:
        rules = self._rules.update(account.inbox, change)
        record = self._book.load(account.key)
        if record is None or self._book.inbox(account.key, record) != account.inbox:
            # Deleted since the caller signed in: nothing may be left behind.
            self._rules.delete(account.inbox)
            raise Forbidden("The account does not exist any more.")
        return rules
