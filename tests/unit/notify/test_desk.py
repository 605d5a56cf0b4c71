from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from threading import Barrier

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.notify.code_limits import CHANGES_PER_HOUR
from chalicelib.notify.codes import TRIES
from chalicelib.notify.events import Channel
from chalicelib.notify.ports import Refused
from chalicelib.notify.preferences import Preferences
from chalicelib.notify.unsubscribing import Unsubscribing
from chalicelib.protocol.errors import Dm3Error, Forbidden, InvalidInput, LimitExceeded, NotFound, Unavailable
from chalicelib.protocol.json_types import JsonValue
from chalicelib.store.memory import Moment
from tests.unit.notify.desk_world import (
    ADDRESS,
    BOB,
    CAROL,
    NUMBER,
    OFF,
    ON,
    VAPID,
    Browser,
    DeskWorld,
    code_in,
)
from tests.unit.protocol.strategies import accepts_or_refuses, values

OTHER = "bob@other.example"
# What JavaScript takes for false.
NOTHING: list[JsonValue] = [None, "", 0]
NO_TYPES: list[JsonValue] = ["email", "SMS", "WEBHOOK", 5, [], {}]
NO_SWITCHES: list[JsonValue] = [1, "true", [], {}]
NO_CODES: list[JsonValue] = [12345, [], {"otp": 1}, ON]


@pytest.fixture
def world() -> DeskWorld:
    return DeskWorld()


def refused(action: Callable[[], object]) -> str:
    with pytest.raises(InvalidInput) as error:
        action()
    return error.value.message


def wrong(code: str) -> str:
    return str(10_000 + (int(code) - 9_999) % 90_000)


class TestSwitch:
    def test_it_is_off_until_somebody_turns_it_on(self, world: DeskWorld) -> None:
        assert not world.desk.is_enabled(BOB)
        world.switch_on()
        assert world.desk.is_enabled(BOB)
        assert not world.desk.is_enabled(CAROL)

    @pytest.mark.parametrize("value", [None, 1, "true", [], {}])
    def test_anything_else_is_no_value(self, world: DeskWorld, value: JsonValue) -> None:
        assert refused(lambda: world.desk.set_enabled(BOB, value)) == "Invalid value"

    def test_while_it_is_off_nothing_is_shown_or_done_and_nothing_is_lost(self, world: DeskWorld) -> None:
        world.add_verified()
        world.desk.set_enabled(BOB, OFF)
        assert world.desk.channels(BOB) == ()
        desk = world.desk
        actions: list[Callable[[], None]] = [
            lambda: desk.add(BOB, "EMAIL", OTHER),
            lambda: desk.send_code(BOB, "EMAIL"),
            lambda: desk.verify_code(BOB, "EMAIL", "12345"),
            lambda: desk.toggle(BOB, "EMAIL", OFF),
            lambda: desk.remove(BOB, "EMAIL"),
        ]
        for action in actions:
            assert refused(action) == "Global notifications is off"
        world.switch_on()
        assert [one.recipient for one in desk.channels(BOB)] == [ADDRESS]
        assert len(world.mailer.sent) == 1


