"""Receivers' rules in words, for the person who writes to them.

A sentence names no address: `Requirement.to_json` has the contract for those who want to show it.
"""

from __future__ import annotations

from chalicelib.client.amounts import eth
from chalicelib.protocol.rules import Allowance, Asked, Question, Requirement, TokenStandard


def of_requirement(requirement: Requirement, answer: int | None) -> str:
    """What is asked for, and what the sender has unless that is unknown (None)."""
    question, least = requirement.question, requirement.least
    match question.asked:
        case Asked.NONCE:
            asked, has = f"{counted(least, 'transaction')} sent by your address", f"it has sent {answer}"
        case Asked.BALANCE:
            asked, has = f"{eth(least)} at your address", f"it has {eth(answer or 0)}"
        case Asked.TOKEN:
            asked, has = f"{least} of {_token(question)} at your address", f"it has {answer}"
        case Asked.STAKE:
            asked = f"{least} deposited by your address, in the unit of the deposit contract"
            has = f"it has deposited {answer}"
    known = "" if answer is None else f"; {has}"
    return f"The receiver asks for at least {asked}{known}."


def of_first_contact(messages: int) -> str:
    """What a stranger may send."""
    if messages == 0:
        return "The receiver takes no messages from somebody new, unless allowed before."
    taken = counted(messages, "message")
    return f"The receiver takes {taken} from somebody new, until they answer or allow the sender."


def of_sender_quota(quota: Allowance) -> str:
    """What one sender may send."""
    return f"The receiver takes at most {_allowance(quota)} a day from one sender."


def of_total_quota(quota: Allowance) -> str:
    """What all senders may send together."""
    return f"The receiver takes at most {_allowance(quota)} a day from everybody together."


def _token(question: Question) -> str:
    match question.standard:
        case TokenStandard.ERC721:
            return "an ERC-721 collection"
        case TokenStandard.ERC1155:
            return f"the ERC-1155 token {question.token_id}"
        case _:
            return "an ERC-20 token (in its smallest unit)"


def _allowance(quota: Allowance) -> str:
    messages = None if quota.messages_per_day is None else counted(quota.messages_per_day, "message")
    kib = None if quota.kib_per_day is None else f"{quota.kib_per_day} KiB"
    return " and ".join(part for part in (messages, kib) if part is not None)


def counted(number: int, word: str) -> str:
    """`number` of what `word` names, in the plural unless it is one."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
