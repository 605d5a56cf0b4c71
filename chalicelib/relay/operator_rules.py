"""What an operator decides while the relay runs: whom to block, which envelopes are too old, and quotas.

    {"block": ["spam.eth", "*.spam.eth", "0x…"], "minimumVersion": "v1",
     "limits": {"sourceSubmitsPerMinute": 10}}

Every member may be missing: nobody is blocked, every version is taken, the limits are those of the
deployment. These rules come before those of the receivers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from chalicelib.protocol.errors import InvalidInput, Spam, VersionNotSupported
from chalicelib.protocol.json_types import JsonObject, JsonValue
from chalicelib.relay.policy.lists import SenderList
from chalicelib.relay.settings import Limits
from chalicelib.relay.versions import parse_version

MAX_ENTRIES = 10_000
MAX_LIMIT = 2**40
SOURCE_LIMITS: Mapping[str, str] = MappingProxyType(
    {
        "sourceSubmitsPerMinute": "source_submits_per_minute",
        "sourceRegistrationsPerHour": "source_registrations_per_hour",
        "sourceLookupsPerMinute": "source_lookups_per_minute",
        "sourceKibPerDay": "source_kib_per_day",
    }
)
"""The limits that can be overridden, as the relay advertises them, and the members of `Limits` they are."""

_MEMBERS = frozenset({"block", "minimumVersion", "limits"})


@dataclass(frozen=True, slots=True)
class OperatorRules:
    """`block` refuses senders, `minimum_version` older envelopes; `limits` replaces members of `Limits`."""

    block: SenderList = field(default_factory=SenderList)
    minimum_version: str | None = None
    limits: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def parse(cls, value: JsonValue) -> OperatorRules:
        """The rules in the document above. Raises InvalidInput with one sentence."""
        if not isinstance(value, dict):
            raise InvalidInput("The rules are no JSON object.")
        if not value.keys() <= _MEMBERS:
            raise InvalidInput("The rules have a member that is not known.")
        return cls(
            block=_block(value.get("block", [])),
            minimum_version=_minimum(value.get("minimumVersion")),
            limits=_limits(value.get("limits", {})),
        )

    @classmethod
    def restore(cls, document: dict[str, Any]) -> OperatorRules:
        """The rules that `to_json` gave. Nothing is checked again: normalising 10,000 names takes seconds."""
        return cls(
            block=SenderList(frozenset(document["block"])),
            minimum_version=document.get("minimumVersion"),
            limits={SOURCE_LIMITS[told]: limit for told, limit in document["limits"].items()},
        )

    def to_json(self) -> JsonObject:
        """The document, with every member that says something."""
        members: dict[str, JsonValue] = {"block": list[JsonValue](sorted(self.block.entries))}
        if self.minimum_version is not None:
            members["minimumVersion"] = self.minimum_version
        members["limits"] = {
            told: self.limits[name] for told, name in SOURCE_LIMITS.items() if name in self.limits
        }
        return members

    def require_version(self, version: str) -> None:
        """Raises VersionNotSupported for an envelope older than the minimum, or that cannot be compared."""
        if self.minimum_version is None:
            return
        given, least = parse_version(version), parse_version(self.minimum_version)
        if given is None or least is None or given < least:
            raise VersionNotSupported("The version of the envelope is not supported any more.")

    def require_welcome(self, names: Iterable[str], address: str | None = None) -> None:
        """Raises Spam if one of the normalised `names`, or the *proven* address, is on the block list.

        The answer is that of a receiver's private list.
        """
        if self.block.has(names, address):
            raise Spam(data={"rule": "receiver"})

    def in_force(self, limits: Limits) -> Limits:
        """`limits` with what the rules replace."""
        return replace(limits, **self.limits)


def _block(value: JsonValue) -> SenderList:
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise InvalidInput("The block list is no list of texts.")
    if len(value) > MAX_ENTRIES:
        raise InvalidInput(f"The block list has more than {MAX_ENTRIES:,} entries.")
    return SenderList.parse(entry for entry in value if isinstance(entry, str))


def _minimum(value: JsonValue) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or parse_version(value) is None:
        raise InvalidInput("The minimum version is not of the form v1 or v1.2.")
    return value


def _limits(value: JsonValue) -> dict[str, int]:
    if not isinstance(value, dict):
        raise InvalidInput("The limits are no JSON object.")
    if not value.keys() <= SOURCE_LIMITS.keys():
        raise InvalidInput(
            "There is a limit that is not known, or that cannot be changed while the relay runs."
        )
    return {SOURCE_LIMITS[told]: _limit(limit) for told, limit in value.items() if limit is not None}


def _limit(value: JsonValue) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_LIMIT:
        raise InvalidInput(f"A limit is not a whole number from 0 to {MAX_LIMIT}.")
    return value