class TestWords:
    """What the reference answers, in the order in which it looks."""

    @pytest.mark.parametrize(
        ("channel_type", "said"),
        [
            *((value, "Notification Channel Type is missing") for value in [*NOTHING, OFF]),
            *((value, "Invalid notification channel type") for value in NO_TYPES),
        ],
    )
    def test_of_types(self, world: DeskWorld, channel_type: JsonValue, said: str) -> None:
        desk = world.desk
        actions: list[Callable[[], None]] = [
            lambda: desk.add(BOB, channel_type, ADDRESS),
            lambda: desk.send_code(BOB, channel_type),
            lambda: desk.verify_code(BOB, channel_type, "12345"),
            lambda: desk.toggle(BOB, channel_type, ON),
            lambda: desk.remove(BOB, channel_type),
        ]
        for action in actions:
            assert refused(action) == said

    @pytest.mark.parametrize("recipient", [*NOTHING, OFF])
    def test_of_a_missing_recipient(self, world: DeskWorld, recipient: JsonValue) -> None:
        assert refused(lambda: world.desk.add(BOB, "EMAIL", recipient)) == "Recipient value is missing"

    def test_of_invalid_recipients(self, world: DeskWorld) -> None:
        assert refused(lambda: world.desk.add(BOB, "EMAIL", "bob")) == "Invalid email value"
        assert refused(lambda: world.desk.add(BOB, "PUSH", "{}")) == "Invalid push value"

    @pytest.mark.parametrize(
        ("value", "said"),
        [
            *((value, "isEnabled value is missing") for value in NOTHING),
            *((value, "isEnabled must have boolean value") for value in NO_SWITCHES),
        ],
    )
    def test_of_switches(self, world: DeskWorld, value: JsonValue, said: str) -> None:
        assert refused(lambda: world.desk.toggle(BOB, "EMAIL", value)) == said

    @pytest.mark.parametrize(
        ("code", "said"),
        [
            *((code, "OTP is missing") for code in [*NOTHING, OFF]),
            *((code, "Invalid OTP") for code in NO_CODES),
        ],
    )
    def test_of_codes(self, world: DeskWorld, code: JsonValue, said: str) -> None:
        world.switch_on().add(BOB, "EMAIL", ADDRESS)
        assert refused(lambda: world.desk.verify_code(BOB, "EMAIL", code)) == said
        assert world.standing().code is not None

    def test_of_channels_that_are_not_there(self, world: DeskWorld) -> None:
        desk = world.switch_on()
        said = "EMAIL notification channel is not configured"
        assert refused(lambda: desk.send_code(BOB, "EMAIL")) == said
        assert refused(lambda: desk.verify_code(BOB, "EMAIL", "12345")) == said
        assert refused(lambda: desk.toggle(BOB, "EMAIL", OFF)) == said
        assert refused(lambda: desk.remove(BOB, "EMAIL")) == said

    def test_of_what_is_not_offered(self, world: DeskWorld) -> None:
        world.add_verified()
        desk = world.process(None, None, None)
        said = "Notification channel EMAIL is currently not supported by the DS"
        assert refused(lambda: desk.add(BOB, "EMAIL", OTHER)) == said
        assert refused(lambda: desk.send_code(BOB, "EMAIL")) == said
        assert refused(lambda: desk.verify_code(BOB, "EMAIL", "12345")) == said
        assert refused(lambda: desk.toggle(BOB, "EMAIL", OFF)) == said
        push = Browser().subscription
        assert "PUSH" in refused(lambda: desk.add(BOB, "PUSH", push))
        desk.remove(BOB, "EMAIL")
        assert world.preferences().channels == ()


