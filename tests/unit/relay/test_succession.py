from __future__ import annotations

import pytest

from chalicelib.protocol.profile import SignedUserProfile
from chalicelib.relay.succession import Claim, confirmed_after, may_begin, may_replace
from tests.unit.relay.world import BOB

THIS = BOB.signed_profile
OTHER = BOB.with_new_keys().signed_profile
# The same profile, signed a second time.
AGAIN = SignedUserProfile(THIS.profile, "0x" + "00" * 65)


@pytest.mark.parametrize(
    ("published", "superseded", "allowed"),
    [
        (None, False, True),
        (None, True, False),
        (THIS, False, True),
        (THIS, True, True),
        (AGAIN, True, True),
        (OTHER, False, False),
        (OTHER, True, False),
    ],
)
def test_what_an_account_may_begin_with(
    *, published: SignedUserProfile | None, superseded: bool, allowed: bool
) -> None:
    assert may_begin(Claim("bob.eth", THIS, published), superseded=superseded) is allowed


@pytest.mark.parametrize(
    ("published", "confirmed", "allowed"),
    [
        (None, (), False),
        (None, ("bob.eth",), False),
        (OTHER, (), False),
        (OTHER, ("bob.eth",), False),
        (THIS, (), True),
        (AGAIN, (), True),
        (THIS, ("bob.eth",), True),
        (THIS, ("robert.eth", "bob.eth"), True),
        (THIS, ("robert.eth",), False),
    ],
)
def test_what_may_replace_another_profile(
    *, published: SignedUserProfile | None, confirmed: tuple[str, ...], allowed: bool
) -> None:
    assert may_replace(Claim("bob.eth", THIS, published), confirmed) is allowed


@pytest.mark.parametrize(
    ("confirmed", "after"),
    [((), ()), (("bob.eth",), ("bob.eth",)), (("robert.eth", "bob.eth"), ("bob.eth",))],
)
def test_a_new_profile_leaves_confirmed_only_the_name_it_came_under(
    confirmed: tuple[str, ...], after: tuple[str, ...]
) -> None:
    assert confirmed_after(Claim("bob.eth", THIS, THIS), confirmed) == after
