from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib.names.answer_json import resolved_from_json, resolved_to_json
from chalicelib.names.directory import ResolvedName
from chalicelib.protocol.errors import InvalidProfile
from chalicelib.protocol.profile import SignedUserProfile
from tests.unit.names.people import Person

ALICE = Person(1)
SIGNED = SignedUserProfile.parse(ALICE.signed_json())


@pytest.mark.parametrize(
    "answer",
    [
        ResolvedName("alice.eth"),
        ResolvedName("alice.eth", ALICE.address),
        ResolvedName("alice.eth", ALICE.address, ALICE.profile),
        ResolvedName("alice.eth", None, ALICE.profile),
        ResolvedName("alice.gno", ALICE.address, SIGNED.profile, SIGNED),
    ],
)
def test_an_answer_survives(answer: ResolvedName) -> None:
    assert resolved_from_json(json.loads(json.dumps(resolved_to_json(answer)))) == answer


@pytest.mark.parametrize(
    "value",
    [None, [], {}, {"name": 1}, {"name": "a", "address": None}, {"name": "a", "profile": {}}],
)
def test_any_other_structure_is_refused(value: Any) -> None:  # noqa: ANN401
    with pytest.raises(InvalidProfile):
        resolved_from_json(value)