class TestEmail:
    def test_an_address_is_proven_by_the_code_that_was_sent_to_it(self, world: DeskWorld) -> None:
        desk = world.switch_on()
        desk.add(BOB, "EMAIL", ADDRESS)
        (mail,) = world.mailer.sent
        assert mail.to == ADDRESS
        assert not world.standing().verified
        desk.verify_code(BOB, "EMAIL", world.code())
        standing = world.standing()
        assert (standing.verified, standing.enabled, standing.code) == (True, True, None)

    def test_a_code_counts_once(self, world: DeskWorld) -> None:
        world.add_verified()
        said = refused(lambda: world.desk.verify_code(BOB, "EMAIL", world.code()))
        assert said == "EMAIL notification channel is already verified"
        assert refused(lambda: world.desk.send_code(BOB, "EMAIL")) == said

    def test_a_new_address_begins_unproven_and_the_old_code_is_worth_nothing(self, world: DeskWorld) -> None:
        desk = world.switch_on()
        desk.add(BOB, "EMAIL", ADDRESS)
        first = world.code()
        desk.add(BOB, "EMAIL", OTHER)
        assert refused(lambda: desk.verify_code(BOB, "EMAIL", first)) == "Invalid OTP"
        desk.verify_code(BOB, "EMAIL", world.code())
        assert (world.standing().recipient, world.standing().verified) == (OTHER, True)

    def test_a_code_of_one_account_is_worth_nothing_in_another(self, world: DeskWorld) -> None:
        world.switch_on(BOB).add(BOB, "EMAIL", ADDRESS)
        code = world.code()
        world.switch_on(CAROL).add(CAROL, "EMAIL", ADDRESS)
        assert code != world.code()
        assert refused(lambda: world.desk.verify_code(CAROL, "EMAIL", code)) == "Invalid OTP"

    def test_tries_end_and_go_on_with_another_code_only(self, world: DeskWorld) -> None:
        desk = world.switch_on()
        desk.add(BOB, "EMAIL", ADDRESS)
        code = world.code()
        for _ in range(TRIES):
            assert refused(lambda: desk.verify_code(BOB, "EMAIL", wrong(code))) == "Invalid OTP"
        said = "Otp not found, please resend the OTP for verification"
        assert refused(lambda: desk.verify_code(BOB, "EMAIL", code)) == said
        desk.send_code(BOB, "EMAIL")
        desk.verify_code(BOB, "EMAIL", world.code())
        assert world.standing().verified

    def test_a_code_expires(self, world: DeskWorld) -> None:
        desk = world.switch_on()
        desk.add(BOB, "EMAIL", ADDRESS)
        world.clock.pass_s(600)
        assert refused(lambda: desk.verify_code(BOB, "EMAIL", world.code())) == "OTP is expired"
        assert not world.standing().verified

    def test_another_code_waits_a_minute(self, world: DeskWorld) -> None:
        desk = world.switch_on()
        desk.add(BOB, "EMAIL", ADDRESS)
        world.clock.pass_s(20)
        with pytest.raises(LimitExceeded, match="New OTP can be generated after 1 minutes") as early:
            desk.send_code(BOB, "EMAIL")
        assert early.value.retry_after_s == 40
        world.clock.pass_s(40)
        desk.send_code(BOB, "EMAIL")
        assert len({mail.plain for mail in world.mailer.sent}) == 2

    def test_nobody_is_bombed(self, world: DeskWorld) -> None:
        """Whatever accounts ask for it, five mails a day come to one mailbox."""
        accounts = [replace(BOB, key=bytes([n]) * 32, inbox=bytes([n]) * 32) for n in range(8)]
        for n, account in enumerate(accounts):
            try:
                world.switch_on(account).add(account, "EMAIL", f"victim+{n}@mail.example")
            except LimitExceeded:
                assert world.preferences(account).channels == ()
        assert len(world.mailer.sent) == 5

    def test_what_a_limit_refuses_leaves_the_proven_address_in_place(self, world: DeskWorld) -> None:
        world.add_verified()
        for n in range(4):
            world.desk.add(BOB, "EMAIL", f"{n}@mail.example")
            world.desk.verify_code(BOB, "EMAIL", world.code())
        with pytest.raises(LimitExceeded):
            world.desk.add(BOB, "EMAIL", OTHER)
        assert (world.standing().recipient, world.standing().verified) == ("3@mail.example", True)

    def test_toggling_and_removing(self, world: DeskWorld) -> None:
        desk = world.switch_on()
        desk.add(BOB, "EMAIL", ADDRESS)
        desk.toggle(BOB, "EMAIL", OFF)
        said = "EMAIL notification channel is not enabled"
        assert refused(lambda: desk.verify_code(BOB, "EMAIL", world.code())) == said
        assert refused(lambda: desk.send_code(BOB, "EMAIL")) == said
        desk.toggle(BOB, "EMAIL", ON)
        desk.verify_code(BOB, "EMAIL", world.code())
        desk.toggle(BOB, "EMAIL", OFF)
        assert (world.standing().enabled, world.standing().verified) == (False, True)
        desk.remove(BOB, "EMAIL")
        assert desk.channels(BOB) == ()


