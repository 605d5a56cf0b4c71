from __future__ import annotations

from chalicelib.relay.policy.port import AcceptAll, Candidate


def test_accept_all_accepts_even_a_claim() -> None:
    candidate = Candidate(b"receiver", "alice.eth", None, verified=False, size_bytes=1)
    AcceptAll().admit(candidate)
