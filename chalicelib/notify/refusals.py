"""What a person's channels are refused with, to the letter of the reference: its web client shows them.

Source: dm3-org/dm3, `packages/lib/delivery/src/Notification.ts` and
`packages/delivery-service/src/validation/notification`. `{type}` is EMAIL, PUSH or SMS.
"""

from __future__ import annotations

from typing import Final

from chalicelib.notify.events import Channel
from chalicelib.protocol.errors import InvalidInput

INVALID_VALUE: Final = "Invalid value"
GLOBAL_OFF: Final = "Global notifications is off"
TYPE_MISSING: Final = "Notification Channel Type is missing"
TYPE_INVALID: Final = "Invalid notification channel type"
RECIPIENT_MISSING: Final = "Recipient value is missing"
SWITCH_MISSING: Final = "isEnabled value is missing"
SWITCH_INVALID: Final = "isEnabled must have boolean value"
CODE_MISSING: Final = "OTP is missing"
CODE_INVALID: Final = "Invalid OTP"
CODE_EXPIRED: Final = "OTP is expired"
CODE_NOT_FOUND: Final = "Otp not found, please resend the OTP for verification"
TOO_SOON: Final = "New OTP can be generated after 1 minutes of last OTP generated"


def api_type(channel: Channel) -> str:
    """How the API writes a channel: EMAIL, PUSH, SMS."""
    return channel.value.upper()


def recipient_invalid(channel: Channel) -> InvalidInput:
    """The recipient is no e-mail address, no subscription, no number."""
    return InvalidInput(f"Invalid {channel.value} value")


def not_offered(channel: Channel) -> InvalidInput:
    """This relay has no carrier for the channel."""
    return InvalidInput(f"Notification channel {api_type(channel)} is currently not supported by the DS")


def not_configured(channel: Channel) -> InvalidInput:
    """The account has no such channel."""
    return InvalidInput(f"{api_type(channel)} notification channel is not configured")


def not_enabled(channel: Channel) -> InvalidInput:
    """The channel is turned off, so no code is sent to it or taken for it."""
    return InvalidInput(f"{api_type(channel)} notification channel is not enabled")


def already_verified(channel: Channel) -> InvalidInput:
    """No code is needed."""
    return InvalidInput(f"{api_type(channel)} notification channel is already verified")