class TestPush:
    def test_a_browser_needs_no_code(self, world: DeskWorld) -> None:
        world.switch_on().add(BOB, "PUSH", Browser().subscription)
        standing = world.standing(channel=Channel.PUSH)
        assert (standing.verified, standing.enabled) == (True, True)
        assert world.mailer.sent == []
        said = "PUSH notification channel is already verified"
        assert refused(lambda: world.desk.send_code(BOB, "PUSH")) == said

    def test_one_that_its_push_service_refused_subscribes_again(self, world: DeskWorld) -> None:
        desk = world.switch_on()
        desk.add(BOB, "PUSH", Browser().subscription)
        world.book.update(
            BOB.inbox,
            lambda standing: replace(
                standing, channels=tuple(replace(one, verified=False) for one in standing.channels)
            ),
        )
        said = "Notification channel PUSH is currently not supported by the DS"
        assert refused(lambda: desk.send_code(BOB, "PUSH")) == said
        said = "Otp not found, please resend the OTP for verification"
        assert refused(lambda: desk.verify_code(BOB, "PUSH", "12345")) == said
        desk.add(BOB, "PUSH", Browser().subscription)
        assert world.standing(channel=Channel.PUSH).verified

    def test_several_browsers(self, world: DeskWorld) -> None:
        desk = world.switch_on()
        for n in range(12):
            desk.add(BOB, "PUSH", Browser(f"https://push.example/{n}").subscription)
        desk.add(BOB, "PUSH", Browser("https://push.example/5").subscription)
        endpoints = [json.loads(one.recipient)["endpoint"] for one in desk.channels(BOB)]
        assert endpoints == [f"https://push.example/{n}" for n in (2, 3, 4, 6, 7, 8, 9, 10, 11, 5)]
        desk.toggle(BOB, "PUSH", OFF)
        assert not any(one.enabled for one in desk.channels(BOB))
        desk.remove(BOB, "PUSH")
        assert desk.channels(BOB) == ()


class TestSms:
    def test_where_it_is_offered_a_number_is_proven_like_an_address(self, world: DeskWorld) -> None:
        desk = world.process(None, world.texter, None)
        desk.set_enabled(BOB, ON)
        assert refused(lambda: desk.add(BOB, "SMS", "0151")) == "Invalid sms value"
        desk.add(BOB, "SMS", NUMBER)
        ((number, text),) = world.texter.sent
        assert number == NUMBER
        desk.verify_code(BOB, "SMS", code_in(text))
        assert world.standing(channel=Channel.SMS).verified
        assert desk.offered() == ()


