from __future__ import annotations

import pytest

from chalicelib.notify import refusals
from chalicelib.notify.events import Channel


@pytest.mark.parametrize("channel", [Channel.EMAIL, Channel.PUSH, Channel.SMS])
def test_refusals_name_the_channel_as_the_reference_does(channel: Channel) -> None:
    name = str(channel).upper()
    assert refusals.api_type(channel) == name
    assert refusals.recipient_invalid(channel).message == f"Invalid {channel} value"
    assert refusals.not_configured(channel).message == f"{name} notification channel is not configured"
    assert refusals.not_enabled(channel).message == f"{name} notification channel is not enabled"
    assert refusals.already_verified(channel).message == f"{name} notification channel is already verified"
    said = f"Notification channel {name} is currently not supported by the DS"
    assert refusals.not_offered(channel).message == said
