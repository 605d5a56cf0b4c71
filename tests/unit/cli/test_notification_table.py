from __future__ import annotations

import pytest

from chalicelib.cli.notification_table import notification_lines
from chalicelib.client.notifications import Channel, Notifications


@pytest.mark.parametrize(
    ("recipient", "shown"),
    [
        ('{"endpoint": "https://push.example/secret"}', "a browser at push.example"),
        ('{"endpoint": "https://[push.example/secret"}', "a browser"),
        ('{"endpoint": 5}', "a browser"),
        ("[]", "a browser"),
        ("secret", "a browser"),
    ],
)
def test_a_subscription_is_shown_by_its_push_service(recipient: str, shown: str) -> None:
    channel = Channel("PUSH", recipient, enabled=True, verified=True)
    (line,) = notification_lines(Notifications(enabled=True, channels=(channel,), settings=None))
    assert line == f"PUSH           {shown}  (on)"
