"""E-mails on the laptop: kept, for whoever tries things out, and told on standard error with their code.

On a laptop that is the mailbox. A deployed relay keeps no e-mail and logs nothing of it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final, TextIO

SENDER: Final = "relay@dm3.local"
KEPT: Final = 1_000

_CODE = re.compile(r"\bcode\b\D{1,20}(\d{5,8})\b")


@dataclass(frozen=True, slots=True)
class SentMail:
    """An e-mail as it was handed to SES. `headers` are the ones that the relay itself sets."""

    to: tuple[str, ...]
    subject: str
    plain: str
    html: str
    headers: Mapping[str, str]

    @property
    def code(self) -> str | None:
        """The one-time code in it, if there is one."""
        found = _CODE.search(self.plain)
        return found and found[1]


class Mails:
    """Every e-mail that was sent, the newest `KEPT` of them. Thread-safe."""

    def __init__(self, told: TextIO | None = None) -> None:
        self._told = told or sys.stderr
        self._lock = Lock()
        self._sent: list[SentMail] = []

    def sent(self) -> tuple[SentMail, ...]:
        """The e-mails, the oldest first."""
        with self._lock:
            return tuple(self._sent)

    def watch(self, service: str, operation: str, asked: Mapping[str, Any]) -> None:
        """A call to AWS succeeded. Implements `infra.local.clients.Watch`."""
        simple = asked.get("Content", {}).get("Simple")
        if service != "sesv2" or operation != "send_email" or simple is None:
            return
        mail = SentMail(
            to=tuple(asked["Destination"]["ToAddresses"]),
            subject=simple["Subject"]["Data"],
            plain=simple["Body"].get("Text", {}).get("Data", ""),
            html=simple["Body"].get("Html", {}).get("Data", ""),
            headers={header["Name"]: header["Value"] for header in simple.get("Headers", ())},
        )
        with self._lock:
            self._sent = [*self._sent, mail][-KEPT:]
        code = "" if mail.code is None else f", code {mail.code}"
        self._told.write(f"e-mail to {', '.join(mail.to)}: {mail.subject}{code}\n")
        self._told.flush()
