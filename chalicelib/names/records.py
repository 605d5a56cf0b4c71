"""The text records of dm3, from the text on the chain to a profile.

Source: dm3 specification, "Registries", "User profile" and "Delivery service profile". A record is a
profile URI; the JSON behind it is the bare profile (specification) or `{profile, signature}` (reference).
Whoever owns a name writes its records, so they are read as an attacker's text: what cannot be used is no
profile. Network I/O lives behind `ProfileLinks`.
"""

from __future__ import annotations

from chalicelib.names.directory import ResolvedName
from chalicelib.names.ports import ProfileLinks
from chalicelib.protocol.errors import Dm3Error, InvalidProfile, Unavailable
from chalicelib.protocol.json_types import JsonObject
from chalicelib.protocol.profile import (
    DeliveryServiceProfile,
    SignedUserProfile,
    UserProfile,
    profile_signer,
)
from chalicelib.protocol.profile_uri import InlineProfile, parse_profile_uri
from chalicelib.protocol.weight import outweighs

# Of a profile with its signature: many times what any has. A process remembers ten thousand of them, and
# names below a wildcard cost their owner nothing.
MAX_PROFILE_CHARACTERS = 8_192
MAX_PROFILE_VALUES = 200


def resolved_name(
    name: str, address: str | None, record: str | None, links: ProfileLinks | None
) -> ResolvedName:
    """What the `address` and the `network.dm3.profile` record of `name` say together.

    A signature that does not recover to `address` leaves the profile a bare one: the owner of the name has
    published these keys, and nothing is said about the address. Raises `Unavailable` if the record is a
    link that cannot be followed just now.
    """
    nothing = ResolvedName(name, address)
    if record is None:
        return nothing
    try:
        value = _profile_json(record, links)
        if "signature" not in value:
            return ResolvedName(name, address, UserProfile.parse(value))
        signed = SignedUserProfile.parse(value)
        proven = address is not None and profile_signer(signed, address)
    except Unavailable:
        raise
    except Dm3Error:
        return nothing
    return ResolvedName(name, address, signed.profile, signed if proven else None)


def service_profile(record: str | None, links: ProfileLinks | None) -> DeliveryServiceProfile | None:
    """The profile behind a `network.dm3.deliveryService` record. Raises `Unavailable` as `resolved_name`."""
    if record is None:
        return None
    try:
        return DeliveryServiceProfile.parse(_profile_json(record, links))
    except Unavailable:
        raise
    except Dm3Error:
        return None


def _profile_json(record: str, links: ProfileLinks | None) -> JsonObject:
    uri = parse_profile_uri(record)
    if isinstance(uri, InlineProfile):
        value = uri.value
    elif links is None:
        raise Unavailable("The profile is kept behind a link, which this service does not follow.")
    else:
        value = links.read(uri)
    if outweighs(value, values=MAX_PROFILE_VALUES, characters=MAX_PROFILE_CHARACTERS):
        raise InvalidProfile("The profile is too large.")
    return value
