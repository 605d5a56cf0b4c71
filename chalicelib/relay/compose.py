"""Puts a relay together from its ports: the one place where its parts are made."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.names.directory import RememberingDirectory
from chalicelib.names.holdings import RememberingHoldings
from chalicelib.protocol.properties import DeliveryServiceProperties, NotificationChannel
from chalicelib.relay.account_book import AccountBook
from chalicelib.relay.accounts import RelayAccounts
from chalicelib.relay.acknowledgements import Acknowledgements
from chalicelib.relay.admission import RelayAdmission
from chalicelib.relay.inbox import RelayInbox
from chalicelib.relay.journal import Journal
from chalicelib.relay.mailbox import Mailbox
from chalicelib.relay.name_book import NameBook
from chalicelib.relay.operator_book import OperatorBook
from chalicelib.relay.operator_desk import RelayOperator
from chalicelib.relay.policy.acquaintances import Acquaintances
from chalicelib.relay.policy.chain_rules import ChainRules, NoHoldings
from chalicelib.relay.policy.day_quotas import DayQuotas
from chalicelib.relay.policy.first_contact import FirstContact
from chalicelib.relay.policy.port import Policy
from chalicelib.relay.policy.receiver_policy import ReceiverPolicy
from chalicelib.relay.policy.rule_book import RuleBook
from chalicelib.relay.policy.tallies import Tallies
from chalicelib.relay.ports import Chance, Clock, Stores
from chalicelib.relay.positions import Positions
from chalicelib.relay.quota import Quotas
from chalicelib.relay.residents import Residents
from chalicelib.relay.rules import RelayRules
from chalicelib.relay.senders import SenderCheck
from chalicelib.relay.service import Relay
from chalicelib.relay.sessions import RelaySessions
from chalicelib.relay.settings import RelayKeys, RelaySecrets, RelaySettings
from chalicelib.relay.standing import Standing
from chalicelib.relay.tokens import Tokens
from chalicelib.relay.vault import Vault


def compose(
    *,
    settings: RelaySettings,
    keys: RelayKeys,
    secrets: RelaySecrets,
    stores: Stores,
    directory: RememberingDirectory,
    clock: Clock,
    chance: Chance,
    holdings: RememberingHoldings | None = None,
    policy: Policy | None = None,
    offered: Callable[[], tuple[NotificationChannel, ...]] = tuple,
) -> Relay:
    """A relay over these ports. Touches none of them yet. Raises ValueError for secrets of a wrong length.

    Without `holdings`, rules about the chain are those of a chain that never answers. A `policy` takes the
    place of the receivers' own rules. `offered` are the ways in which receivers can be told of mail.
    """
    limits = settings.limits
    vault = Vault(secrets.index_key, secrets.storage_key, chance, older_keys=secrets.older_storage_keys)
    book = AccountBook(stores.accounts, vault)
    names = NameBook(stores.accounts, vault, directory, clock, settings)
    residents = Residents(names, book, clock, remember_s=settings.remember_s)
    operator = OperatorBook(stores.rules, vault, clock)
    quotas = Quotas(stores.counters, vault, clock, chance, overrides=lambda: operator.now().limits)
    standing = Standing(directory, settings.relay_name)
    rules = RuleBook(stores.rules, vault, clock, remember_s=settings.remember_s)
    first_contact = FirstContact(stores.counters, vault, clock)
    receivers = ReceiverPolicy(
        rules=rules,
        chain=ChainRules(holdings or NoHoldings()),
        first_contact=first_contact,
        quotas=DayQuotas(vault),
        tallies=Tallies(stores.counters),
        clock=clock,
    )
    positions = Positions(vault)
    mailbox = Mailbox(stores.inbox, vault, positions, clock)
    journal = Journal(
        submissions=stores.submissions,
        inbox=stores.inbox,
        vault=vault,
        keys=keys,
        clock=clock,
        chance=chance,
        lifetime_s=limits.message_lifetime_s,
    )
    inbox = RelayInbox(
        mailbox=mailbox,
        store=stores.inbox,
        positions=positions,
        acknowledgements=Acknowledgements(stores.inbox, journal, positions, limits),
        book=book,
        clock=clock,
        limits=limits,
    )
    accounts = RelayAccounts(
        book=book,
        names=names,
        residents=residents,
        directory=directory,
        standing=standing,
        store=stores.accounts,
        inbox=inbox,
        rules=rules,
        quotas=quotas,
        vault=vault,
        clock=clock,
        chance=chance,
        limits=limits,
    )
    sessions = RelaySessions(
        tokens=Tokens(secrets.session_key, settings.relay_name, clock, chance),
        book=book,
        names=names,
        residents=residents,
        accounts=accounts,
        directory=directory,
        counters=stores.counters,
        quotas=quotas,
        vault=vault,
        clock=clock,
        chance=chance,
        limits=limits,
    )
    admission = RelayAdmission(
        residents=residents,
        standing=standing,
        operator=operator,
        senders=SenderCheck(directory, lenient=settings.lenient),
        quotas=quotas,
        policy=policy or receivers,
        acquaintances=Acquaintances(residents, rules, first_contact, settings.relay_name),
        journal=journal,
        mailbox=mailbox,
        keys=keys,
        chance=chance,
        limits=limits,
    )
    desk = RelayOperator(
        book=operator, quotas=quotas, limits=limits, token_sha256=settings.operator_token_sha256
    )

    def properties() -> DeliveryServiceProperties:
        return DeliveryServiceProperties(
            message_ttl_days=limits.message_ttl_days,
            size_limit_bytes=limits.size_limit_bytes,
            notification_channels=offered(),
            limits=operator.now().in_force(limits).advertised(),
        )

    own_rules = RelayRules(rules, book, quotas, limits)
    return Relay(admission, inbox, accounts, sessions, own_rules, desk, properties)
