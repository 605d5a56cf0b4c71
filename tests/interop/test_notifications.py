"""The reference's own functions for notifications: `notification-http.js` of `dm3-lib-delivery-api`."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from tests.interop.people import Person
from tests.interop.reference import Json, ReferenceRefused
from tests.unit.notify.desk_world import Browser

pytestmark = pytest.mark.npm

ADDRESS = "bob@mail.example"
NOT_OFFERED = "Notification channel EMAIL is currently not supported by the DS"


@dataclass(frozen=True)
class Owner:
    """Somebody who is signed in, and the libraries' functions on their behalf."""

    person: Person
    token: str

    def call(self, name: str, **arguments: Json) -> Json:
        """The `data` of the answer; its status is 200."""
        answered = self.person.call(name, token=self.token, **arguments)
        assert answered["status"] == 200
        return answered["data"]

    def refused(self, path: str, method: str = "POST", **body: Json) -> str:
        """The sentence of a refusal, which the web client shows."""
        with pytest.raises(ReferenceRefused) as refused:
            self.person.call("webNotifications", token=self.token, method=method, path=path, body=body)
        assert refused.value.status == 400
        return str(refused.value.body["error"])

    def channels(self) -> dict[str, Json]:
        """The configuration of each channel, by type."""
        listed = self.call("notificationChannels")["notificationChannels"]
        return {one["type"]: one["config"] for one in listed}


@pytest.fixture
def owner(bob: Person) -> Owner:
    return Owner(bob, bob.call("signIn"))


@pytest.fixture
def offered(owner: Owner) -> set[str]:
    """What the relay says it offers."""
    return {one["type"] for one in owner.person.call("properties")["notificationChannel"]}


def test_the_global_switch(owner: Owner) -> None:
    assert owner.call("globalNotification") == {"isEnabled": False}
    assert owner.call("toggleGlobalNotifications", isEnabled=True) == "OK"
    assert owner.call("globalNotification") == {"isEnabled": True}
    assert owner.channels() == {}
    assert owner.refused("global/", isEnabled="yes") == "Invalid value"


def test_while_it_is_off_nothing_can_be_done(owner: Owner) -> None:
    off = "Global notifications is off"
    assert owner.refused("", notificationChannelType="EMAIL", recipientValue=ADDRESS) == off
    assert owner.refused("otp/", notificationChannelType="EMAIL") == off
    assert owner.refused("otp/verify/", notificationChannelType="EMAIL", otp="12345") == off
    assert owner.refused("channel/", notificationChannelType="EMAIL", isEnabled=True) == off
    assert owner.refused("channel/EMAIL/", "DELETE") == off


def test_the_libraries_pass_over_a_refusal(bob: Person) -> None:
    """What 1.7.1 makes of any status but 200: no data, and no error either."""
    refused = bob.call("toggleGlobalNotifications", token=bob.call("signIn"), isEnabled="yes")
    assert "data" not in refused


def test_a_browser_subscribes_as_the_web_client_has_it_do(owner: Owner, offered: set[str]) -> None:
    assert "PUSH" in offered
    owner.call("toggleGlobalNotifications", isEnabled=True)
    subscription = Browser().subscription
    assert owner.call("addNotificationChannel", type="PUSH", recipient=subscription) == "OK"
    config = owner.channels()["PUSH"]
    assert json.loads(config["recipientValue"])["endpoint"] == Browser().endpoint
    assert (config["isEnabled"], config["isVerified"]) == (True, True)
    assert owner.call("toggleNotificationChannel", type="PUSH", isEnabled=False) == "OK"
    assert owner.channels()["PUSH"]["isEnabled"] is False
    removed = owner.call("removeNotificationChannel", type="PUSH")
    assert removed == {"message": "Notification channel PUSH has been removed successfully"}
    assert owner.channels() == {}
    assert owner.refused("channel/PUSH/", "DELETE") == "PUSH notification channel is not configured"


def test_an_address_waits_for_its_code_and_guessing_ends(owner: Owner, offered: set[str]) -> None:
    owner.call("toggleGlobalNotifications", isEnabled=True)
    if "EMAIL" not in offered:
        said = owner.refused("", notificationChannelType="EMAIL", recipientValue=ADDRESS)
        assert said == NOT_OFFERED
        return
    assert owner.call("addNotificationChannel", type="EMAIL", recipient=ADDRESS) == "OK"
    assert owner.channels()["EMAIL"] == {"recipientValue": ADDRESS, "isEnabled": True, "isVerified": False}
    guesses = [
        owner.refused("otp/verify/", notificationChannelType="EMAIL", otp=f"0000{n}") for n in range(6)
    ]
    assert guesses[:5] == ["Invalid OTP"] * 5
    assert guesses[5] == "Otp not found, please resend the OTP for verification"
    assert owner.channels()["EMAIL"]["isVerified"] is False


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("", {"recipientValue": ADDRESS}, "Notification Channel Type is missing"),
        ("", {"notificationChannelType": "EMAIL"}, "Recipient value is missing"),
        ("", {"notificationChannelType": "EMAIL", "recipientValue": "bob"}, "Invalid email value"),
        ("otp/", {"notificationChannelType": "FAX"}, "Invalid notification channel type"),
        ("otp/verify/", {"notificationChannelType": "EMAIL"}, "OTP is missing"),
        ("channel/", {"notificationChannelType": "EMAIL"}, "isEnabled value is missing"),
        (
            "channel/",
            {"notificationChannelType": "EMAIL", "isEnabled": 1},
            "isEnabled must have boolean value",
        ),
    ],
)
def test_what_the_web_client_shows(owner: Owner, path: str, body: dict[str, Json], said: str) -> None:
    assert owner.refused(path, **body) == said


def test_without_a_token_the_client_is_sent_to_sign_in(bob: Person) -> None:
    with pytest.raises(ReferenceRefused) as refused:
        bob.call("webNotifications", token="none", method="GET", path="global/")
    assert refused.value.status == 401
