from __future__ import annotations

from chalicelib.protocol import errors
from chalicelib.protocol.errors import Dm3Error, LimitExceeded, Spam

CODES = {-32700, *range(-32603, -32599), *range(-32006, -31999), -32010, -32011}


def every_error() -> list[type[Dm3Error]]:
    return [
        value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Dm3Error)
    ]


def test_every_code_of_the_specification_has_an_error() -> None:
    assert {error.code for error in every_error()} == CODES


def test_every_error_has_one_sentence_and_a_status() -> None:
    for error in every_error():
        made = error(retry_after_s=3) if error is LimitExceeded else error()
        assert made.message
        assert "\n" not in made.message
        assert str(made) == made.message
        assert 400 <= made.status < 600


def test_what_a_program_may_use() -> None:
    assert LimitExceeded(retry_after_s=7).data == {"retryAfter": 7}
    assert Spam(data={"rule": "receiver"}).data == {"rule": "receiver"}
    assert Spam("Own words.").message == "Own words."