class TestFailures:
    def test_a_mail_that_did_not_go_out_can_be_asked_for_again(self, world: DeskWorld) -> None:
        desk = world.switch_on()
        world.mailer.failure = Unavailable()
        with pytest.raises(Unavailable):
            desk.add(BOB, "EMAIL", ADDRESS)
        world.mailer.failure = None
        desk.add(BOB, "EMAIL", ADDRESS)
        desk.verify_code(BOB, "EMAIL", world.code())
        assert world.standing().verified

    def test_an_address_that_the_carrier_refuses_is_forgotten(self, world: DeskWorld) -> None:
        desk = world.switch_on()
        world.mailer.failure = Refused()
        assert refused(lambda: desk.add(BOB, "EMAIL", ADDRESS)) == "Invalid email value"
        assert desk.channels(BOB) == ()
        sms = world.process(None, world.texter, None)
        world.texter.failure = Refused()
        assert refused(lambda: sms.add(BOB, "SMS", NUMBER)) == "Invalid sms value"
        assert desk.channels(BOB) == ()

    @pytest.mark.parametrize("moment", list(Moment))
    @pytest.mark.parametrize("operation", ["preferences.get", "preferences.put", "counters.charge"])
    def test_every_action_survives_every_failure_of_the_store(
        self, world: DeskWorld, operation: str, moment: Moment
    ) -> None:
        """Each action is told as Unavailable and succeeds when it is repeated."""

        def strike(at: str, when: Moment) -> None:
            if (at, when) == (operation, moment):
                world.store.faults = None
                raise Unavailable

        desk = world.desk
        actions: list[Callable[[], object]] = [
            lambda: desk.set_enabled(BOB, ON),
            lambda: desk.add(BOB, "EMAIL", ADDRESS),
            lambda: desk.add(BOB, "PUSH", Browser().subscription),
            lambda: desk.send_code(BOB, "EMAIL"),
            lambda: desk.verify_code(BOB, "EMAIL", world.code()),
            lambda: desk.toggle(BOB, "EMAIL", OFF),
            lambda: desk.remove(BOB, "EMAIL"),
            lambda: desk.unsubscribe(self.link(world)),
            lambda: desk.set_settings(BOB, {"minutesBetween": {"EMAIL": 5}}),
        ]
        for action in actions:
            world.clock.pass_s(61)
            world.store.faults = strike
            try:
                action()
            except Unavailable:
                world.clock.pass_s(61)
                # What was done before the answer got lost has no second time.
                with suppress(InvalidInput):
                    action()
            world.store.faults = None
        assert [one.channel for one in desk.channels(BOB)] == [Channel.PUSH]
        assert desk.settings(BOB)["minutesBetween"] == {"EMAIL": 5, "PUSH": 1, "SMS": 60}

    @staticmethod
    def link(world: DeskWorld) -> str:
        channel = replace(world.standing(channel=Channel.PUSH), channel=Channel.EMAIL, recipient=ADDRESS)
        return Unsubscribing(world.vault).token(BOB.inbox, channel)

    def test_a_guess_is_counted_also_when_its_answer_was_lost(self, world: DeskWorld) -> None:
        desk = world.switch_on()
        desk.add(BOB, "EMAIL", ADDRESS)
        code = world.code()

        def strike(at: str, when: Moment) -> None:
            if (at, when) == ("preferences.put", Moment.AFTER):
                raise Unavailable

        world.store.faults = strike
        for _ in range(TRIES):
            with pytest.raises(Unavailable):
                desk.verify_code(BOB, "EMAIL", wrong(code))
        world.store.faults = None
        with pytest.raises(InvalidInput, match="Otp not found"):
            desk.verify_code(BOB, "EMAIL", code)

    def test_many_guesses_at_once_are_five(self, world: DeskWorld) -> None:
        desk = world.switch_on()
        desk.add(BOB, "EMAIL", ADDRESS)
        code, together = world.code(), Barrier(12)

        def guess(_number: int) -> str:
            together.wait()
            try:
                desk.verify_code(BOB, "EMAIL", wrong(code))
            except Dm3Error as error:
                return error.message
            raise AssertionError("a wrong code was taken")

        with ThreadPoolExecutor(12) as pool:
            said = list(pool.map(guess, range(12)))
        assert said.count("Invalid OTP") <= TRIES
        pending = world.standing().code
        counted = TRIES if pending is None else TRIES - pending.tries_left
        assert said.count("Invalid OTP") == counted

    def test_an_address_replaced_while_its_code_is_made_gets_none(self, world: DeskWorld) -> None:
        desk = world.switch_on()
        desk.add(BOB, "EMAIL", ADDRESS)
        world.clock.pass_s(61)
        reads = 0

        def meanwhile(at: str, when: Moment) -> None:
            nonlocal reads
            reads += (at, when) == ("preferences.get", Moment.BEFORE)
            if reads == 2:
                world.store.faults = None
                desk.add(BOB, "EMAIL", OTHER)

        world.store.faults = meanwhile
        with pytest.raises(Unavailable):
            desk.send_code(BOB, "EMAIL")
        assert [mail.to for mail in world.mailer.sent] == [ADDRESS, OTHER]

    def test_nothing_is_left_behind_for_an_account_that_was_deleted_meanwhile(self, world: DeskWorld) -> None:
        world.add_verified()
        world.gone.add(BOB.key)
        with pytest.raises(Forbidden):
            world.desk.add(BOB, "EMAIL", OTHER)
        assert world.preferences() == Preferences()
        assert len(world.mailer.sent) == 1

    def test_changes_are_limited(self, world: DeskWorld) -> None:
        for n in range(CHANGES_PER_HOUR):
            world.desk.set_enabled(BOB, n % 2 == 0)
        with pytest.raises(LimitExceeded):
            world.switch_on()


