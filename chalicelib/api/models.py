"""What callers may send: the models that validate it, and from which the API's documents are generated.

A model checks the shape and nothing more; what the values mean is decided by the relay. A message about bad
input names a member of the model, never what the caller wrote.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self, cast

from pydantic import BaseModel, ConfigDict, FailFast, Field, ValidationError

from chalicelib.protocol.errors import Dm3Error, InvalidParams
from chalicelib.protocol.json_types import JsonValue

# More than a body can hold, if the entries are complete; smaller ones would take gigabytes as models.
ENTRIES_LIMIT = 100_000

# Each element that does not fit would become an error of its own, kilobytes of memory for each byte sent.
Texts = Annotated[list[str], FailFast()]

_TOO_MANY = "There is a member too many, or it is no JSON object."


class Input(BaseModel):
    """Base of everything that callers send: frozen, exact types, built when first used."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)

    @classmethod
    def check(cls, value: JsonValue, *, error: type[Dm3Error] = InvalidParams) -> Self:
        """The model read from parsed JSON. Raises `error` with one sentence."""
        # Counted before pydantic makes an error of each.
        takes_others = cls.model_config["extra"] == "allow"
        if isinstance(value, dict) and len(value) > len(cls.model_fields) and not takes_others:
            raise error(_TOO_MANY)
        try:
            return cls.model_validate(value)
        except ValidationError as problems:
            member = problems.errors(include_url=False, include_context=False, include_input=False)[0]["loc"]
        # Outside the handler, so that the error carries no trace of what was sent.
        if member and member[0] in cls.model_fields:
            raise error(f"The member {member[0]!r} is missing or not of the right type.")
        raise error(_TOO_MANY)


class Params(Input):
    """Base of parameters of JSON-RPC methods, by position (in the order of the members) or by name."""

    @classmethod
    def read(cls, value: JsonValue) -> Self:
        """Raises InvalidParams."""
        if isinstance(value, list | tuple):
            names = list(cls.model_fields)
            if len(value) > len(names):
                raise InvalidParams("There are too many parameters.")
            return cls.check(dict(zip(names, value, strict=False)))
        if isinstance(value, dict):
            return cls.check(value)
        raise InvalidParams("The parameters must be an array or an object.")


class NoParams(Params):
    """A method without parameters."""


class SubmitParams(Params):
    """Parameters of `dm3_submitMessage`: the envelope as JSON text (the reference) or as an object.

    The specification passes the bare envelope; that is accepted in place of the parameters, too.
    """

    envelope: str | dict[str, Any] = Field(description="The envelope, as an object or as its JSON text.")
    token: str | None = Field(None, description="Sent by clients of the reference; not needed.")

    @classmethod
    def read(cls, value: JsonValue) -> Self:
        """Raises InvalidParams."""
        if isinstance(value, Mapping) and "metadata" in value and "envelope" not in value:
            return super().read([cast("JsonValue", value)])
        return super().read(value)


class NameParams(Params):
    """Parameters of `dm3_getProfileExtension`."""

    name: str = Field(description="The ENS name of the receiver.")


class Profile(Input):
    """A user profile; members that dm3 does not know are kept and covered by the signature."""

    model_config = ConfigDict(extra="allow")

    public_encryption_key: str = Field(alias="publicEncryptionKey")
    public_signing_key: str = Field(alias="publicSigningKey")
    delivery_services: Texts = Field(alias="deliveryServices")


class SignedProfile(Input):
    """A user profile signed by the wallet that the name resolves to."""

    profile: Profile
    signature: str = Field(description="EIP-191 signature over the profile creation message.")


class SignIn(Input):
    """A challenge and its signature by the account's profile key (Ed25519 over the challenge's text)."""

    challenge: str
    signature: str


class SourceLimits(Input):
    """Quotas of a network address, in place of those of the deployment; 0 is not enforced."""

    sourceSubmitsPerMinute: int | None = None  # noqa: N815 - as on the wire
    sourceRegistrationsPerHour: int | None = None  # noqa: N815
    sourceLookupsPerMinute: int | None = None  # noqa: N815
    sourceKibPerDay: int | None = None  # noqa: N815


class OperatorRules(Input):
    """What the operator decides while the relay runs. What is missing says nothing."""

    block: Texts = Field([], description="Senders: ENS names, *.name for all below it, proven addresses.")
    minimumVersion: str | None = Field(  # noqa: N815
        None, description="The oldest version of envelopes that is taken, as v1 or v1.2."
    )
    limits: SourceLimits = Field(default_factory=SourceLimits)


class Acknowledgement(BaseModel):
    """One entry as clients of the reference send it; an incomplete one is skipped."""

    model_config = ConfigDict(extra="allow", frozen=True, defer_build=True)

    contact_address: Any = Field(None, alias="contactAddress", description="The contact's ENS name.")
    message_hash: Any = Field(None, alias="messageHash")

    def pair(self) -> tuple[str, str] | None:
        """(contact, message hash), or None if the entry is incomplete."""
        if isinstance(self.contact_address, str) and isinstance(self.message_hash, str):
            return self.contact_address, self.message_hash
        return None


class Acknowledgements(Input):
    """What the reference's client sends once for each conversation."""

    acknowledgements: Annotated[list[Acknowledgement], FailFast(), Field(max_length=ENTRIES_LIMIT)]


class AcknowledgedIds(Input):
    """Ids of messages, from the paged inbox, that may be deleted."""

    ids: Annotated[list[str], FailFast(), Field(max_length=ENTRIES_LIMIT)]


PARAMS: dict[str, type[Params]] = {model.__name__: model for model in (NoParams, SubmitParams, NameParams)}
"""The parameters of JSON-RPC methods, by name."""

BODIES: dict[str, type[Input]] = {
    model.__name__: model
    for model in (SignedProfile, SignIn, Acknowledgements, AcknowledgedIds, OperatorRules)
}
"""The bodies of REST routes, by name."""
