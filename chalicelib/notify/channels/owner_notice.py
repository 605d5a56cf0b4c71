"""Tells an owner by e-mail what happened to a webhook of theirs, if there is an e-mail channel to tell by."""

from __future__ import annotations

from dataclasses import replace

from chalicelib.notify import texts
from chalicelib.notify.channel_list import instead
from chalicelib.notify.events import Channel
from chalicelib.notify.ports import Mailer, Refused
from chalicelib.notify.preference_book import PreferenceBook
from chalicelib.notify.preferences import WakeUpChannel


class OwnerNotice:
    """Writes to owners. `mailer` None: this relay sends no e-mail, and nobody is told."""

    def __init__(self, book: PreferenceBook, mailer: Mailer | None) -> None:
        self._book = book
        self._mailer = mailer

    def endpoint_paused(self, owner: bytes, endpoint_id: str) -> None:
        """Tell the owner that this webhook endpoint was paused. Raises Unavailable.

        Only an address that is on and verified is written to. One that the carrier refuses for good has to be
        proven again, as when mail is announced.
        """
        preferences = self._book.load(owner)
        if self._mailer is None or not preferences.enabled:
            return
        for channel in preferences.of(Channel.EMAIL):
            if channel.enabled and channel.verified:
                self._tell(self._mailer, owner, channel, endpoint_id)

    def _tell(self, mailer: Mailer, owner: bytes, channel: WakeUpChannel, endpoint_id: str) -> None:
        try:
            mailer.send(texts.paused_endpoint(channel.recipient, endpoint_id))
        except Refused:
            unproven = replace(channel, verified=False, code=None)
            self._book.update(owner, lambda standing: instead(standing, channel, unproven))
