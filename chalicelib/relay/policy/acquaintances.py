"""Who has been answered: seen when an owner of an account writes to somebody through this same relay.

An answer that goes through another delivery service is not seen here; its writer can put the stranger on the
allow list. Looking costs nothing for senders whose profile does not list this relay, two remembered reads for
the others, and writes only for owners who have a rule about first contact.
"""

from __future__ import annotations

from chalicelib.names.normalize import normalize
from chalicelib.relay.policy.first_contact import FirstContact
from chalicelib.relay.policy.port import Candidate
from chalicelib.relay.policy.rule_book import RuleBook
from chalicelib.relay.residents import Residents
from chalicelib.relay.senders import identity_of_address, identity_of_name
from chalicelib.relay.standing import lists_relay


class Acquaintances:
    """Marks as answered whom residents write to. Raises InvalidName if `relay_name` cannot be normalised."""

    def __init__(
        self, residents: Residents, rules: RuleBook, first_contact: FirstContact, relay_name: str
    ) -> None:
        self._residents = residents
        self._rules = rules
        self._first_contact = first_contact
        self._relay_name = normalize(relay_name)

    def note(self, candidate: Candidate) -> None:
        """The sender of `candidate` writes to its receiver. Raises Unavailable.

        The receiver may write back with or without a proven address, so both identities are marked.
        """
        sender = candidate.sender
        if sender.address is None or not lists_relay(sender.delivery_services, self._relay_name):
            return
        resident = self._residents.at(sender.address)
        if resident is None or self._rules.of(resident.inbox).public.first_contact_messages is None:
            return
        address = candidate.receiver.record.address
        self._first_contact.answer(
            resident.inbox, (identity_of_address(address), identity_of_name(candidate.to))
        )
