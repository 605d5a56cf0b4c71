"""The receiver that docs/webhooks.md teaches, word for word, behind a real server."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from chalicelib.notify.webhooks.tries import DELAYS_S
from tests.unit.notify.webhooks.receiver import Heard, Reply, in_the_time_of, receiving
from tests.unit.notify.webhooks.street import Street

TEXT = (Path(__file__).resolve().parents[4] / "docs" / "webhooks.md").read_text()


def test_the_receiver_of_the_documentation(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    street = Street()
    in_the_time_of(street.clock, monkeypatch)
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    taught: dict[str, Any] = {}
    exec(compile(code, "docs/webhooks.md", "exec"), taught)  # noqa: S102 - it is our own
    taught["SECRET"] = "whsec_AAAA"

    def answer(heard: Heard) -> Reply:
        status, text = taught["receive"](heard.headers, heard.body.encode())
        return Reply(status, {}, text.encode())

    with receiving(street.clock, answer) as receiver:
        added: Any = street.desk.add(street.account, {"url": receiver.url})
        assert (added["state"], added["challenge"]["status"]) == ("unverified", 401)
        taught["SECRET"] = added["secret"]
        assert street.desk.verify(street.account, added["id"])["state"] == "active"
        event = street.event()
        street.receive(event)
        street.run()
        (entry,) = street.log(added["id"])
        street.desk.replay(street.account, added["id"], {"delivery": entry["id"]})
        street.run()
        assert len(receiver.events()) == 2
    assert capsys.readouterr().out.count("There is mail:") == 1
    assert taught["seen"] == {entry["id"]}


def test_the_schedule_is_the_documented_one() -> None:
    hours = (2, 5, 10, 14, 20, 24)
    assert [0, 5, 300, 1_800, *(each * 3_600 for each in hours)] == list(DELAYS_S)
    assert "5 seconds later, then 5 minutes, 30 minutes, 2, 5, 10, 14, 20 and 24 hours" in " ".join(
        TEXT.split()
    )
