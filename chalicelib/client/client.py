"""`Dm3Client`: everything a person does with dm3, in one place.

It ties the parts of this package together and decides nothing itself. Names, messages and times come in from
the caller; network, clock, randomness and waiting through ports, so that tests pin them.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from chalicelib.client.account import Accounts
from chalicelib.client.composer import Composer
from chalicelib.client.drafts import Draft, new
from chalicelib.client.ens import ens_directory, is_local
from chalicelib.client.http import HttpTransport
from chalicelib.client.identity import Identity
from chalicelib.client.live import Following, LiveFollowing, PolledFollowing
from chalicelib.client.live_conversation import LiveTiming
from chalicelib.client.live_events import LiveState
from chalicelib.client.live_link import Means
from chalicelib.client.live_socket import LiveDialer, WebSocketDialer
from chalicelib.client.mailbox import Mailbox
from chalicelib.client.notifications import NotificationBook
from chalicelib.client.opening import Opener
from chalicelib.client.outbox import Entry, FileOutbox, MemoryOutbox, Outbox
from chalicelib.client.own_inbox import OwnInbox
from chalicelib.client.own_rules import KeptRules, OwnRules, RuleBook
from chalicelib.client.patience import Patience
from chalicelib.client.sender import Sender
from chalicelib.client.services import Services
from chalicelib.client.session import Sessions
from chalicelib.client.transport import Transport
from chalicelib.client.values import (
    AccountStatus,
    Contact,
    InboxPage,
    Queued,
    Received,
    Refused,
    Sent,
    Unreached,
    Unreadable,
)
from chalicelib.client.webhooks import Webhooks
from chalicelib.client.welcome import Threshold, Welcome
from chalicelib.names.aliases import Aliases
from chalicelib.names.chain_holdings import ChainHoldings
from chalicelib.names.directory import Directory
from chalicelib.names.holdings import Holdings
from chalicelib.names.http_transport import HttpTransport as ChainOverHttp
from chalicelib.names.normalize import normalize
from chalicelib.names.remembered_holdings import RememberedHoldings
from chalicelib.names.universal_resolver import UNIVERSAL_RESOLVER
from chalicelib.protocol.entropy import Entropy
from chalicelib.protocol.envelope import Revision
from chalicelib.protocol.errors import NotFound
from chalicelib.protocol.json_types import JsonObject
from chalicelib.protocol.message import Attachment


def now_ms() -> int:
    """Milliseconds since the Unix epoch."""
    return time.time_ns() // 1_000_000


class SystemEntropy:
    """The operating system's source of randomness."""

    def token(self, size_bytes: int) -> bytes:
        """As `Entropy.token`."""
        return secrets.token_bytes(size_bytes)


@dataclass(frozen=True, slots=True)
class Settings:
    """How a client behaves.

    `revisions` says which hashes the envelopes it writes carry (WIRE, "Envelope"); it reads all of them.
    `patience` bounds how often and how long a delivery service is tried. `older` are identities that this one
    has replaced: mail of before opens with their keys. `timing` is that of live connections. `clock_ms` and
    `entropy` are for tests.
    """

    revisions: tuple[Revision, ...] = (Revision.ENCRYPTED_MESSAGE_HASH,)
    patience: Patience = field(default_factory=Patience)
    older: tuple[Identity, ...] = ()
    timing: LiveTiming = field(default_factory=LiveTiming)
    clock_ms: Callable[[], int] = now_ms
    entropy: Entropy = field(default_factory=SystemEntropy)


