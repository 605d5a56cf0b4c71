"""The rules of one account, as its owner writes them and as they are stored.

    {rules: {…},                       what a sender may know (`chalicelib.protocol.rules`)
     allow: [entry], block: [entry],   lists of senders (`relay.policy.lists`); allow wins and skips the rest
     onlyAllowed: false,               refuse everybody who is not on the allow list
     supportedMessageTypes: [text],    for the profile extension (specification, "Get the User's Profile
     encryptionScheme: [text]}         Extension"); left out, the relay's defaults are told

Every member may be left out. Lists and `onlyAllowed` are private: nobody but the owner is told of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from chalicelib.protocol.canonical import canonicalize
from chalicelib.protocol.crypto import SCHEME
from chalicelib.protocol.errors import InvalidInput
from chalicelib.protocol.extension import ProfileExtension
from chalicelib.protocol.json_types import JsonObject, JsonValue
from chalicelib.protocol.members import texts_member
from chalicelib.protocol.message import MessageType
from chalicelib.protocol.rules import PublicRules
from chalicelib.relay.policy.lists import SenderList

MAX_ENTRIES: Final = 1_000
# A row holds 400 KB and a process remembers many; a thousand addresses take 45 KB.
MAX_DOCUMENT_BYTES: Final = 65_536
MAX_MESSAGE_TYPES: Final = 32
MAX_SCHEMES: Final = 16
_WORD: Final = re.compile("[0-9A-Za-z_.:+-]{1,64}")
_MEMBERS: Final = frozenset(
    {"rules", "allow", "block", "onlyAllowed", "supportedMessageTypes", "encryptionScheme"}
)
_TOO_MANY: Final = f"The lists have more than {MAX_ENTRIES} entries."
_TOO_LARGE: Final = f"The rules are larger than {MAX_DOCUMENT_BYTES // 1_024} KiB."
_UNKNOWN: Final = "The rules have a member that this service does not know."
_TWICE: Final = "An entry is on more than one list."


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRules:
    """What an account accepts. The default accepts everybody."""

    public: PublicRules = field(default_factory=PublicRules)
    allow: SenderList = field(default_factory=SenderList)
    block: SenderList = field(default_factory=SenderList)
    only_allowed: bool = False
    supported_message_types: tuple[str, ...] | None = None
    encryption_scheme: tuple[str, ...] | None = None

    def extension(self) -> ProfileExtension:
        """What senders are told."""
        types = self.supported_message_types
        return ProfileExtension(
            ProfileExtension.default().supported_message_types if types is None else types,
            self.encryption_scheme,
            self.public,
        )

    def to_json(self) -> JsonObject:
        """The JSON of the module's docstring, with lists in alphabetical order."""
        members: dict[str, JsonValue] = {
            "rules": self.public.to_json(),
            "allow": sorted(self.allow.entries),
            "block": sorted(self.block.entries),
            "onlyAllowed": self.only_allowed,
        }
        if self.supported_message_types is not None:
            members["supportedMessageTypes"] = list(self.supported_message_types)
        if self.encryption_scheme is not None:
            members["encryptionScheme"] = list(self.encryption_scheme)
        return members

    def to_bytes(self) -> bytes:
        """`to_json` as canonical JSON in UTF-8."""
        return canonicalize(self.to_json()).encode()

    @classmethod
    def parse(cls, value: JsonValue) -> AccountRules:
        """The rules that an owner wrote. Raises InvalidInput."""
        members = _known(value, _MEMBERS)
        allow, block = _lists(members, ("allow", "block"))
        only_allowed = members.get("onlyAllowed", False)
        if not isinstance(only_allowed, bool):
            raise InvalidInput("The member onlyAllowed must be true or false.")
        return cls(
            public=PublicRules.parse(members.get("rules", {})),
            allow=allow,
            block=block,
            only_allowed=only_allowed,
            supported_message_types=_words(
                members, "supportedMessageTypes", MAX_MESSAGE_TYPES, needed=MessageType.NEW
            ),
            encryption_scheme=_words(members, "encryptionScheme", MAX_SCHEMES, needed=SCHEME),
        ).bounded()

    @classmethod
    def from_bytes(cls, data: bytes) -> AccountRules:
        """Inverse of `to_bytes`, for what this relay has sealed itself."""
        members = json.loads(data)
        types, schemes = members.get("supportedMessageTypes"), members.get("encryptionScheme")
        return cls(
            public=PublicRules.parse(members["rules"]),
            allow=SenderList(frozenset(members["allow"])),
            block=SenderList(frozenset(members["block"])),
            only_allowed=members["onlyAllowed"],
            supported_message_types=None if types is None else tuple(types),
            encryption_scheme=None if schemes is None else tuple(schemes),
        )

    def bounded(self) -> AccountRules:
        """These rules, if they are not too many to be stored. Raises InvalidInput."""
        if len(self.allow.entries) + len(self.block.entries) > MAX_ENTRIES:
            raise InvalidInput(_TOO_MANY)
        if len(self.to_bytes()) > MAX_DOCUMENT_BYTES:
            raise InvalidInput(_TOO_LARGE)
        return self


@dataclass(frozen=True, slots=True)
class ListChanges:
    """Entries that are to be on one of the lists from now on, and entries that are to be on none."""

    allow: SenderList
    block: SenderList
    remove: SenderList

    @classmethod
    def parse(cls, value: JsonValue) -> ListChanges:
        """`{allow?: [entry], block?: [entry], remove?: [entry]}`. Raises InvalidInput."""
        names = ("allow", "block", "remove")
        return cls(*_lists(_known(value, frozenset(names)), names))

    def applied_to(self, rules: AccountRules) -> AccountRules:
        """`rules` with these changes: what goes on one list leaves the other. Raises InvalidInput."""
        allow, block, remove = self.allow.entries, self.block.entries, self.remove.entries
        return replace(
            rules,
            allow=SenderList((rules.allow.entries | allow) - block - remove),
            block=SenderList((rules.block.entries | block) - allow - remove),
        ).bounded()


def _known(value: JsonValue, names: frozenset[str]) -> JsonObject:
    if not isinstance(value, Mapping):
        raise InvalidInput("The rules must be a JSON object.")
    if not value.keys() <= names:
        raise InvalidInput(_UNKNOWN)
    return value


def _lists(members: JsonObject, names: Sequence[str]) -> list[SenderList]:
    """The lists of these names, which have no entry in common."""
    given = [texts_member(members, name, InvalidInput) if name in members else () for name in names]
    # Counted and measured before normalising, which is work.
    if sum(len(entries) for entries in given) > MAX_ENTRIES:
        raise InvalidInput(_TOO_MANY)
    if sum(len(entry) for entries in given for entry in entries) > MAX_DOCUMENT_BYTES:
        raise InvalidInput(_TOO_LARGE)
    lists = [SenderList.parse(entries) for entries in given]
    if len(frozenset[str]().union(*(one.entries for one in lists))) < sum(len(one.entries) for one in lists):
        raise InvalidInput(_TWICE)
    return lists


def _words(members: JsonObject, name: str, at_most: int, *, needed: str) -> tuple[str, ...] | None:
    """An array of names from the specification, in the owner's order, `needed` among them."""
    if name not in members:
        return None
    words = tuple(dict.fromkeys(texts_member(members, name, InvalidInput)))
    if len(words) > at_most or not all(_WORD.fullmatch(word) for word in words):
        raise InvalidInput(f"The member {name} has too many texts, or one that is none of its kind.")
    if needed not in words:
        raise InvalidInput(f"The member {name} must have {needed}, which everybody has to accept.")
    return words