class TestSettings:
    def test_they_are_kept(self, world: DeskWorld) -> None:
        quiet = {"from": "22:00", "to": "07:00", "timeZone": "Europe/Berlin"}
        document: dict[str, JsonValue] = {"quietHours": quiet, "minutesBetween": {"EMAIL": 60}}
        written = world.desk.set_settings(BOB, document)
        assert written == world.desk.settings(BOB)
        assert written["quietHours"] == quiet
        with pytest.raises(InvalidInput):
            world.desk.set_settings(BOB, {"quietHours": 1})
        assert world.desk.settings(BOB) == written


class TestUnsubscribing:
    def test_a_link_turns_its_channel_off_and_no_other(self, world: DeskWorld) -> None:
        world.add_verified()
        world.desk.add(BOB, "PUSH", Browser().subscription)
        token = Unsubscribing(world.vault).token(BOB.inbox, world.standing())
        for _ in range(2):
            world.desk.unsubscribe(token)
            assert (world.standing().enabled, world.standing().verified) == (False, True)
        assert world.standing(channel=Channel.PUSH).enabled
        world.desk.toggle(BOB, "EMAIL", ON)
        assert world.standing().enabled

    def test_a_link_of_a_former_address_or_a_deleted_account_changes_nothing(self, world: DeskWorld) -> None:
        world.add_verified()
        token = Unsubscribing(world.vault).token(BOB.inbox, world.standing())
        world.desk.add(BOB, "EMAIL", OTHER)
        world.desk.unsubscribe(token)
        assert world.standing().enabled
        world.book.delete(BOB.inbox)
        world.desk.unsubscribe(token)
        assert world.store.preferences.get(world.vault.index("preferences", BOB.inbox)) is None

    def test_any_other_link_is_not_found(self, world: DeskWorld) -> None:
        with pytest.raises(NotFound):
            world.desk.unsubscribe("guessed")


@given(
    st.sampled_from(["EMAIL", "PUSH", "SMS"]) | values(),
    st.sampled_from([ADDRESS, Browser().subscription]) | values(),
    st.text() | st.text("AZaz09-_"),
)
def test_whatever_is_sent_is_done_or_refused(kind: JsonValue, value: JsonValue, token: str) -> None:
    world = DeskWorld()
    desk = world.switch_on()
    actions: list[Callable[[], object]] = [
        lambda: desk.add(BOB, kind, value),
        lambda: desk.send_code(BOB, kind),
        lambda: desk.verify_code(BOB, kind, value),
        lambda: desk.toggle(BOB, kind, value),
        lambda: desk.set_settings(BOB, value),
        lambda: desk.unsubscribe(token),
        lambda: desk.remove(BOB, kind),
        lambda: desk.set_enabled(BOB, value),
    ]
    for action in actions:
        accepts_or_refuses(action)


def test_what_is_offered_has_public_parts_only(world: DeskWorld) -> None:
    email, push = world.desk.offered()
    assert email.to_json() == {"type": "EMAIL", "config": {}}
    assert push.to_json() == {"type": "PUSH", "config": {"publicVapidKey": VAPID.public_key}}
    assert world.process(None, None, None).offered() == ()


def test_the_store_sees_no_recipient_and_no_code(world: DeskWorld) -> None:
    world.switch_on().add(BOB, "EMAIL", ADDRESS)
    world.desk.add(BOB, "PUSH", Browser().subscription)
    kept = repr(vars(world.store.preferences)) + repr(vars(world.store.counters))
    for secret in (ADDRESS, world.code(), "push.example"):
        assert secret not in kept