class Dm3Client:
    """Sends and receives in the name of one `identity`. Not to be shared by threads.

    `holdings` tells what the identity's address holds on the chain, which receivers' rules may ask for;
    without it that is left to the delivery services. `live` opens the live connections that `follow` holds;
    without it `follow` polls. `notifications` is how one is told of new mail, and `webhooks` are the servers
    that one's delivery services tell of it.

    Every method may raise Unavailable when ENS or a delivery service does not answer, and LimitExceeded when
    one asks for more patience than `settings` allow; every error is a Dm3Error.
    """

    def __init__(
        self,
        identity: Identity,
        directory: Directory,
        transport: Transport,
        *,
        outbox: Outbox | None = None,
        holdings: Holdings | None = None,
        live: LiveDialer | None = None,
        settings: Settings | None = None,
    ) -> None:
        settings = settings or Settings()
        self.identity = identity
        self.outbox: Outbox = MemoryOutbox() if outbox is None else outbox
        self._settings = settings
        self._directory = directory
        services = self._services = Services(directory, transport, settings.patience, settings.clock_ms)
        sessions = self._sessions = Sessions(identity)
        self._own = OwnInbox(identity.name, sessions)
        self._live = live
        self._composer = Composer(
            identity, revisions=settings.revisions, clock_ms=settings.clock_ms, entropy=settings.entropy
        )
        threshold = Threshold(identity.address, holdings)
        self._sender = Sender(self._composer, directory, services, self.outbox, threshold)
        opener = Opener(identity, directory, services, settings.older)
        self._mailbox = Mailbox(identity, services, self._own, opener)
        self._accounts = Accounts(identity, services, sessions)
        self._rule_book = RuleBook(identity, services, sessions)
        self.webhooks = Webhooks(identity, services, sessions)
        self.notifications = NotificationBook(identity, services, sessions)

    @classmethod
    def connect(
        cls,
        identity: Identity,
        rpc_url: str,
        *,
        outbox_folder: Path | None = None,
        universal_resolver: str = UNIVERSAL_RESOLVER,
        aliases: Mapping[str, str] | None = None,
        settings: Settings | None = None,
    ) -> Self:
        """A client that reads ENS from the Ethereum node at `rpc_url` and speaks HTTPS.

        With a node on this machine (`dm3 local`), delivery services may be called without encryption, too,
        and names may keep their records and profiles on this machine.
        `outbox_folder` keeps unsent messages, encrypted, until another run; without it they are kept in
        memory. `aliases` are top-level aliases such as `{".gno": ".gnosis.eth"}`; ValueError if they cannot
        be used.
        """
        settings = settings or Settings()
        node, local = ChainOverHttp(rpc_url), is_local(rpc_url)
        directory = ens_directory(
            node,
            local=local,
            clock_ms=settings.clock_ms,
            universal_resolver=universal_resolver,
            aliases=Aliases(aliases),
        )
        holdings = RememberedHoldings(ChainHoldings(node), settings.clock_ms)
        transport = HttpTransport(allow_http=local)
        outbox = None
        if outbox_folder is not None:
            outbox = FileOutbox(outbox_folder, identity, settings.entropy)
        live = WebSocketDialer(allow_ws=local)
        return cls(
            identity, directory, transport, outbox=outbox, holdings=holdings, live=live, settings=settings
        )

    def resolve(self, name: str) -> Contact:
        """Who `name` is. Raises InvalidName, and NotFound if it has no profile."""
        found = self._directory.lookup(normalize(name))
        if found.profile is None:
            raise NotFound("The name has no profile at ENS.")
        return Contact(found.name, found.address, found.profile, proven=found.signed is not None)

    def welcome(self, to: str) -> Welcome:
        """What the name `to` asks of those who write, and whether this sender meets it.

        `send` looks at it by itself; this is for showing it. Raises InvalidName, and NotFound if nobody takes
        mail for the name.
        """
        return self._sender.welcome(normalize(to))

    def send(
        self,
        to: str,
        what: str | Draft,
        attachments: Sequence[Attachment] = (),
        *,
        anyway: bool = False,
    ) -> Sent | Queued:
        """Send a text, or a draft (`reply`, `reaction`, …), to the name `to`.

        The receiver's delivery services are tried in the order of the profile. `Sent` has the receipt,
        verified; `Queued` says that the message waits in the outbox for `flush`, because the receiver has no
        profile or account yet, the receiver's quota for today is used up, or nobody answers. Raises what no
        later try would cure: InvalidName, InvalidMessage (a type or encryption the receiver does not
        support), TooBig, Spam (`data` has the rule), Unauthorized (the sender is not who the envelope says,
        for want of a published profile), InvalidSignature (a receipt that is not genuine). After an error
        nothing is kept.

        Rules that the sender's address does not meet are told before anything is sealed or submitted
        (Unwelcome, a kind of Spam), unless the chain does not answer. A receiver may have allowed this sender
        all the same, which nobody but their delivery service knows: with `anyway` it decides.
        """
        draft = what if isinstance(what, Draft) else new(what)
        if attachments:
            draft = replace(draft, attachments=(*draft.attachments, *attachments))
        return self._sender.send(replace(self._composer.compose(normalize(to), draft), anyway=anyway))

    def flush(self) -> tuple[Sent | Queued | Refused, ...]:
        """Try to send what the outbox keeps; what became of each message, the oldest first.

        An envelope that was submitted before is submitted again byte for byte, so nothing arrives twice from
        one delivery service.
        """
        return self._sender.flush()

    def unsent(self) -> tuple[Entry, ...]:
        """What the outbox keeps, the oldest first."""
        return self.outbox.entries()

    def fetch(
        self, cursor: str | None = None, *, limit: int | None = None, follow: bool = False
    ) -> InboxPage:
        """One page of the inbox after `cursor`, the oldest first; reading deletes nothing.

        `limit` is the most messages from each of one's delivery services. `follow` restarts 60 s early at
        the end of the inbox, for readers that poll with a cursor: they see a message twice rather than miss
        it. A service that does not answer hides only its own mail (`InboxPage.unreached`). If none answers it
        raises NotFound without an account (see `register`), InvalidParams for a foreign cursor.
        """
        return self._mailbox.page(cursor, limit=limit, follow=follow)

    def inbox(self, cursor: str | None = None, *, page_size: int | None = None) -> Iterator[Received]:
        """Every message that waits, fetched page by page as it is asked for. Doubles are left out."""
        return self._mailbox.every(cursor, limit=page_size)

    def follow(
        self,
        cursor: str | None = None,
        *,
        poll_s: float = 5.0,
        poll: bool = False,
        acknowledge: bool = False,
        tell: Callable[[LiveState], None] | None = None,
    ) -> Following:
        """Every message that waits, and then each that comes in, once. Outages are waited out.

        It never ends, unless `stop` is called on what is returned, by any thread. Delivery services that have
        live connections tell at once of what comes in; the others, or all with `poll`, are asked every
        `poll_s` seconds. `tell` gets how each stands when that changes. With `acknowledge`, a message is
        deleted when the next one is asked for, and not if the loop is left before.

        A live connection has threads of its own, which wait for the network only; the client still is for
        one thread.
        """
        sleep = self._settings.patience.sleep
        if poll or self._live is None:
            return PolledFollowing(
                self._mailbox, cursor, poll_s=poll_s, sleep=sleep, acknowledging=acknowledge
            )
        means = Means(
            name=self.identity.name,
            services=self._services,
            sessions=self._sessions,
            own=self._own,
            dialer=self._live,
            chance=self._settings.entropy,
            patience=self._settings.patience,
            timing=self._settings.timing,
            poll_s=poll_s,
        )
        return LiveFollowing(
            self._mailbox,
            self.identity.delivery_services,
            cursor,
            means,
            acknowledging=acknowledge,
            tell=tell,
        )

    def acknowledge(self, messages: Iterable[str | Received | Unreadable]) -> int:
        """Delete messages, for all devices of the account; by `Received`, or by its `id`.

        Doubles that were left out go with them. Returns how many items were named to the delivery services;
        those already gone count, too. Raises what a service answers that did not do it, after all of them
        were asked; doing it again is safe.
        """
        return self._mailbox.acknowledge(messages)

    def register(self) -> tuple[str, ...]:
        """Open an account at each delivery service of the profile, or renew it; the names of those that did.

        A service that does not keeps no other from it, and is missing in the answer; the error is raised if
        none did.

        The name must resolve to the identity's address. Publishing the profile at ENS is another matter: it
        takes a transaction (`dm3 profile publish`, or any ENS tool with `Identity.profile_record`).
        """
        return self._accounts.register()

    def rules(self) -> KeptRules:
        """From whom one accepts mail, as each delivery service of the profile keeps it.

        For this and the next three: a service that does not answer is in `unreached`; the error is raised if
        none did.
        """
        return self._rule_book.read()

    def set_rules(self, rules: OwnRules) -> KeptRules:
        """Put `rules` in the place of what each delivery service keeps. Raises InvalidInput."""
        return self._rule_book.replace(rules)

    def change_rules(self, change: Callable[[OwnRules], OwnRules]) -> KeptRules:
        """Read, `change` and put back the rules at each delivery service.

        What another device changes at the same moment is lost. Raises InvalidInput, and what `change` does.
        """
        return self._rule_book.write(change)

    def edit_lists(
        self, *, allow: Iterable[str] = (), block: Iterable[str] = (), remove: Iterable[str] = ()
    ) -> KeptRules:
        """Put names, addresses (`0x…`) or subtrees (`*.name`) on a list, or take them off both.

        What is put on one list leaves the other. Raises InvalidInput.
        """
        return self._rule_book.edit_lists(tuple(allow), tuple(block), tuple(remove))

    def clear_rules(self) -> tuple[Unreached, ...]:
        """Accept everybody again, lists included; at which services it failed.

        The error is raised if it failed at all of them.
        """
        return self._rule_book.clear()

    def account(self) -> tuple[AccountStatus | Unreached, ...]:
        """How the account stands at each delivery service of the profile, as the service says.

        Those that gave no answer come last, with the reason. The error is raised if none did.
        """
        return self._accounts.status()

    def sign_out_everywhere(self) -> tuple[Unreached, ...]:
        """Revoke every session of the account, also those of other devices; at which services it failed.

        The error is raised if it failed at all of them.
        """
        return self._accounts.sign_out_everywhere()

    def delete_account(self) -> tuple[Unreached, ...]:
        """Delete account, profile and mail at each delivery service, at once and for good.

        Returns at which services it failed: there, account and mail are still. The error is raised if it
        failed at all of them.
        """
        return self._accounts.delete()

    def export(self) -> tuple[JsonObject, ...]:
        """Everything that each delivery service stores for the account; messages are still encrypted.

        For a service that gave nothing, `error` and `code` stand beside its `deliveryService`. The error is
        raised if none did.
        """
        return self._accounts.export()
