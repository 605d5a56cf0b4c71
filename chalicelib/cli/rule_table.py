"""One's own rules, and what others ask, as lines for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from chalicelib.client.amounts import eth
from chalicelib.client.own_rules import OwnRules
from chalicelib.client.sentences import counted
from chalicelib.client.values import Verdict
from chalicelib.client.welcome import Condition
from chalicelib.protocol.rules import Allowance, Asked, ChainFailure, PublicRules, Requirement

_WIDTH: Final = 20
_MARKS: Final = {Verdict.PASSED: "✔", Verdict.FAILED: "✘", Verdict.UNCHECKED: "?"}


def own_lines(kept: OwnRules) -> list[str]:
    """Each rule on a line; one sentence if everybody is accepted."""
    lines = [f"{label:<{_WIDTH}}{value}" for label, value in _rows(kept)]
    return lines or ["Everybody is accepted."]


def condition_line(condition: Condition) -> str:
    """A mark (met, not met, not known), the sentence, and the contract if there is one."""
    contract = condition.data.get("address")
    where = f" Contract: {contract}" if isinstance(contract, str) else ""
    return f"{_MARKS[condition.verdict]} {condition.sentence}{where}"


def _rows(kept: OwnRules) -> Iterator[tuple[str, str]]:
    yield from _public(kept.rules)
    if kept.only_allowed:
        yield "Accepted", "only who is allowed"
    if kept.allow:
        yield "Allowed", ", ".join(kept.allow)
    if kept.block:
        yield "Blocked", ", ".join(kept.block)
    if kept.supported_message_types is not None:
        yield "Message types", ", ".join(kept.supported_message_types)
    if kept.encryption_scheme is not None:
        yield "Encryption schemes", ", ".join(kept.encryption_scheme)


def _public(rules: PublicRules) -> Iterator[tuple[str, str]]:
    yield from map(_requirement, rules.requirements)
    if rules.first_contact_messages is not None:
        yield "First contact", f"{counted(rules.first_contact_messages, 'message')} until answered or allowed"
    if rules.sender_quota is not None:
        yield "From one sender", _quota(rules.sender_quota)
    if rules.total_quota is not None:
        yield "From all together", _quota(rules.total_quota)
    if rules.requirements:
        closed = rules.on_chain_failure is ChainFailure.FAIL_CLOSED
        yield "If the chain fails", "refuse for the time being" if closed else "accept"


def _requirement(requirement: Requirement) -> tuple[str, str]:
    question, least = requirement.question, requirement.least
    match question.asked:
        case Asked.NONCE:
            return "Transactions sent", f"at least {least}"
        case Asked.BALANCE:
            return "Balance", f"at least {eth(least)}"
        case Asked.STAKE:
            return "Stake", f"at least {least} at {question.contract}"
        case Asked.TOKEN:
            token = "" if question.token_id is None else f", id {question.token_id}"
            return "Token", f"at least {least} of {question.standard} {question.contract}{token}"


def _quota(quota: Allowance) -> str:
    messages = None if quota.messages_per_day is None else counted(quota.messages_per_day, "message")
    kib = None if quota.kib_per_day is None else f"{quota.kib_per_day} KiB"
    return " and ".join(part for part in (messages, kib) if part is not None) + " a day"
