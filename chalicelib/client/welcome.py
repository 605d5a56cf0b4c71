"""Whether a receiver's rules would let one's message in, found out before it is sent.

What the chain tells about the sender's own address is read through the client's own node. Quotas and what a
stranger may send are counted at the delivery service, and lists are private: they can be told, or not even
that, but not checked from here. So a message that passes here may still be refused, and a receiver who has
allowed the sender takes what does not pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from chalicelib.client import sentences
from chalicelib.client.values import Verdict
from chalicelib.names.holdings import Holdings
from chalicelib.protocol.errors import Spam, Unavailable
from chalicelib.protocol.json_types import JsonObject
from chalicelib.protocol.rules import PublicRules, Question, Requirement


class Unwelcome(Spam):
    """A receiver's public rule refuses the sender: found out here, before anything was sent."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One of a receiver's rules, as it concerns the sender.

    `sentence` is for a person, `data` for a program: what a refusal by this rule carries. UNCHECKED: the
    chain did not answer, or only the delivery service can know.
    """

    rule: str
    verdict: Verdict
    sentence: str
    data: JsonObject = field(repr=False)


@dataclass(frozen=True, slots=True)
class Welcome:
    """What a receiver asks of those who write, by the delivery service that was asked.

    `encryption_scheme` lists the schemes that the receiver prefers, None if they did not say.
    """

    receiver: str
    delivery_service: str
    conditions: tuple[Condition, ...]
    supported_message_types: tuple[str, ...]
    encryption_scheme: tuple[str, ...] | None

    @property
    def verdict(self) -> Verdict:
        """FAILED if a condition is, UNCHECKED if one could not be checked, else PASSED."""
        verdicts = {condition.verdict for condition in self.conditions}
        return next((v for v in (Verdict.FAILED, Verdict.UNCHECKED) if v in verdicts), Verdict.PASSED)


class Threshold:
    """Holds receivers' rules against the sender at `address`. Without `holdings` nothing can be checked."""

    def __init__(self, address: str, holdings: Holdings | None) -> None:
        self._address = address
        self._holdings = holdings

    def conditions(self, rules: PublicRules) -> tuple[Condition, ...]:
        """Every rule, and whether it is met. Never raises: what cannot be known is UNCHECKED."""
        answers = self._answers(rules)
        met = (_requirement(requirement, answers) for requirement in rules.requirements)
        return (*met, *_counted(rules))

    def require_met(self, rules: PublicRules) -> None:
        """Raises Unwelcome if a rule is known not to be met, with the data that a refusal would have."""
        answers = self._answers(rules)
        if answers is None:
            return
        unmet = rules.unmet(answers)
        if unmet is not None:
            sentence = sentences.of_requirement(unmet, answers[unmet.question])
            raise Unwelcome(sentence, data=unmet.to_json())

    def _answers(self, rules: PublicRules) -> Mapping[Question, int] | None:
        """What the chain says about the sender; None if it cannot be asked."""
        if not rules.requirements:
            return {}
        if self._holdings is None:
            return None
        try:
            questions = [requirement.question for requirement in rules.requirements]
            return self._holdings.read(self._address, questions)
        except Unavailable:
            return None


def _requirement(requirement: Requirement, answers: Mapping[Question, int] | None) -> Condition:
    answer = None if answers is None else answers[requirement.question]
    if answer is None:
        verdict = Verdict.UNCHECKED
    else:
        verdict = Verdict.PASSED if answer >= requirement.least else Verdict.FAILED
    sentence = sentences.of_requirement(requirement, answer)
    return Condition(requirement.question.asked.value, verdict, sentence, requirement.to_json())


def _counted(rules: PublicRules) -> Iterator[Condition]:
    """The rules that the delivery service counts by."""
    if rules.first_contact_messages is not None:
        sentence = sentences.of_first_contact(rules.first_contact_messages)
        yield _told("firstContact", sentence, {"messages": rules.first_contact_messages})
    if rules.sender_quota is not None:
        sentence = sentences.of_sender_quota(rules.sender_quota)
        yield _told("senderQuota", sentence, rules.sender_quota.to_json())
    if rules.total_quota is not None:
        sentence = sentences.of_total_quota(rules.total_quota)
        yield _told("totalQuota", sentence, rules.total_quota.to_json())


def _told(rule: str, sentence: str, data: JsonObject) -> Condition:
    return Condition(rule, Verdict.UNCHECKED, sentence, {"rule": rule, **data})
