"""Delivery information: what an envelope tells the delivery service, and nobody else.

Source: dm3 specification, "Message transport", "Delivery information". Its JSON text is sealed for the
delivery service.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from chalicelib.protocol.errors import InvalidEnvelope
from chalicelib.protocol.json_types import JsonObject, JsonValue
from chalicelib.protocol.members import optional_text, other_members, require_object, text_member

_MEMBERS = frozenset({"to", "from", "deliveryInstruction"})


@dataclass(frozen=True, slots=True)
class DeliveryInformation:
    """Names of receiver and sender as the sender wrote them, and an instruction meant for gateways.

    `extra` holds members unknown here.
    """

    to: str
    from_: str
    delivery_instruction: str | None = None
    extra: JsonObject = field(default_factory=dict)

    def to_json(self) -> JsonObject:
        """`{to, from, deliveryInstruction?}` and the unknown members."""
        members = {**self.extra, "to": self.to, "from": self.from_}
        if self.delivery_instruction is not None:
            members["deliveryInstruction"] = self.delivery_instruction
        return members

    @classmethod
    def parse(cls, value: JsonValue) -> DeliveryInformation:
        """Inverse of `to_json`. Raises `InvalidEnvelope`."""
        members = require_object(value, InvalidEnvelope)
        return cls(
            to=text_member(members, "to", InvalidEnvelope),
            from_=text_member(members, "from", InvalidEnvelope),
            delivery_instruction=optional_text(members, "deliveryInstruction", InvalidEnvelope),
            extra=other_members(members, _MEMBERS),
        )
