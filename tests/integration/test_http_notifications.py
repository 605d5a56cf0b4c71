"""A person's channels over HTTP, as the reference's client calls them, and the links that end e-mails."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus

import pytest

from chalicelib.api.shapes import output_model
from chalicelib.notify.preference_book import PreferenceBook
from chalicelib.notify.unsubscribing import Unsubscribing
from chalicelib.protocol.errors import Unavailable
from chalicelib.store.memory import Moment
from infra.local.gateway import Gateway
from infra.local.server import LoopbackServer
from tests.integration.http_house import Heard, House
from tests.support.notifying import notify_over, notifying_application, vault_of
from tests.unit.notify.desk_world import ADDRESS, NUMBER, Browser
from tests.unit.relay.world import ALICE, BOB, MALLORY, World

BASE = "/notifications"
GLOBAL, CHANNELS, TOGGLE = f"{BASE}/global/{BOB.name}", f"{BASE}/{BOB.name}", f"{BASE}/channel/{BOB.name}"
CODE, VERIFY, SETTINGS = (
    f"{BASE}/otp/{BOB.name}",
    f"{BASE}/otp/verify/{BOB.name}",
    f"{BASE}/settings/{BOB.name}",
)
EMAIL = {"notificationChannelType": "EMAIL"}
ADDED = {**EMAIL, "recipientValue": ADDRESS}


@dataclass
class Desk(House):
    """A house whose relay tells people that mail has come."""

    signed_in: str = ""

    def said(self, method: str, path: str, body: object = None) -> tuple[int, object]:
        """The status and the body of an answer, as JSON if it is."""
        heard = self.ask(method, path, body, token=self.signed_in)
        return heard.status, heard.json if "json" in heard.headers["content-type"] else heard.text

    def link(self) -> str:
        """The path of the link in e-mails to Bob."""
        vault = vault_of(self.world.chance)
        inbox = self.world.account(BOB).inbox
        (channel,) = PreferenceBook(self.world.store.preferences, vault).load(inbox).channels
        return f"/unsubscribe/{Unsubscribing(vault).token(inbox, channel)}"


@pytest.fixture
def desk() -> Iterator[Desk]:
    """Alice and Bob have accounts; Bob is signed in."""
    house = Desk(World())
    house.world.settle(ALICE, BOB)
    world = house.world
    notify = notify_over(world.store, world.clock, world.chance, house.carriers, world.relay)
    gateway = Gateway(notifying_application(world.relay, notify))
    with LoopbackServer() as server:
        server.start(gateway)
        house.url = server.url
        house.signed_in = house.token(BOB)
        yield house
    gateway.close()


def switch_on(desk: Desk) -> None:
    assert desk.said("POST", GLOBAL, {"isEnabled": True}) == (200, "OK")


def add_verified(desk: Desk) -> None:
    switch_on(desk)
    assert desk.said("POST", CHANNELS, ADDED) == (200, "OK")
    assert desk.said("POST", VERIFY, {**EMAIL, "otp": desk.carriers.code}) == (200, "OK")


def described(heard: Heard, model: str) -> None:
    assert heard.status == HTTPStatus.OK
    output_model(model).model_validate_json(heard.body)


def test_the_way_of_the_reference_s_client(desk: Desk) -> None:
    assert desk.said("GET", GLOBAL) == (200, {"isEnabled": False})
    switch_on(desk)
    assert desk.said("GET", GLOBAL) == (200, {"isEnabled": True})
    assert desk.said("GET", CHANNELS) == (200, {"notificationChannels": []})
    assert desk.said("POST", CHANNELS, ADDED) == (200, "OK")
    config = {"recipientValue": ADDRESS, "isEnabled": True, "isVerified": False}
    assert desk.said("GET", CHANNELS) == (
        200,
        {"notificationChannels": [{"type": "EMAIL", "config": config}]},
    )
    assert desk.said("POST", VERIFY, {**EMAIL, "otp": "00000"}) == (400, {"error": "Invalid OTP"})
    desk.world.clock.pass_s(61)
    assert desk.said("POST", CODE, EMAIL) == (200, "OK")
    assert desk.said("POST", VERIFY, {**EMAIL, "otp": desk.carriers.code}) == (200, "OK")
    assert desk.said("POST", TOGGLE, {**EMAIL, "isEnabled": False}) == (200, "OK")
    config = {"recipientValue": ADDRESS, "isEnabled": False, "isVerified": True}
    assert desk.said("GET", CHANNELS) == (
        200,
        {"notificationChannels": [{"type": "EMAIL", "config": config}]},
    )
    assert desk.said("DELETE", f"{BASE}/channel/EMAIL/{BOB.name}") == (
        200,
        {"message": "Notification channel EMAIL has been removed successfully"},
    )
    assert desk.said("GET", CHANNELS) == (200, {"notificationChannels": []})


def test_browsers(desk: Desk) -> None:
    switch_on(desk)
    for number in range(2):
        body = {
            "notificationChannelType": "PUSH",
            "recipientValue": Browser(f"https://push.example/{number}").subscription,
        }
        assert desk.said("POST", CHANNELS, body) == (200, "OK")
    heard = desk.get(CHANNELS, desk.signed_in)
    described(heard, "NotificationChannels")
    assert [one["config"]["isVerified"] for one in heard.json["notificationChannels"]] == [True, True]
    assert desk.said("DELETE", f"{BASE}/channel/PUSH/{BOB.name}")[0] == HTTPStatus.OK
    assert desk.said("GET", CHANNELS) == (200, {"notificationChannels": []})


@pytest.mark.parametrize(
    ("method", "path", "body", "said"),
    [
        ("POST", GLOBAL, {}, "Invalid value"),
        ("POST", GLOBAL, [], "Invalid value"),
        ("POST", GLOBAL, {"isEnabled": "true"}, "Invalid value"),
        ("POST", CHANNELS, {}, "Notification Channel Type is missing"),
        (
            "POST",
            CHANNELS,
            {"notificationChannelType": "SMS", "recipientValue": NUMBER},
            "Invalid notification channel type",
        ),
        ("POST", CHANNELS, EMAIL, "Recipient value is missing"),
        ("POST", CHANNELS, {**EMAIL, "recipientValue": "bob"}, "Invalid email value"),
        ("POST", CHANNELS, ADDED, "Global notifications is off"),
        ("POST", CODE, EMAIL, "Global notifications is off"),
        ("POST", VERIFY, EMAIL, "OTP is missing"),
        ("POST", VERIFY, {**EMAIL, "otp": "12345"}, "Global notifications is off"),
        ("POST", TOGGLE, EMAIL, "isEnabled value is missing"),
        ("POST", TOGGLE, {**EMAIL, "isEnabled": "yes"}, "isEnabled must have boolean value"),
        ("POST", TOGGLE, {**EMAIL, "isEnabled": True}, "Global notifications is off"),
        ("DELETE", f"{BASE}/channel/FAX/{BOB.name}", None, "Invalid notification channel type"),
        ("DELETE", f"{BASE}/channel/EMAIL/{BOB.name}", None, "Global notifications is off"),
    ],
)
def test_refusals_are_worded_as_the_reference_words_them(
    desk: Desk, method: str, path: str, body: object, said: str
) -> None:
    assert desk.said(method, path, body) == (400, {"error": said})


ROUTES = [
    *(("GET", path) for path in (GLOBAL, CHANNELS, SETTINGS)),
    *(("POST", path) for path in (GLOBAL, CHANNELS, TOGGLE, CODE, VERIFY)),
    ("PUT", SETTINGS),
    ("DELETE", f"{BASE}/channel/EMAIL/{BOB.name}"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_only_the_owner_gets_in(desk: Desk, method: str, path: str) -> None:
    assert desk.ask(method, path, {}).status == HTTPStatus.UNAUTHORIZED
    assert desk.ask(method, path, {}, token=desk.token(ALICE)).status == HTTPStatus.FORBIDDEN
    assert desk.ask(method, path.replace(BOB.name, MALLORY.name), {}, token=desk.signed_in).status in {
        401,
        403,
    }


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_an_outage_is_told(desk: Desk, method: str, path: str) -> None:
    switch_on(desk)

    def strike(at: str, when: Moment) -> None:
        if at.startswith("preferences.") and when is Moment.BEFORE:
            raise Unavailable

    desk.world.store.faults = strike
    body = {**ADDED, "isEnabled": False, "otp": "12345"} if path != SETTINGS else {}
    heard = desk.ask(method, path, body, token=desk.signed_in)
    assert heard.status == HTTPStatus.SERVICE_UNAVAILABLE
    assert heard.headers["retry-after"]


def test_another_code_too_soon_is_told_with_the_time_to_wait(desk: Desk) -> None:
    switch_on(desk)
    desk.said("POST", CHANNELS, ADDED)
    heard = desk.post(CODE, EMAIL, desk.signed_in)
    assert heard.status == HTTPStatus.TOO_MANY_REQUESTS
    assert heard.headers["retry-after"] == "60"
    assert heard.json["error"].startswith("New OTP can be generated after 1 minutes")


def test_settings(desk: Desk) -> None:
    heard = desk.get(SETTINGS, desk.signed_in)
    described(heard, "NotificationSettings")
    document = {
        "quietHours": {"from": "22:00", "to": "07:00", "timeZone": "Europe/Berlin"},
        "minutesBetween": {"EMAIL": 60, "PUSH": 2, "SMS": 60},
    }
    assert desk.said("PUT", SETTINGS, document) == (200, document)
    assert desk.said("GET", SETTINGS) == (200, document)
    described(desk.get(SETTINGS, desk.signed_in), "NotificationSettings")
    status, refused = desk.said("PUT", SETTINGS, {"quietHours": {"from": "22:00"}})
    assert status == HTTPStatus.BAD_REQUEST
    assert isinstance(refused, dict)
    assert refused["code"] == -32000


class TestLinks:
    def test_one_click_of_a_mail_program(self, desk: Desk) -> None:
        add_verified(desk)
        heard = desk.ask(
            "POST",
            desk.link(),
            raw=b"List-Unsubscribe=One-Click",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )
        assert heard.status == HTTPStatus.OK
        (channel,) = desk.get(CHANNELS, desk.signed_in).json["notificationChannels"]
        assert channel["config"]["isEnabled"] is False

    def test_opening_the_link_turns_nothing_off_and_shows_a_button_that_does(self, desk: Desk) -> None:
        add_verified(desk)
        link = desk.link()
        page = desk.get(link)
        assert page.status == HTTPStatus.OK
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert '<form method="post">' in page.text
        assert desk.get(CHANNELS, desk.signed_in).json["notificationChannels"][0]["config"]["isEnabled"]
        assert "off" in desk.ask("POST", link).text
        assert not desk.get(CHANNELS, desk.signed_in).json["notificationChannels"][0]["config"]["isEnabled"]

    def test_the_page_loads_nothing_is_kept_nowhere_and_names_nobody(self, desk: Desk) -> None:
        add_verified(desk)
        for page in (
            desk.get(desk.link()),
            desk.ask("POST", desk.link()),
            desk.ask("POST", "/unsubscribe/x"),
        ):
            policy = page.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            assert page.headers["cache-control"] == "no-store"
            assert page.headers["referrer-policy"] == "no-referrer"
            assert page.headers["x-content-type-options"] == "nosniff"
            assert "noindex" in page.headers["x-robots-tag"]
            for loading in ("<script", "<img", "<link", "src="):
                assert loading not in page.text
            for name in (BOB.name, BOB.address, ADDRESS):
                assert name not in page.text

    @pytest.mark.parametrize("token", ["guessed", "%FF", "a" * 300, "%3Cscript%3E"])
    def test_a_link_that_is_none(self, desk: Desk, token: str) -> None:
        add_verified(desk)
        heard = desk.ask("POST", f"/unsubscribe/{token}")
        assert heard.status == HTTPStatus.NOT_FOUND
        assert "<script>" not in heard.text
        assert desk.get(CHANNELS, desk.signed_in).json["notificationChannels"][0]["config"]["isEnabled"]

    def test_an_outage_is_a_page_too(self, desk: Desk) -> None:
        add_verified(desk)
        link = desk.link()

        def strike(at: str, when: Moment) -> None:
            if at == "preferences.put" and when is Moment.BEFORE:
                raise Unavailable

        desk.world.store.faults = strike
        heard = desk.ask("POST", link)
        assert heard.status == HTTPStatus.SERVICE_UNAVAILABLE
        assert heard.headers["content-type"].startswith("text/html")
        assert heard.headers["retry-after"]


def test_no_log_line_names_anybody(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    add_verified(desk)
    link = desk.link()
    desk.ask("POST", link)
    own = [record for record in caplog.records if record.name.startswith("dm3")]
    written = " ".join(f"{record.getMessage()} {vars(record)}" for record in own)
    assert "/unsubscribe/{token}" in written
    for secret in (ADDRESS, BOB.name, desk.carriers.code, link.rpartition("/")[2], desk.signed_in):
        assert secret not in written
