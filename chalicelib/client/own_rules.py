"""One's own rules: from whom mail is accepted, kept at each of one's own delivery services.

The JSON, as the relay's `/rules` routes and `dm3 rules set --file` read and write it, every member optional:

    {rules: {…},                                  public: `chalicelib.protocol.rules`
     allow: ["bob.eth", "0x…", "*.friends.eth"],  who is accepted whatever the rules say; private
     block: [...],                                who is not, unless also allowed; private
     onlyAllowed: false,                          nobody else is accepted; private
     supportedMessageTypes: ["NEW", …],           public, if set
     encryptionScheme: [...]}                     public, if set
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

from chalicelib.client.delivery_service import DeliveryService, path
from chalicelib.client.identity import Identity
from chalicelib.client.services import Services
from chalicelib.client.session import Sessions
from chalicelib.client.several import at_each
from chalicelib.client.values import Unreached
from chalicelib.protocol.errors import InvalidInput, Unavailable
from chalicelib.protocol.json_types import JsonObject, JsonValue
from chalicelib.protocol.members import require_object, texts_member
from chalicelib.protocol.rules import PublicRules

Result = TypeVar("Result")

_MEMBERS: Final = frozenset(
    {"rules", "allow", "block", "onlyAllowed", "supportedMessageTypes", "encryptionScheme"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRules:
    """From whom mail is accepted. The default accepts everybody.

    `rules`, `supported_message_types` and `encryption_scheme` are told to whoever asks, the lists and
    `only_allowed` to nobody. An entry of a list is an ENS name, an address (`0x…`), or `*.name` for every
    name below it. The last two are None if they are not set.
    """

    rules: PublicRules = field(default_factory=PublicRules)
    allow: tuple[str, ...] = field(default=(), repr=False)
    block: tuple[str, ...] = field(default=(), repr=False)
    only_allowed: bool = False
    supported_message_types: tuple[str, ...] | None = None
    encryption_scheme: tuple[str, ...] | None = None

    def to_json(self) -> JsonObject:
        """The JSON of the module's docstring."""
        members: dict[str, JsonValue] = {
            "rules": self.rules.to_json(),
            "allow": list(self.allow),
            "block": list(self.block),
            "onlyAllowed": self.only_allowed,
        }
        if self.supported_message_types is not None:
            members["supportedMessageTypes"] = list(self.supported_message_types)
        if self.encryption_scheme is not None:
            members["encryptionScheme"] = list(self.encryption_scheme)
        return members

    @classmethod
    def parse(cls, value: JsonValue) -> OwnRules:
        """Inverse of `to_json`. Raises InvalidInput: what is unknown here must not get lost in silence."""
        members = require_object(value, InvalidInput)
        if not members.keys() <= _MEMBERS:
            raise InvalidInput("The rules have a member that is not known here.")
        only_allowed = members.get("onlyAllowed", False)
        if not isinstance(only_allowed, bool):
            raise InvalidInput("The member onlyAllowed must be true or false.")
        return cls(
            rules=PublicRules.parse(members.get("rules", {})),
            allow=_texts(members, "allow") or (),
            block=_texts(members, "block") or (),
            only_allowed=only_allowed,
            supported_message_types=_texts(members, "supportedMessageTypes"),
            encryption_scheme=_texts(members, "encryptionScheme"),
        )


@dataclass(frozen=True, slots=True)
class KeptRules:
    """The rules as one's own delivery services keep them, by name, and which services did not do as asked.

    Each service applies what it keeps itself, so they should be the same everywhere.
    """

    at: Mapping[str, OwnRules]
    unreached: tuple[Unreached, ...] = ()

    @property
    def preferred(self) -> OwnRules:
        """Those at the first service of the profile that answered."""
        return next(iter(self.at.values()))

    @property
    def differ(self) -> bool:
        """Whether two services keep different rules."""
        return any(kept != self.preferred for kept in self.at.values())


class RuleBook:
    """The rules of one identity, at each of its delivery services."""

    def __init__(self, identity: Identity, services: Services, sessions: Sessions) -> None:
        self._identity = identity
        self._services = services
        self._sessions = sessions

    def read(self) -> KeptRules:
        """See `Dm3Client.rules`."""
        return self._kept(self._read)

    def write(self, change: Callable[[OwnRules], OwnRules]) -> KeptRules:
        """See `Dm3Client.change_rules`."""

        def put(service: DeliveryService) -> OwnRules:
            return self._ask(service, "PUT", body=change(self._read(service)).to_json())

        return self._kept(put)

    def replace(self, rules: OwnRules) -> KeptRules:
        """See `Dm3Client.set_rules`."""
        return self._kept(lambda service: self._ask(service, "PUT", body=rules.to_json()))

    def edit_lists(self, allow: Iterable[str], block: Iterable[str], remove: Iterable[str]) -> KeptRules:
        """See `Dm3Client.edit_lists`."""
        body: JsonObject = {"allow": list(allow), "block": list(block), "remove": list(remove)}
        return self._kept(lambda service: self._ask(service, "POST", "lists", body=body))

    def clear(self) -> tuple[Unreached, ...]:
        """See `Dm3Client.clear_rules`."""
        where = path("rules", self._identity.name)
        return self._at_each(lambda service: self._sessions.request(service, "DELETE", where))[1]

    def _read(self, service: DeliveryService) -> OwnRules:
        return self._ask(service, "GET")

    def _ask(self, service: DeliveryService, method: str, *below: str, body: JsonValue = None) -> OwnRules:
        where = path("rules", self._identity.name, *below)
        answer = self._sessions.request(service, method, where, body=body)
        try:
            return OwnRules.parse(answer)
        except InvalidInput:
            raise Unavailable("The delivery service gave an answer that makes no sense.") from None

    def _kept(self, act: Callable[[DeliveryService], OwnRules]) -> KeptRules:
        return KeptRules(*self._at_each(act))

    def _at_each(
        self, act: Callable[[DeliveryService], Result]
    ) -> tuple[dict[str, Result], tuple[Unreached, ...]]:
        return at_each(self._identity.delivery_services, lambda name: act(self._services.find(name)))


def _texts(members: JsonObject, name: str) -> tuple[str, ...] | None:
    return texts_member(members, name, InvalidInput) if name in members else None
