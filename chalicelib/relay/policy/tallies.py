"""What rules count: so many of something, exactly, and the refusal when there would be more.

Everything that one decision counts is read in one request first, so that a sender whose allowance is used up
costs no write and uses up nothing of another one's. Then each counter is charged in one atomic step, which
alone decides: however many come in at once, no counter passes its limit. If one refuses at that point, what
was charged before it stays charged: giving back cannot be repeated without harm, and too little is never too
much. The narrowest counter is therefore charged first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.protocol.errors import Spam
from chalicelib.relay.ports import Charge, CounterStore


@dataclass(frozen=True, slots=True)
class Tally:
    """A charge that has to fit, the refusal if it does not, and counters that waive it unless they are 0.

    `paid` is charged right after, if there is such a thing: a counter that waives the charge the next time.
    """

    charge: Charge
    refusal: Spam
    waived_by: tuple[bytes, ...] = ()
    paid: Charge | None = None


class Tallies:
    """Takes tallies in two steps, all or (but for races) none: whether there is room, and the charge."""

    def __init__(self, counters: CounterStore) -> None:
        self._counters = counters

    def due(self, tallies: Sequence[Tally], *, now_s: int) -> Sequence[Tally]:
        """Those of `tallies` that nothing waives, if there is room for all. Raises the first refusal."""
        if not tallies:
            return ()
        counts = self._read(tallies, now_s)
        due = [tally for tally in tallies if not any(counts[counter] for counter in tally.waived_by)]
        for tally in due:
            if counts[tally.charge.counter] + tally.charge.amount > tally.charge.limit:
                raise tally.refusal
        return due

    def charge(self, due: Sequence[Tally], *, now_s: int) -> None:
        """Charge all that is `due`, in this order. Raises the first refusal."""
        for tally in due:
            if not self._counters.charge(tally.charge, now_s=now_s):
                raise tally.refusal
            if tally.paid is not None:
                self._counters.charge(tally.paid, now_s=now_s)

    def _read(self, tallies: Sequence[Tally], now_s: int) -> dict[bytes, int]:
        counters = [tally.charge.counter for tally in tallies]
        counters += [counter for tally in tallies for counter in tally.waived_by]
        return dict(zip(counters, self._counters.read(counters, now_s=now_s), strict=True))
