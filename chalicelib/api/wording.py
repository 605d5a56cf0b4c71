"""How the REST routes word an error: the reference's routes as the reference does, ours with the code."""

from __future__ import annotations

from chalicelib.api.answers import Answer, json_answer, refusal, retry_headers, text_answer, told_data
from chalicelib.protocol.errors import Dm3Error, InvalidSignature, NotFound, SignInRequired


def reference(error: Dm3Error) -> Answer:
    """401 and 404 as text, everything else as `{"error": sentence}`."""
    if isinstance(error, SignInRequired):
        return text_answer("Unauthorized", 401, error.code)
    if isinstance(error, NotFound):
        return text_answer("Not Found", 404, error.code)
    return refusal(error)


def sign_in(error: Dm3Error) -> Answer:
    """Every reason not to get a token is a 400, but for 403 where trying again is useless (and 429, 503)."""
    if isinstance(error, InvalidSignature | NotFound):
        return json_answer({"error": error.message}, 400, code=error.code)
    return refusal(error)


def profile(error: Dm3Error) -> Answer:
    """A profile that was not stored: 400 with `message`, as the reference."""
    if isinstance(error, NotFound):
        return json_answer({"message": error.message}, 400, code=error.code)
    if isinstance(error, InvalidSignature):
        return json_answer(
            {"message": "Couldn't store profile", "error": error.message}, 400, code=error.code
        )
    return refusal(error)


def own(error: Dm3Error) -> Answer:
    """The form of our own routes: the sentence, the code of the error tree, and its data."""
    body = {"error": error.message, "code": error.code, **told_data(error)}
    return json_answer(body, error.status, retry_headers(error), error.code)  # type: ignore[arg-type]
