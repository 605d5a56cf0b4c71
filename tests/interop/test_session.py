"""The reference's way into a session: what `POST /profile` answers opens nothing, a signed challenge does."""

from __future__ import annotations

import pytest

from tests.interop.people import People, Person
from tests.interop.reference import ReferenceRefused

pytestmark = pytest.mark.npm


def test_after_submitting_a_profile_the_client_signs_in_by_challenge_and_reads_on(people: People) -> None:
    """The web client goes on with the string that `POST /profile` answers, meets 401, and cures it itself."""
    bob = people.create("bob")
    answered = bob.submit_profile()
    assert bob.incoming() == []
    session = bob.call("session")
    assert session["signIns"] == 1
    assert session["token"] != answered


def test_what_a_posted_profile_answers_opens_nothing(bob: Person) -> None:
    """Signed profiles are public: whoever posts one must not get the owner's mail."""
    answered = bob.call("submitProfile")
    with pytest.raises(ReferenceRefused) as refused:
        bob.call("incomingWith", token=answered)
    assert refused.value.status == 401


def test_a_signed_challenge_is_answered_with_a_token_that_opens_the_inbox(bob: Person) -> None:
    token = bob.call("signIn")
    assert bob.call("incomingWith", token=token) == []
    bob.call("useToken", token=token)
    bob.incoming()
    assert bob.call("session")["signIns"] == 0


def test_a_challenge_signed_by_a_foreign_key_is_refused_to_the_letter(alice: Person, bob: Person) -> None:
    with pytest.raises(ReferenceRefused) as refused:
        bob.call("signIn", signingKey=alice.keys["signingKeyPair"]["privateKey"])
    assert (refused.value.status, refused.value.body) == (400, {"error": "Signature invalid"})


def test_a_token_opens_no_other_inbox(alice: Person, bob: Person) -> None:
    token = alice.call("signIn")
    with pytest.raises(ReferenceRefused) as refused:
        bob.call("incomingWith", token=token)
    assert refused.value.status == 403


def test_a_stranger_has_no_challenge(people: People) -> None:
    with pytest.raises(ReferenceRefused) as refused:
        people.create("stranger").call("signIn")
    assert refused.value.status == 404


def test_the_library_reaches_the_challenge_although_it_misreads_it(bob: Person) -> None:
    """1.7.1 reads `data.challenge`, but every delivery service answers the challenge as the whole body.

    A relay cannot cure that without breaking the later clients; the call must reach it and not fail.
    """
    assert bob.call("libraryChallenge") is None
