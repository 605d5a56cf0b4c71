from __future__ import annotations

import pytest

from chalicelib.notify.channels.sms import SmsCarrier
from chalicelib.notify.events import Channel
from chalicelib.notify.ports import Refused
from chalicelib.notify.preferences import WakeUpChannel
from chalicelib.protocol.errors import Unavailable
from tests.unit.notify.carriers import MemoryTexter
from tests.unit.notify.desk_world import BOB, NUMBER

CHANNEL = WakeUpChannel(Channel.SMS, NUMBER, verified=True)


def test_a_text_goes_to_the_number() -> None:
    texter = MemoryTexter()
    SmsCarrier(texter).wake(BOB.inbox, CHANNEL)
    ((number, text),) = texter.sent
    assert number == NUMBER
    assert len(text) <= 160


@pytest.mark.parametrize("failure", [Refused(), Unavailable()])
def test_what_the_texter_says_is_passed_on(failure: Exception) -> None:
    with pytest.raises(type(failure)):
        SmsCarrier(MemoryTexter(failure=failure)).wake(BOB.inbox, CHANNEL)
