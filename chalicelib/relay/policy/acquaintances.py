"""Who has been answered: seen when an owner of an account writes to somebody through this same relay.

An answer that goes through another delivery service is not seen here; its writer can put the stranger on the
allow list. Looking costs nothing for senders whose profile does not list this relay, two remembered reads for
the others, and writes only for owners who have a rule about first contact.
"""

from __future__ import annotations

from chalicelib.relay.policy.first_contact import FirstContact
from chalicelib.relay.policy.port import Candidate
from chalicelib.relay.policy.rule_book import RuleBook
from chalicelib.relay.residents import Residents
from chalicelib.relay.senders import identity_of_address, identity_of_name


class Acquaintances:
    """Marks as answered whom residents write to."""

    def __init__(
        self, residents: Residents, rules: RuleBook, first_contact: FirstContact, relay_name: str
    ) -> None:
        self._residents = residents
        self._rules = rules
        self._first_contact = first_contact
        self._relay_name = relay_name.lower()

    def note(self, candidate: Candidate) -> None:
        """The sender of `candidate` writes to its receiver. Raises Unavailable.

        The receiver may write back with or without a proven address, so both identities are marked.
        """
        sender = candidate.sender
        if sender.address is None or not self._is_listed(sender.delivery_services):
            return
        resident = self._residents.at(sender.address)
        if resident is None or self._rules.of(resident.inbox).public.first_contact_messages is None:
            return
        address = candidate.receiver.record.address
        self._first_contact.answer(
            resident.inbox, (identity_of_address(address), identity_of_name(candidate.to))
        )

    def _is_listed(self, services: tuple[str, ...]) -> bool:
        return any(service.lower() == self._relay_name for service in services)
