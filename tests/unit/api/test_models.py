from __future__ import annotations

import tracemalloc

import pytest

from chalicelib.api.models import (
    ENTRIES_LIMIT,
    AcknowledgedIds,
    Acknowledgements,
    Input,
    NameParams,
    NoParams,
    SignedProfile,
    SignIn,
    SubmitParams,
)
from chalicelib.protocol.errors import InvalidInput, InvalidParams
from chalicelib.protocol.json_types import JsonValue

PROFILE = {
    "publicEncryptionKey": "e",
    "publicSigningKey": "s",
    "deliveryServices": ["relay.eth"],
}


def test_a_profile_may_have_members_that_nobody_knows() -> None:
    SignedProfile.check({"profile": {**PROFILE, "mutable": 1}, "signature": "0x"})


def test_what_is_wrong_is_named_by_the_model_and_not_by_the_caller() -> None:
    with pytest.raises(InvalidInput) as missing:
        SignedProfile.check({"profile": PROFILE}, error=InvalidInput)
    assert missing.value.message == "The member 'signature' is missing or not of the right type."
    with pytest.raises(InvalidParams) as foreign:
        NameParams.check({"name": "a", "bob.eth": 1})
    assert "bob" not in foreign.value.message
    assert foreign.value.__context__ is None, "no trace of what was sent"


def test_an_incomplete_acknowledgement_has_no_pair() -> None:
    read = Acknowledgements.check(
        {
            "acknowledgements": [
                {"contactAddress": "a", "messageHash": "h"},
                {"contactAddress": "a"},
                {"messageHash": "h"},
                {"contactAddress": None, "messageHash": "h"},
                {"contactAddress": "a", "messageHash": 1, "more": {}},
            ]
        }
    )
    assert [entry.pair() for entry in read.acknowledgements] == [("a", "h"), None, None, None, None]


def test_ids_are_limited() -> None:
    most = AcknowledgedIds.check({"ids": ["a"] * ENTRIES_LIMIT})
    assert len(most.ids) == ENTRIES_LIMIT, "the relay tells its own limit in a sentence of its own"
    with pytest.raises(InvalidParams):
        AcknowledgedIds.check({"ids": ["a"] * (ENTRIES_LIMIT + 1)})


MANY = 200_000


@pytest.mark.parametrize(
    ("model", "value"),
    [
        (SignedProfile, {"profile": {**PROFILE, "deliveryServices": [0] * MANY}, "signature": "0x"}),
        (SignIn, {str(number): 0 for number in range(MANY)}),
        (NoParams, {str(number): 0 for number in range(MANY)}),
        (Acknowledgements, {"acknowledgements": [0] * MANY}),
        (Acknowledgements, {"acknowledgements": [{}] * MANY}),
        (AcknowledgedIds, {"ids": [0] * MANY}),
    ],
)
def test_rubbish_is_refused_without_a_note_of_each_piece(model: type[Input], value: JsonValue) -> None:
    """6 MB of it took 14 s and 2.5 GB, from anybody."""
    model.model_rebuild()
    tracemalloc.start()
    try:
        with pytest.raises(InvalidParams):
            model.check(value)
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak_bytes < 100_000_000


def test_parameters_by_position_and_by_name_are_the_same() -> None:
    assert SubmitParams.read(["e", "t"]) == SubmitParams.read({"envelope": "e", "token": "t"})
    assert SubmitParams.read(["e"]).token is None


def test_an_envelope_with_a_member_of_that_name_is_still_by_name() -> None:
    read = SubmitParams.read({"envelope": {"metadata": {}}})
    assert read.envelope == {"metadata": {}}
