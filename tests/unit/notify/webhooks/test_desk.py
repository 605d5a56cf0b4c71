"""Webhooks as their owner manages them, against real servers on loopback."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey
from standardwebhooks import webhooks as published

from chalicelib.fetching.failures import FetchFailed, FetchReason
from chalicelib.fetching.guarded_fetcher import GuardedFetcher
from chalicelib.fetching.ports import Answer
from chalicelib.notify.preferences import EndpointState
from chalicelib.protocol.errors import (
    Forbidden,
    InvalidInput,
    InvalidParams,
    LimitExceeded,
    NotFound,
    Unavailable,
    UnsafeLink,
)
from chalicelib.store.memory import Moment
from tests.unit.notify.webhooks.receiver import (
    Heard,
    Receiver,
    Reply,
    echo,
    in_the_time_of,
    one_after_the_other,
    receiving,
)
from tests.unit.notify.webhooks.street import Street


@pytest.fixture
def street(monkeypatch: pytest.MonkeyPatch) -> Street:
    street = Street()
    in_the_time_of(street.clock, monkeypatch)
    return street


@pytest.fixture
def receiver(street: Street) -> Iterator[Receiver]:
    with receiving(street.clock) as receiver:
        yield receiver


def stands(street: Street, endpoint_id: str) -> dict[str, Any]:
    (found,) = (one for one in street.desk.list(street.account) if one["id"] == endpoint_id)
    return dict(found)


class TestAdding:
    def test_one_that_echoes_is_active(self, street: Street, receiver: Receiver) -> None:
        added = street.desk.add(street.account, {"url": receiver.url})
        assert added["state"] == "active"
        assert str(added["secret"]).startswith("whsec_")
        (heard,) = receiver.heard
        told = heard.verified_by(str(added["secret"]))
        assert set(told) == {"type", "timestamp", "challenge"}
        assert told["type"] == "webhook.challenge"
        listed = stands(street, str(added["id"]))
        assert "secret" not in listed
        assert listed == {name: added[name] for name in listed}

    @pytest.mark.parametrize(
        "behaviour",
        [
            lambda heard: Reply(200, {}, heard.body.encode()),
            lambda heard: Reply(200, {}, b"yes"),
            lambda heard: Reply(500, {}, heard.json["challenge"].encode()),
            lambda heard: Reply(302, {"location": "/"}, heard.json["challenge"].encode()),
            lambda heard: Reply(200, {}, heard.json["challenge"].encode() + b"x" * 2_000),
        ],
        ids=["repeats everything", "says something else", "500", "redirects", "too long"],
    )
    def test_one_that_does_not_is_unverified_and_receives_nothing(
        self,
        street: Street,
        behaviour: Any,  # noqa: ANN401 - any behaviour
    ) -> None:
        with receiving(street.clock, behaviour) as receiver:
            added = street.desk.add(street.account, {"url": receiver.url})
            assert added["state"] == "unverified"
            street.receive()
            street.run()
            assert receiver.events() == []
            with pytest.raises(InvalidInput, match="verified"):
                street.desk.test(street.account, str(added["id"]))
            with pytest.raises(InvalidInput, match="receives nothing"):
                street.desk.pause(street.account, str(added["id"]))
            with pytest.raises(InvalidInput, match="challenge") as refused:
                street.desk.verify(street.account, str(added["id"]))
            assert set(refused.value.data) == {"try", "at", "latency", "status", "reason"}
            receiver.behaviour = echo
            assert street.desk.verify(street.account, str(added["id"]))["state"] == "active"

    @pytest.mark.parametrize(
        "body", ["{0}", " {0}\n", '"{0}"', '{{"challenge":"{0}"}}', '{{ "challenge" : "{0}" }}\n']
    )
    def test_the_challenge_may_be_echoed_in_several_ways(self, street: Street, body: str) -> None:
        def answer(heard: Heard) -> Reply:
            return Reply(201, {}, body.format(heard.json["challenge"]).encode())

        with receiving(street.clock, answer) as receiver:
            assert street.desk.add(street.account, {"url": receiver.url})["state"] == "active"

    @pytest.mark.parametrize(
        "url",
        [
            "ftp://example.com/",
            "https://user:password@example.com/",
            "https://127.1/",
            "nonsense",
            "http://example.com/",
            "http://127.0.0.1:8080/",
            "https://10.0.0.1/",
            "https://[::ffff:169.254.169.254]/",
        ],
    )
    def test_a_url_that_is_never_called_is_refused_and_not_kept(self, street: Street, url: str) -> None:
        street = replace(street, fetcher=GuardedFetcher(resolver=lambda _: []))
        with pytest.raises(UnsafeLink):
            street.desk.add(street.account, {"url": url})
        assert street.desk.list(street.account) == ()

    @pytest.mark.parametrize(
        "document",
        [
            None,
            [],
            {},
            {"url": 7},
            {"url": "https://example.com/", "signature": "v2"},
            {"url": "https://example.com/", "signature": None},
            {"url": "https://example.com/", "secret": "whsec_"},
            {"url": "https://example.com/" + "x" * 2_048},
            {"url": "https://example.com/" + "é" * 1_024},
        ],
    )
    def test_what_is_no_webhook_is_told_in_one_sentence(self, street: Street, document: Any) -> None:  # noqa: ANN401
        with pytest.raises(InvalidInput) as refused:
            street.desk.add(street.account, document)
        assert refused.value.message.endswith(".")

    def test_ten_and_no_more_and_each_once(self, street: Street, receiver: Receiver) -> None:
        for number in range(10):
            street.add(f"{receiver.url}/{number}")
        for url in (f"{receiver.url}/10", f"{receiver.url}/3"):
            with pytest.raises(InvalidInput, match="already"):
                street.desk.add(street.account, {"url": url})
        assert len(receiver.heard) == 10

    def test_a_relay_that_is_busy_says_nothing_about_the_server(self, street: Street) -> None:
        street = replace(street, fetcher=Failing(FetchFailed("busy", reason=FetchReason.BUSY)))
        with pytest.raises(Unavailable):
            street.desk.add(street.account, {"url": "https://example.com/"})
        assert street.desk.list(street.account) == ()

    def test_the_relay_is_no_cannon(self, street: Street, receiver: Receiver) -> None:
        added = street.add(receiver.url)
        for _ in range(59):
            street.desk.test(street.account, added["id"])
        for act in (street.desk.test, street.desk.verify):
            with pytest.raises(LimitExceeded) as refused:
                act(street.account, added["id"])
        assert 0 < refused.value.retry_after_s <= 3_600
        with pytest.raises(LimitExceeded):
            street.desk.add(street.account, {"url": receiver.url + "/other"})
        assert len(receiver.heard) == 60
        street.clock.pass_s(3_600)
        street.desk.test(street.account, added["id"])

    def test_nor_are_many_accounts_together(self, street: Street, receiver: Receiver) -> None:
        def all_tests() -> None:
            for number in range(20):
                key = bytes([number]) * 32
                account = replace(street.account, key=key, inbox=key)
                added = street.desk.add(account, {"url": receiver.url})
                for _ in range(59):
                    street.desk.test(account, str(added["id"]))

        with pytest.raises(LimitExceeded):
            all_tests()
        assert len(receiver.heard) == 600


class Failing:
    """Implements `Fetcher`: raises what it is given."""

    def __init__(self, failure: Exception) -> None:
        self.failure = failure

    def fetch(self, url: str, **_: object) -> Answer:
        raise self.failure


class TestRotating:
    def test_both_secrets_sign_for_a_day(self, street: Street, receiver: Receiver) -> None:
        added = street.add(receiver.url)
        rotated = street.desk.rotate(street.account, added["id"])
        old, new = added["secret"], str(rotated["secret"])
        assert old != new
        assert rotated["oldSecretUntil"] == street.clock.at_ms + 86_400_000
        street.desk.test(street.account, added["id"])
        heard = receiver.events()[-1]
        assert len(heard.signatures) == 2
        assert heard.verified_by(old) == heard.verified_by(new)
        street.clock.pass_s(86_400)
        assert stands(street, added["id"])["oldSecretUntil"] is None
        street.desk.test(street.account, added["id"])
        heard = receiver.events()[-1]
        assert len(heard.signatures) == 1
        assert heard.verified_by(new)
        with pytest.raises(published.WebhookVerificationError):
            heard.verified_by(old)

    def test_there_are_never_more_than_two(self, street: Street, receiver: Receiver) -> None:
        added = street.add(receiver.url)
        second = street.desk.rotate(street.account, added["id"])["secret"]
        third = street.desk.rotate(street.account, added["id"])["secret"]
        street.desk.test(street.account, added["id"])
        heard = receiver.events()[-1]
        assert len(heard.signatures) == 2
        assert heard.verified_by(str(second)) == heard.verified_by(str(third))
        with pytest.raises(published.WebhookVerificationError):
            heard.verified_by(added["secret"])

    def test_key_pairs_rotate_too(self, street: Street, receiver: Receiver) -> None:
        added = street.add(receiver.url, "v1a")
        rotated = street.desk.rotate(street.account, added["id"])
        assert "secret" not in added
        assert "secret" not in rotated
        street.desk.test(street.account, added["id"])
        heard = receiver.events()[-1]
        content = f"{heard.webhook_id}.{heard.headers['webhook-timestamp']}.{heard.body}".encode()
        keys = [str(rotated["publicKey"]), added["publicKey"]]
        for signature, key in zip(heard.signatures, keys, strict=True):
            kind, _, signed = signature.partition(",")
            assert kind == "v1a"
            VerifyKey(b64decode(key.removeprefix("whpk_"))).verify(content, b64decode(signed))
        with pytest.raises(BadSignatureError):
            VerifyKey(b64decode(keys[1].removeprefix("whpk_"))).verify(content, b64decode(signed)[::-1])
        assert stands(street, added["id"])["publicKey"] == rotated["publicKey"]


class TestStopping:
    def test_what_comes_during_a_pause_is_kept_and_replayed(self, street: Street, receiver: Receiver) -> None:
        added = street.add(receiver.url)
        street.receive(street.event(1))
        street.run()
        assert street.desk.pause(street.account, added["id"])["state"] == "paused"
        assert street.desk.pause(street.account, added["id"])["state"] == "paused"
        street.clock.pass_s(60)
        since_ms = street.clock.at_ms
        for number in (2, 3):
            street.receive(street.event(number))
            street.run()
        assert len(receiver.events()) == 1
        assert [entry["state"] for entry in street.log(added["id"])] == ["held", "held", "delivered"]
        with pytest.raises(InvalidInput, match="verified"):
            street.desk.replay(street.account, added["id"], {"since": since_ms})
        street.desk.verify(street.account, added["id"])
        assert street.desk.replay(street.account, added["id"], {"since": since_ms}) == {
            "replayed": 2,
            "cursor": None,
        }
        street.run()
        assert len(receiver.events()) == 3
        assert {entry["state"] for entry in street.log(added["id"])} == {"delivered"}

    def test_a_try_that_comes_due_during_a_pause_is_held(self, street: Street) -> None:
        with receiving(street.clock, one_after_the_other(Reply(500))) as receiver:
            added = street.add(receiver.url)
            street.receive()
            street.step()
            street.desk.pause(street.account, added["id"])
            street.run()
            (entry,) = street.log(added["id"])
            assert (entry["state"], entry["tries"], entry["nextTryAt"]) == ("held", 1, None)
            assert len(receiver.events()) == 1

    def test_removing_forgets_the_log_and_what_was_due(self, street: Street) -> None:
        with receiving(street.clock, one_after_the_other(Reply(500))) as receiver:
            added = street.add(receiver.url)
            street.receive()
            street.step()
            street.desk.remove(street.account, added["id"])
            street.run()
            assert len(receiver.events()) == 1
        assert street.store.deliveries._rows == {}
        for act in (street.desk.remove, street.desk.verify, street.desk.pause, street.desk.rotate):
            with pytest.raises(NotFound):
                act(street.account, added["id"])
        with pytest.raises(NotFound):
            street.desk.log(street.account, added["id"], None, None)

    @pytest.mark.parametrize("leave", ["remove", "forget"])
    def test_a_worker_that_writes_late_leaves_nothing_behind(self, street: Street, leave: str) -> None:
        removed: list[str] = []

        def answer(heard: Heard) -> Reply:
            if heard.json["type"] == "webhook.challenge":
                return echo(heard)
            # While the request is under way its endpoint goes.
            if leave == "remove":
                street.desk.remove(street.account, removed[0])
            else:
                street.desk.forget(street.account)
            return Reply(500)

        with receiving(street.clock, answer) as receiver:
            removed.append(street.add(receiver.url)["id"])
            street.receive()
            street.run()
            assert len(receiver.events()) == 1
        assert not any(street.store.deliveries._rows.values())
        assert street.queues.waiting == []

    @pytest.mark.parametrize("leave", ["remove", "forget"])
    def test_a_test_that_ends_after_its_webhook_went_leaves_nothing_behind(
        self, street: Street, leave: str
    ) -> None:
        removed: list[str] = []

        def answer(heard: Heard) -> Reply:
            if heard.json["type"] == "webhook.challenge":
                return echo(heard)
            if leave == "remove":
                street.desk.remove(street.account, removed[0])
            else:
                street.desk.forget(street.account)
            return Reply(200)

        with receiving(street.clock, answer) as receiver:
            removed.append(street.add(receiver.url)["id"])
            with pytest.raises(NotFound):
                street.desk.test(street.account, removed[0])
        assert not any(street.store.deliveries._rows.values())

    def test_an_account_that_was_deleted_meanwhile_keeps_nothing(
        self, street: Street, receiver: Receiver
    ) -> None:
        street.deleted.add(street.account.key)
        with pytest.raises(Forbidden):
            street.desk.add(street.account, {"url": receiver.url})
        assert street.desk.list(street.account) == ()

    def test_an_account_that_leaves_leaves_nothing(self, street: Street, receiver: Receiver) -> None:
        for number in range(3):
            street.add(f"{receiver.url}/{number}")
        street.receive()
        street.run()
        assert len(receiver.events()) == 3
        for _ in range(2):
            street.desk.forget(street.account)
            assert street.desk.list(street.account) == ()
            assert not any(street.store.deliveries._rows.values())


class TestLog:
    def test_pages_are_the_newest_first(self, street: Street, receiver: Receiver) -> None:
        added = street.add(receiver.url)
        for number in range(25):
            street.receive(street.event(number))
            street.run()
        page: Any = street.desk.log(street.account, added["id"], None, None)
        assert len(page["deliveries"]) == 20
        rest: Any = street.desk.log(street.account, added["id"], page["cursor"], 1_000)
        assert (len(rest["deliveries"]), rest["cursor"]) == (5, None)
        times = [entry["at"] for entry in page["deliveries"] + rest["deliveries"]]
        assert times == sorted(times, reverse=True)

    @pytest.mark.parametrize("cursor", ["", "x", "é", "A" * 40, "A" * 1_000])
    def test_a_foreign_cursor_is_refused(self, street: Street, receiver: Receiver, cursor: str) -> None:
        added, other = street.add(receiver.url), street.add(receiver.url + "/other")
        with pytest.raises(InvalidParams):
            street.desk.log(street.account, added["id"], cursor, 1)
        for number in (1, 2):
            street.receive(street.event(number))
        street.run()
        page: Any = street.desk.log(street.account, other["id"], None, 1)
        with pytest.raises(InvalidParams):
            street.desk.log(street.account, added["id"], page["cursor"], 1)
        with pytest.raises(InvalidParams, match="at least"):
            street.desk.log(street.account, added["id"], None, 0)

    def test_a_test_is_in_it_and_says_how_it_went(self, street: Street) -> None:
        with receiving(street.clock, one_after_the_other(Reply(204), Reply(503))) as receiver:
            added = street.add(receiver.url)
            well: Any = street.desk.test(street.account, added["id"])
            badly: Any = street.desk.test(street.account, added["id"])
            assert receiver.events()[0].verified_by(added["secret"]) == {
                "type": "webhook.test",
                "timestamp": receiver.events()[0].json["timestamp"],
                "data": {"endpoint": added["id"]},
            }
        assert (well["state"], well["attempts"][0]["status"]) == ("delivered", 204)
        assert (badly["state"], badly["attempts"][0]["status"]) == ("failed", 503)
        assert {entry["id"] for entry in street.log(added["id"])} == {well["id"], badly["id"]}
        assert street.endpoint(added["id"]).failing_since_ms is None
        with pytest.raises(InvalidInput, match="test"):
            street.desk.replay(street.account, added["id"], {"delivery": badly["id"]})
        assert street.desk.replay(street.account, added["id"], {"since": 0})["replayed"] == 0

    def test_after_thirty_days_it_is_forgotten(self, street: Street, receiver: Receiver) -> None:
        added = street.add(receiver.url)
        street.receive()
        street.run()
        street.clock.pass_s(30 * 86_400 - 10)
        assert len(street.log(added["id"])) == 1
        street.clock.pass_s(20)
        assert street.log(added["id"]) == []


class TestReplaying:
    def test_one_delivery_goes_out_again_with_the_same_id(self, street: Street, receiver: Receiver) -> None:
        added = street.add(receiver.url)
        street.receive()
        street.run()
        (entry,) = street.log(added["id"])
        assert street.desk.replay(street.account, added["id"], {"delivery": entry["id"]})["replayed"] == 1
        street.run()
        first, second = receiver.events()
        assert (first.webhook_id, first.body) == (second.webhook_id, second.body)
        (entry,) = street.log(added["id"])
        assert [attempt["try"] for attempt in entry["attempts"]] == [1, 2]
        assert entry["state"] == "delivered"

    def test_a_failed_one_gets_the_whole_schedule_again(self, street: Street) -> None:
        with receiving(street.clock, one_after_the_other(Reply(500))) as receiver:
            added = street.add(receiver.url)
            street.receive()
            street.run()
            assert street.endpoint(added["id"]).state is EndpointState.PAUSED
            street.desk.verify(street.account, added["id"])
            street.clock.pass_s(20 * 86_400)
            (entry,) = street.log(added["id"])
            street.desk.replay(street.account, added["id"], {"delivery": entry["id"]})
            street.run()
            assert len(receiver.events()) == 20
        # It has outlived the 30 days of the event: those of the replay count.
        street.clock.pass_s(20 * 86_400)
        (entry,) = street.log(added["id"])
        assert (entry["state"], entry["tries"], len(entry["attempts"])) == ("failed", 20, 20)

    def test_all_that_failed_since_page_by_page(self, street: Street) -> None:
        with receiving(street.clock, one_after_the_other(Reply(500))) as receiver:
            added = street.add(receiver.url)
            street.desk.pause(street.account, added["id"])
            for number in range(130):
                street.receive(street.event(number))
                street.run()
                street.clock.pass_s(1)
            street.desk.verify(street.account, added["id"])
            receiver.behaviour = echo
            first: Any = street.desk.replay(street.account, added["id"], {"since": 0})
            assert first["replayed"] == 100
            again = {"since": 0, "cursor": first["cursor"]}
            assert street.desk.replay(street.account, added["id"], again) == {"replayed": 30, "cursor": None}
            street.run()
            assert len(receiver.events()) == 130
            assert street.desk.replay(street.account, added["id"], {"since": 0})["replayed"] == 0

    def test_a_replay_whose_text_was_lost_can_be_replayed(self, street: Street, receiver: Receiver) -> None:
        added = street.add(receiver.url)
        street.receive()
        street.run()
        (entry,) = street.log(added["id"])
        street.queues.failure = Unavailable()
        with pytest.raises(Unavailable):
            street.desk.replay(street.account, added["id"], {"delivery": entry["id"]})
        street.queues.failure = None
        assert street.log(added["id"])[0]["state"] == "pending"
        assert street.desk.replay(street.account, added["id"], {"since": 0})["replayed"] == 0
        street.clock.pass_s(1_000)
        assert street.desk.replay(street.account, added["id"], {"since": 0})["replayed"] == 1
        street.run()
        assert street.log(added["id"])[0]["state"] == "delivered"

    @pytest.mark.parametrize(
        "document",
        [
            None,
            {},
            {"delivery": 1},
            {"since": "yesterday"},
            {"since": True},
            {"since": -1},
            {"since": 1, "delivery": "x"},
            {"since": 1, "cursor": 3},
            {"cursor": "x"},
        ],
    )
    def test_what_is_no_replay_is_told(self, street: Street, receiver: Receiver, document: Any) -> None:  # noqa: ANN401
        added = street.add(receiver.url)
        with pytest.raises(InvalidInput):
            street.desk.replay(street.account, added["id"], document)

    @pytest.mark.parametrize("delivery", ["", "msg_", "msg_" + "A" * 32, "msg_" + "é" * 32, "A" * 36])
    def test_an_unknown_delivery_is_not_found(
        self, street: Street, receiver: Receiver, delivery: str
    ) -> None:
        added = street.add(receiver.url)
        with pytest.raises(NotFound):
            street.desk.replay(street.account, added["id"], {"delivery": delivery})


def test_a_store_that_is_away_is_told(street: Street, receiver: Receiver) -> None:
    added = street.add(receiver.url)

    def away(_operation: str, _moment: Moment) -> None:
        raise Unavailable

    street.faults(away)
    for act in (street.desk.verify, street.desk.pause, street.desk.rotate, street.desk.test):
        with pytest.raises(Unavailable):
            act(street.account, added["id"])
    with pytest.raises(Unavailable):
        street.desk.forget(street.account)


def test_nothing_stored_or_queued_names_anybody(street: Street) -> None:
    with receiving(street.clock, one_after_the_other(Reply(500))) as receiver:
        added = street.add(receiver.url)
        street.receive()
        street.step()
        kept = repr([street.store.deliveries._rows, street.store.preferences._rows, street.queues.waiting])
        sent = "".join(heard.body + json.dumps(heard.headers) for heard in receiver.heard)
    for secret in (receiver.url, added["secret"], street.account.name, street.account.address):
        assert secret not in kept
    for secret in (added["secret"], street.account.name, street.account.address, street.account.inbox.hex()):
        assert secret not in sent
