"""When to try: ten times over about 75 hours, as "Standard Webhooks" proposes."""

from __future__ import annotations

from typing import Final

from chalicelib.relay.ports import Chance

DELAYS_S: Final = (0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""How long after the one before it each try is made; the first at once."""
TRIES: Final = len(DELAYS_S)
JITTER: Final = 0.05
"""Each pause is longer by up to this part of itself, so that what failed together is not tried together."""


def next_delay_s(tries: int, asked_s: int | None, chance: Chance) -> int | None:
    """How long to wait after `tries` (1 or more) failures, in seconds; None when there is no further try.

    `asked_s` is what the server asked for (`retry_after`): it can only make the pause longer.
    """
    if tries >= TRIES:
        return None
    lengthened = int.from_bytes(chance.token(4), "big") / 2**32 * JITTER
    return max(round(DELAYS_S[tries] * (1 + lengthened)), asked_s or 0)
