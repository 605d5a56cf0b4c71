"""Reads the profile behind a record's link: `https:` with its hash, `ipfs:` through gateways.

Source: dm3 specification, "Registry" (profile links); IPFS "Trustless Gateway Specification". Neither a host
nor a gateway is trusted: what they send is the profile only if its hash is the one in the record. A content
that was verified once can never become wrong, so some are kept, and spare the next request and its failures.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Sequence
from hashlib import sha256
from threading import Lock
from typing import Final

from chalicelib.fetching.deadline import Clock, Deadline
from chalicelib.fetching.ports import Fetcher
from chalicelib.protocol.cid import parse_cid, verified_content
from chalicelib.protocol.errors import Dm3Error, InvalidProfile, SourceUnavailable, Unavailable
from chalicelib.protocol.json_types import JsonObject
from chalicelib.protocol.profile_uri import IpfsProfile, LinkedProfile, verify_linked

MAX_LINKED_PROFILE_BYTES: Final = 65_536
LINK_DEADLINE_S: Final = 3.0
CID_PARAMETER: Final = "{cid}"
IPFS_GATEWAYS: Final = (
    "https://trustless-gateway.link/ipfs/{cid}?format=raw",
    "https://ipfs.io/ipfs/{cid}?format=raw",
)
"""Public gateways that answer with the block itself. Who runs them, and their terms, may change."""

_KEPT: Final = 64
_SUCCESS: Final = 200


class LinkReader:
    """Implements `names.ports.ProfileLinks`. Safe for use by several threads.

    `ipfs_gateways` are URLs with `{cid}` in the place of the content's name, tried in this order; without
    any, `ipfs:` links are `Unavailable`. One link takes `deadline_s` seconds at most, whatever is tried.
    """

    def __init__(
        self,
        fetcher: Fetcher,
        *,
        ipfs_gateways: Sequence[str] = IPFS_GATEWAYS,
        deadline_s: float = LINK_DEADLINE_S,
        clock: Clock = time.monotonic,
    ) -> None:
        self._fetcher = fetcher
        self._gateways = tuple(ipfs_gateways)
        self._deadline_s = deadline_s
        self._clock = clock
        self._kept: OrderedDict[str, JsonObject] = OrderedDict()
        self._lock = Lock()

    def read(self, uri: LinkedProfile | IpfsProfile) -> JsonObject:
        """As `ProfileLinks.read`."""
        name = uri.cid if isinstance(uri, IpfsProfile) else uri.sha256
        with self._lock:
            kept = self._kept.get(name)
        if kept is not None:
            return kept
        deadline = Deadline(self._deadline_s, self._clock)
        if isinstance(uri, IpfsProfile):
            value = self._from_ipfs(uri, deadline)
        else:
            value = verify_linked(uri, self._hosted(uri.url, deadline))
        self._keep(name, value)
        return value

    def _from_ipfs(self, uri: IpfsProfile, deadline: Deadline) -> JsonObject:
        """What the first gateway has that answers with the content. None of them is believed otherwise."""
        for tried, template in enumerate(self._gateways):
            try:
                url = template.replace(CID_PARAMETER, uri.cid)
                share_s = deadline.share_s(len(self._gateways) - tried)
                body = self._fetch(url, "application/vnd.ipld.raw", share_s)
            except Dm3Error:
                continue
            if _is_content(uri, body):
                return verify_linked(uri, body)
        raise SourceUnavailable("No gateway has the content that the IPFS link names; try again.")

    def _hosted(self, url: str, deadline: Deadline) -> bytes:
        try:
            return self._fetch(url, "application/json", deadline.remaining_s())
        except Unavailable as error:
            raise SourceUnavailable(error.message) from None

    def _fetch(self, url: str, accept: str, deadline_s: float) -> bytes:
        answer = self._fetcher.fetch(
            url, headers={"accept": accept}, max_bytes=MAX_LINKED_PROFILE_BYTES, deadline_s=deadline_s
        )
        if answer.status != _SUCCESS:
            raise SourceUnavailable("The server that a link names does not have the profile just now.")
        return answer.body

    def _keep(self, name: str, value: JsonObject) -> None:
        with self._lock:
            self._kept[name] = value
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)


def _is_content(uri: IpfsProfile, body: bytes) -> bool:
    """Whether `body` is what `uri` names, of use or not; if not, the gateway lies."""
    cid = parse_cid(uri.cid)
    if sha256(body).digest() == cid.digest:
        return True
    try:
        verified_content(cid, body)
    except InvalidProfile:
        return False
    return True
