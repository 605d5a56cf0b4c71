"""The error tree: every code a dm3 delivery service answers with, and what a caller can do about it.

Sources: JSON-RPC 2.0 section 5.1 and the dm3 message transport specification ("API of the delivery
service", errors), whose codes -32000 to -32011 are those of EIP-1474 with two of its own.

    Dm3Error
    ├── ParseError            -32700  not JSON
    ├── InvalidRequest        -32600  JSON, but no request
    ├── MethodNotFound        -32601
    ├── InvalidParams         -32602  wrong count, type or member of the parameters
    ├── InternalError         -32603
    ├── InvalidInput          -32000  the envelope, profile or name itself is wrong
    │   ├── InvalidName                 cannot be normalised by ENSIP-15
    │   ├── InvalidEncoding             base64, hex, key or nonce of the wrong form
    │   ├── InvalidProfile              profile, profile link or profile URI
    │   ├── InvalidMessage
    │   ├── InvalidEnvelope
    │   ├── UnsafeLink                  a URL that must not be followed
    │   └── Undecryptable               not sealed for this key, or altered
    ├── NotFound              -32001
    │   └── UnknownReceiver             has no account at this delivery service
    │       └── ReceiverMoved           has one, but ENS does not list the service any more
    ├── Unavailable           -32002  try again: a store or a chain did not answer
    │   └── SourceUnavailable           a server that the owner of a name chose did not answer
    ├── Unauthorized          -32003
    │   ├── UnverifiedSender            the envelope's signature is not the sender's
    │   ├── InvalidSignature
    │   ├── SignInRequired              signing in cures it (HTTP 401)
    │   └── Forbidden                   signing in does not (HTTP 403)
    ├── MethodNotSupported    -32004
    ├── LimitExceeded         -32005  try again after `retry_after_s`
    ├── VersionNotSupported   -32006
    ├── Spam                  -32010  the receiver's rules refuse the sender
    └── TooBig                -32011

A message is one sentence for the person who reads it. It never repeats a name, an address, a token or
ciphertext.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class Dm3Error(Exception):
    """Base of all errors this project raises on purpose.

    `message` is one sentence for a person, `data` what a program may use (the `data` member of a JSON-RPC
    error). `code` is the JSON-RPC code, `status` the fitting HTTP status, `retry` whether the same request
    may succeed later.
    """

    code: ClassVar[int] = -32603
    status: ClassVar[int] = 500
    retry: ClassVar[bool] = False
    summary: ClassVar[str] = "Something went wrong inside the relay."

    def __init__(self, message: str | None = None, *, data: Mapping[str, object] | None = None) -> None:
        self.message = message or self.summary
        self.data: dict[str, object] = dict(data or {})
        super().__init__(self.message)


class ParseError(Dm3Error):
    """The text is not JSON."""

    code, status, summary = -32700, 400, "The request is not valid JSON."


class InvalidRequest(Dm3Error):
    """The JSON is not a JSON-RPC 2.0 request."""

    code, status, summary = -32600, 400, "The request is not a valid JSON-RPC 2.0 request."


class MethodNotFound(Dm3Error):
    """There is no such method."""

    code, status, summary = -32601, 404, "There is no such method."


class InvalidParams(Dm3Error):
    """The parameters do not fit the method."""

    code, status, summary = -32602, 400, "The parameters do not fit the method."


class InternalError(Dm3Error):
    """A defect of the relay; the log of the operator tells more."""


class InvalidInput(Dm3Error):
    """What was sent has the right shape, but cannot be used."""

    code, status, summary = -32000, 400, "The input is invalid."


class InvalidName(InvalidInput):
    """A name that ENSIP-15 cannot normalise."""

    summary = "The name is not a valid ENS name."


class InvalidEncoding(InvalidInput):
    """Base64, hex, a key or a nonce of the wrong form or length."""

    summary = "A value is not encoded as it should be."


class InvalidProfile(InvalidInput):
    """A profile, profile link or profile URI that cannot be used."""

    summary = "The profile is invalid."


class InvalidMessage(InvalidInput):
    """A message that does not fit the specification."""

    summary = "The message is invalid."


class InvalidEnvelope(InvalidInput):
    """An envelope that does not fit the specification."""

    summary = "The envelope is invalid."


class UnsafeLink(InvalidInput):
    """A URL that must not be followed, because of its form or of where it leads."""

    summary = "The link is one that must not be followed."


class Undecryptable(InvalidInput):
    """A sealed value that is altered or was sealed for another key."""

    summary = "The sealed value cannot be opened with this key."


class NotFound(Dm3Error):
    """What was asked for does not exist."""

    code, status, summary = -32001, 404, "Not found."


class UnknownReceiver(NotFound):
    """The receiver has no account at this delivery service."""

    summary = "The receiver has no account at this delivery service."


class ReceiverMoved(UnknownReceiver):
    """The receiver's profile at ENS does not list this delivery service any more."""

    summary = "The receiver does not use this delivery service any more."


class Unavailable(Dm3Error):
    """Something the relay depends on did not answer; nothing was accepted.

    `retry_after_s` says when to try again: outages of stores and chains are short or long, never scheduled.
    """

    code, status, retry, summary = -32002, 503, True, "The service cannot answer just now; try again."
    retry_after_s: ClassVar[int] = 5


class SourceUnavailable(Unavailable):
    """A server did not answer that the owner of a name chose: a gateway of the name, or a profile's host."""

    summary = "A server that keeps what belongs to the name does not answer; try again."


class Unauthorized(Dm3Error):
    """The caller may not do this."""

    code, status, summary = -32003, 403, "Not allowed."


class UnverifiedSender(Unauthorized):
    """The signature of the envelope is not by the sender it names."""

    summary = "The envelope is not signed by the sender it names."


class InvalidSignature(Unauthorized):
    """A signature that does not verify."""

    summary = "Signature invalid"


class SignInRequired(Unauthorized):
    """No token, or one that has expired or was revoked: signing in again cures it."""

    status, summary = 401, "Sign in first."


class Forbidden(Unauthorized):
    """A genuine token, but not for this: signing in again does not help."""

    summary = "This token does not allow that."


class MethodNotSupported(Dm3Error):
    """The method exists in the specification, but this service does not offer it."""

    code, status, summary = -32004, 405, "The method is not supported."


class LimitExceeded(Dm3Error):
    """A quota is used up. `retry_after_s` says when to try again."""

    code, status, retry, summary = -32005, 429, True, "Too many requests; try again later."

    def __init__(self, message: str | None = None, *, retry_after_s: int) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(message, data={"retryAfter": retry_after_s})


class VersionNotSupported(Dm3Error):
    """The version of JSON-RPC, or of the envelope, is not supported."""

    code, status, summary = -32006, 400, "The version is not supported."


class Spam(Dm3Error):
    """The receiver's rules refuse the sender. `data` names the public rule, or just "receiver"."""

    code, status, summary = -32010, 403, "The receiver does not accept this message."


class TooBig(Dm3Error):
    """The body is larger than the advertised `sizeLimit`."""

    code, status, summary = -32011, 413, "The message is larger than the size limit."
