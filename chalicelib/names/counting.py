"""What is counted of reading names: the events, and the port through which they are told.

Nothing that is counted says who was asked about, and a provider is its place in the operator's list, never
its URL.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol


class Event(StrEnum):
    """What can happen. Those about one provider come with the dimension `Provider`, its place from 1 on."""

    REQUESTS = "ProviderRequests"
    """A provider was asked (one HTTP request)."""
    SLOW = "ProviderSlow"
    """It had not answered by its deadline."""
    LIMITED = "ProviderLimited"
    """It refused because it is asked too often."""
    REFUSED = "ProviderRefused"
    """It answered a call with an error that is its own, and not the contract's."""
    FAILED = "ProviderFailed"
    """It could not be reached, or its answer made no sense."""
    TOO_LONG = "ProviderTooLong"
    """Its answer was longer than is read, most likely for what a contract returned: it is not left alone."""
    STALE = "ProviderStale"
    """Its newest block is too old: it was passed over."""
    WRONG_CHAIN = "ProviderWrongChain"
    """It serves another chain than the operator expects: it was passed over."""
    OPENED = "CircuitOpened"
    """It is left alone for a while."""
    CLOSED = "CircuitClosed"
    """It answers again."""
    CHAIN_DOWN = "ChainUnavailable"
    """No provider gave an answer that can be used."""
    HIT_PROCESS = "NamesFromProcess"
    """An answer about a name came from this process's memory."""
    HIT_TABLE = "NamesFromTable"
    """An answer about a name came from the memory that all processes share."""
    MISSES = "NamesFromChain"
    """Neither had one: the chain is asked, unless a rate, a toll or an open circuit keeps it from that."""
    OUTLIVED = "NamesPastLifetime"
    """An answer was served past its lifetime, since the chain is down."""
    TABLE_FAILED = "NamesTableFailed"
    """The memory that all processes share did not answer."""


class Counting(Protocol):
    """Takes note of events; thread-safe, and never fails."""

    def __call__(self, event: str, /, **dimensions: str) -> None:
        """`event` has happened once."""
        ...


def uncounted(_event: str, /, **_dimensions: str) -> None:
    """A `Counting` for whoever does not want to know."""
