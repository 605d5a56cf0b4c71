"""Puts a relay together from its ports: the one place where its parts are made."""

from __future__ import annotations

from chalicelib.names.directory import RememberingDirectory
from chalicelib.protocol.properties import DeliveryServiceProperties
from chalicelib.relay.account_book import AccountBook
from chalicelib.relay.accounts import RelayAccounts
from chalicelib.relay.acknowledgements import Acknowledgements
from chalicelib.relay.admission import RelayAdmission
from chalicelib.relay.inbox import RelayInbox
from chalicelib.relay.journal import Journal
from chalicelib.relay.mailbox import Mailbox
from chalicelib.relay.name_book import NameBook
from chalicelib.relay.policy.port import AcceptAll, Policy
from chalicelib.relay.ports import Chance, Clock, Stores
from chalicelib.relay.positions import Positions
from chalicelib.relay.quota import Quotas
from chalicelib.relay.residents import Residents
from chalicelib.relay.senders import SenderCheck
from chalicelib.relay.service import Relay
from chalicelib.relay.sessions import RelaySessions
from chalicelib.relay.settings import RelayKeys, RelaySecrets, RelaySettings
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
    policy: Policy | None = None,
) -> Relay:
    """A relay over these ports. Touches none of them yet. Raises ValueError for secrets of a wrong length."""
    limits = settings.limits
    vault = Vault(secrets.index_key, secrets.storage_key, chance, older_keys=secrets.older_storage_keys)
    book = AccountBook(stores.accounts, vault)
    names = NameBook(stores.accounts, vault, directory, clock, settings)
    residents = Residents(names, book, clock, remember_s=settings.remember_s)
    quotas = Quotas(stores.counters, vault, clock, chance)
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
        store=stores.accounts,
        inbox=inbox,
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
        senders=SenderCheck(directory, lenient=settings.lenient),
        quotas=quotas,
        policy=policy or AcceptAll(),
        journal=journal,
        mailbox=mailbox,
        keys=keys,
        chance=chance,
        limits=limits,
    )
    properties = DeliveryServiceProperties(
        message_ttl_days=limits.message_ttl_days,
        size_limit_bytes=limits.size_limit_bytes,
        notification_channels=(),
        limits=limits.advertised(),
    )
    return Relay(admission, inbox, accounts, sessions, lambda: properties)
