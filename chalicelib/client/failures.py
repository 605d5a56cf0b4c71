"""From a delivery service's refusal back to the error tree, and what a sender does about each error.

What a service writes is untrusted: of its sentence only printable characters are kept, and not many.

    FINAL   no other delivery service will take it either: tell the caller
    NEXT    this delivery service does not take it: try the receiver's next one
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from chalicelib.client.transport import Response
from chalicelib.protocol.canonical import parse_json
from chalicelib.protocol.errors import (
    Dm3Error,
    Forbidden,
    InternalError,
    InvalidInput,
    InvalidParams,
    InvalidRequest,
    LimitExceeded,
    MethodNotFound,
    MethodNotSupported,
    NotFound,
    ParseError,
    SignInRequired,
    Spam,
    TooBig,
    Unauthorized,
    Unavailable,
    VersionNotSupported,
)
from chalicelib.protocol.json_types import JsonValue

_SENTENCE_CHARS = 200
_DEFAULT_WAIT_S = 5
_MAX_WAIT_S = 86_400
# What a refusal tells of the rule that refused.
_RULE_TEXTS = ("rule", "required", "address", "standard", "id")
_MAX_COUNT = 2**53

_BY_CODE: Mapping[int, type[Dm3Error]] = {
    error.code: error
    for error in (
        ParseError,
        InvalidRequest,
        MethodNotFound,
        InvalidParams,
        InternalError,
        InvalidInput,
        NotFound,
        Unavailable,
        Unauthorized,
        MethodNotSupported,
        LimitExceeded,
        VersionNotSupported,
        Spam,
        TooBig,
    )
}

_BY_STATUS: Mapping[int, type[Dm3Error]] = {
    400: InvalidInput,
    401: SignInRequired,
    403: Forbidden,
    404: NotFound,
    405: MethodNotSupported,
    413: TooBig,
    429: LimitExceeded,
}


def from_rpc(error: JsonValue, response: Response) -> Dm3Error:
    """The error that the `error` member of a JSON-RPC answer stands for (JSON-RPC 2.0 section 5.1)."""
    members = error if isinstance(error, dict) else {}
    code, data = members.get("code"), members.get("data")
    kind = _BY_CODE.get(code) if isinstance(code, int) else None
    if kind is None:
        kind = _of_status(response.status)
    return _made(kind, members.get("message"), data if isinstance(data, dict) else {}, response)


def from_http(response: Response) -> Dm3Error:
    """The error that a REST answer with a status of 400 or above stands for."""
    try:
        body = parse_json(response.body)
    except ParseError:
        body = None
    members = body if isinstance(body, dict) else {}
    code = members.get("code")
    kind = _BY_CODE.get(code) if isinstance(code, int) else None
    if kind is None or kind is Unauthorized:
        # The statuses 401 and 403 tell apart what this one code covers.
        kind = _of_status(response.status)
    sentence = members.get("error", members.get("message"))
    return _made(kind, sentence, members, response)


def wait_s(error: Dm3Error) -> float | None:
    """How many seconds the service asks to wait before the next try, if it says."""
    asked = error.data.get("retryAfter")
    return float(asked) if isinstance(asked, int) else None


def is_final(error: Dm3Error) -> bool:
    """Whether no other delivery service of the receiver would take the message either.

    The receiver's rules and the sender's identity are the same everywhere; size limits, accounts, outages
    and misunderstandings are a service's own.
    """
    return isinstance(error, Spam | Unauthorized)


def may_pass(error: Dm3Error) -> bool:
    """Whether sending the same message later may succeed, so that it is worth keeping.

    A receiver who is not found (no profile, or no account at a service of theirs) may yet arrive, and a
    defect of a service may yet be mended. A receiver's quota is used up for a while, which the refusal tells;
    no other rule passes by itself.
    """
    if isinstance(error, Spam):
        return "retryAfter" in error.data
    return error.retry or isinstance(error, NotFound | InternalError)


def _of_status(status: int) -> type[Dm3Error]:
    return _BY_STATUS.get(status, Unavailable if status >= 500 else InvalidInput)


def _made(
    kind: type[Dm3Error], sentence: JsonValue, data: Mapping[str, JsonValue], response: Response
) -> Dm3Error:
    message = _printable(sentence)
    retry_after_s = _retry_after_s(data.get("retryAfter"), response)
    if kind is LimitExceeded:
        return LimitExceeded(
            message, retry_after_s=_DEFAULT_WAIT_S if retry_after_s is None else retry_after_s
        )
    if kind is Unauthorized and response.status == SignInRequired.status:
        kind = SignInRequired
    if kind is Spam:
        return Spam(message, data=_rule(data, retry_after_s))
    if kind.retry and retry_after_s is not None:
        return kind(message, data={"retryAfter": retry_after_s})
    return kind(message)


def _rule(data: Mapping[str, JsonValue], retry_after_s: int | None) -> dict[str, object]:
    """What may be shown of the rule that refused: texts, and how many messages or seconds."""
    rule: dict[str, object] = {name: text for name in _RULE_TEXTS if (text := _printable(data.get(name)))}
    messages = data.get("messages")
    if isinstance(messages, int) and not isinstance(messages, bool) and 0 <= messages < _MAX_COUNT:
        rule["messages"] = messages
    if retry_after_s is not None:
        rule["retryAfter"] = retry_after_s
    return rule


def _retry_after_s(given: JsonValue, response: Response) -> int | None:
    """`data.retryAfter`, else the `Retry-After` header: seconds or a date (RFC 9110 section 10.2.3)."""
    header = response.headers.get("retry-after", "")
    if isinstance(given, int) and not isinstance(given, bool):
        seconds = given
    elif isinstance(given, float) and math.isfinite(given):
        seconds = math.ceil(given)
    elif header.isascii() and header.isdigit() and len(header) < 10:
        seconds = int(header)
    elif (moment := _http_date(header)) is not None:
        # By the clock of the service, if it tells the time: only the difference counts.
        now = _http_date(response.headers.get("date", "")) or datetime.now(UTC)
        seconds = math.ceil((moment - now).total_seconds())
    else:
        return None
    return min(max(seconds, 0), _MAX_WAIT_S)


def _http_date(text: str) -> datetime | None:
    """A date as HTTP headers carry it (RFC 9110 section 5.6.7), if `text` is one."""
    try:
        moment = parsedate_to_datetime(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _printable(sentence: JsonValue) -> str | None:
    """What of a service's sentence may be shown on a terminal."""
    if not isinstance(sentence, str):
        return None
    return "".join(char for char in sentence[:_SENTENCE_CHARS] if char.isprintable()) or None
