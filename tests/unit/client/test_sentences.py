from __future__ import annotations

import pytest

from chalicelib.client import sentences
from chalicelib.protocol.rules import Allowance, Asked, Question, Requirement, TokenStandard

TOKEN = "0x6B175474E89094C44Da98b954EedeAC495271d0F"


def _of_token(standard: TokenStandard, token_id: int | None = None) -> Question:
    return Question(Asked.TOKEN, TOKEN, standard, token_id)


@pytest.mark.parametrize(
    ("requirement", "answer", "sentence"),
    [
        (
            Requirement(Question(Asked.NONCE), 5),
            2,
            "The receiver asks for at least 5 transactions sent by your address; it has sent 2.",
        ),
        (
            Requirement(Question(Asked.NONCE), 1),
            None,
            "The receiver asks for at least 1 transaction sent by your address.",
        ),
        (
            Requirement(Question(Asked.BALANCE), 10**16),
            2 * 10**15,
            "The receiver asks for at least 0.01 ETH at your address; it has 0.002 ETH.",
        ),
        (
            Requirement(Question(Asked.BALANCE), 10**16),
            None,
            "The receiver asks for at least 0.01 ETH at your address.",
        ),
        (
            Requirement(_of_token(TokenStandard.ERC20), 1000),
            0,
            (
                "The receiver asks for at least 1000 of an ERC-20 token (in its smallest unit) at your "
                "address; it has 0."
            ),
        ),
        (
            Requirement(_of_token(TokenStandard.ERC721), 1),
            0,
            "The receiver asks for at least 1 of an ERC-721 collection at your address; it has 0.",
        ),
        (
            Requirement(_of_token(TokenStandard.ERC1155, 7), 2),
            1,
            "The receiver asks for at least 2 of the ERC-1155 token 7 at your address; it has 1.",
        ),
        (
            Requirement(Question(Asked.STAKE, TOKEN), 1000),
            5,
            (
                "The receiver asks for at least 1000 deposited by your address, in the unit of the deposit "
                "contract; it has deposited 5."
            ),
        ),
    ],
)
def test_a_requirement_in_words(requirement: Requirement, answer: int | None, sentence: str) -> None:
    assert sentences.of_requirement(requirement, answer) == sentence


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        (
            sentences.of_first_contact(1),
            "The receiver takes 1 message from somebody new, until they answer or allow the sender.",
        ),
        (
            sentences.of_first_contact(0),
            "The receiver takes no messages from somebody new, unless allowed before.",
        ),
        (
            sentences.of_sender_quota(Allowance(10, 100)),
            "The receiver takes at most 10 messages and 100 KiB a day from one sender.",
        ),
        (
            sentences.of_total_quota(Allowance(kib_per_day=5)),
            "The receiver takes at most 5 KiB a day from everybody together.",
        ),
    ],
)
def test_what_is_counted_in_words(sentence: str, expected: str) -> None:
    assert sentence == expected
