from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.protocol.errors import Unavailable
from chalicelib.protocol.json_types import JsonValue
from chalicelib.store.memory import Moment
from tests.unit.notify.sockets.house import ENGINE, House
from tests.unit.relay.world import ALICE, BOB, MALLORY, Person, limited

REFUSED = '44{"message":"check token has failed for WS"}'


def ack(house: House, connection_id: str, data: JsonValue, ack_id: int = 7) -> dict[str, str]:
    (text,) = house.say(connection_id, f'42{ack_id}["submitMessage",{json.dumps(data)}]')
    assert text.startswith(f"43{ack_id}[")
    answer: dict[str, str]
    (answer,) = json.loads(text[2 + len(str(ack_id)) :])
    return answer


def submission(house: House, person: Person = BOB, **changes: JsonValue) -> dict[str, JsonValue]:
    envelope = house.world.letter(person, ALICE)
    return {"envelop": envelope, "token": house.world.token(person), **changes}


def test_a_genuine_token_is_authorised() -> None:
    house = House()
    connected, authorized = house.socket_io("c1")
    assert connected.startswith('40{"sid":"')
    assert authorized == '42["authorized"]'
    assert house.socket("c1").account is not None


@pytest.mark.parametrize(
    "auth",
    [
        "",
        "{}",
        '{"token":"x"}',
        '{"account":{"ensName":"bob.eth"},"token":"x"}',
        '{"account":{"ensName":"bob.eth"},"token":null}',
        '{"account":{"ensName":5},"token":"x"}',
        '{"account":"bob.eth","token":"x"}',
        '{"account":{"ensName":"no name"},"token":"x"}',
    ],
)
def test_whoever_has_no_genuine_token_is_refused_in_the_references_words(auth: str) -> None:
    house = House()
    house.connect("c1", ENGINE)
    assert house.say("c1", f"40{auth}") == [REFUSED]
    assert house.registry.find("c1") is None
    assert house.poster.closed == ["c1"]


def test_another_accounts_token_is_refused() -> None:
    house = House()
    house.connect("c1", ENGINE)
    auth = {"account": {"ensName": "bob.eth"}, "token": house.world.token(MALLORY)}
    assert house.say("c1", f"40{json.dumps(auth)}") == [REFUSED]
    assert not house.registry.of_account(house.world.account(BOB).inbox)


def test_the_reference_client_comes_back_with_its_old_token() -> None:
    house = House()
    token = house.world.token(BOB)
    house.socket_io("c1", token=token)
    house.leave("c1")
    house.world.clock.pass_s(2 * 3_600)
    assert house.socket_io("c2", token=token)[1] == '42["authorized"]'


def test_an_expired_token_that_opened_nothing_is_refused() -> None:
    house = House()
    token = house.world.token(BOB)
    house.world.clock.pass_s(2 * 3_600)
    assert house.socket_io("c1", token=token) == [REFUSED]


def test_an_outage_cuts_the_client_off_without_a_refusal() -> None:
    house = House()

    def fail(operation: str, moment: Moment) -> None:
        if operation == "connections.put" and moment is Moment.BEFORE and house.poster.open_ids:
            raise Unavailable

    house.world.store.faults = fail
    assert house.socket_io("c1") == []
    assert house.poster.closed == ["c1"]
    assert house.registry.find("c1") is None


def test_a_limited_account_is_told_when_to_come_back() -> None:
    house = House(limited(account_sockets_per_hour=1))
    house.socket_io("c1")
    (text,) = house.socket_io("c2")
    assert text.startswith('44{"data":{"code":-32005,"retryAfter":')
    assert "c1" in house.poster.open_ids
    assert "c2" not in house.poster.open_ids


def test_who_signs_out_while_a_socket_opens_has_no_socket_left() -> None:
    house = House()
    account = house.world.account(BOB)
    token = house.world.token(BOB)
    written: list[str] = []

    def sign_out(operation: str, moment: Moment) -> None:
        if (
            operation == "connections.put"
            and moment is Moment.BEFORE
            and house.poster.open_ids
            and not written
        ):
            written.append(operation)
            house.world.relay.sessions.sign_out_everywhere(account)
            house.registry.close_all(account.inbox)

    house.world.store.faults = sign_out
    assert house.socket_io("c1", token=token) == [REFUSED]
    assert not house.registry.of_account(account.inbox)
    assert house.registry.find("c1") is None


def test_a_message_is_submitted_and_acknowledged() -> None:
    house = House()
    house.socket_io("c1")
    assert ack(house, "c1", submission(house)) == {"response": "success"}
    assert len(house.world.mail(ALICE)) == 1


def test_errors_have_the_references_words() -> None:
    house = House(limited(size_limit_bytes=20_000))
    house.socket_io("c1")
    world = house.world
    nobody = world.letter(BOB, ALICE, to="nobody.eth")
    large = world.letter(BOB, ALICE, "x" * 20_000)
    for change, words in (
        ({"envelop": {}}, "invalid schema"),
        ({"envelop": "no JSON"}, "invalid schema"),
        ({"envelop": None}, "invalid schema"),
        ({"envelop": nobody}, "unknown account"),
        ({"envelop": large}, "Message is too large"),
        ({"envelop": world.letter(MALLORY, ALICE, claim="bob.eth")}, None),
    ):
        answer = ack(house, "c1", submission(house, **change))
        assert answer["error"] == (words or "The envelope is not signed by the sender it names.")
    assert not world.mail(ALICE)


@pytest.mark.parametrize("data", [None, [], "x", 5, {}, {"token": "x"}])
def test_data_that_are_none_are_an_invalid_schema(data: JsonValue) -> None:
    house = House()
    house.socket_io("c1")
    assert ack(house, "c1", data) == {"error": "invalid schema"}
    (text,) = house.say("c1", '420["submitMessage"]')
    assert text == '430[{"error":"invalid schema"}]'


@pytest.mark.parametrize("token", [None, "", "x", 5, {}])
def test_a_token_inside_is_checked(token: JsonValue) -> None:
    house = House()
    house.socket_io("c1")
    answer = ack(house, "c1", submission(house, token=token))
    assert answer == {"error": "check token has failed for WS"}
    assert not house.world.mail(ALICE)


def test_the_token_inside_is_of_the_same_account() -> None:
    house = House()
    house.socket_io("c1")
    answer = ack(house, "c1", submission(house, token=house.world.token(MALLORY)))
    assert answer == {"error": "check token has failed for WS"}


def test_a_token_of_the_names_next_account_is_not_one_of_the_sockets() -> None:
    house = House()
    token = house.world.token(BOB)
    house.socket_io("c1", token=token)
    house.world.register(house.world.publish(MALLORY, "bob.eth"), "bob.eth")
    house.world.clock.pass_s(3_601)
    answer = ack(house, "c1", submission(house, MALLORY, token=house.world.token(MALLORY)))
    assert answer == {"error": "check token has failed for WS"}


def test_the_token_that_opened_the_socket_submits_after_its_hour() -> None:
    house = House()
    token = house.world.token(BOB)
    house.socket_io("c1", token=token)
    house.world.clock.pass_s(90 * 60)
    assert ack(house, "c1", submission(house, token=token)) == {"response": "success"}


def test_an_outage_is_told_and_the_socket_stays() -> None:
    house = House()
    house.socket_io("c1")
    data = submission(house)

    def fail(operation: str, moment: Moment) -> None:
        if operation == "inbox.put":
            raise Unavailable

    house.world.store.faults = fail
    assert ack(house, "c1", data) == {"error": "The service cannot answer just now; try again."}
    house.world.store.faults = lambda _operation, _moment: None
    assert ack(house, "c1", data) == {"response": "success"}


@pytest.mark.parametrize(
    "frame", ['42["submitMessage",null]', '42["submitMessage",{}]', '42["other"]', '421["other",5]', "42[5]"]
)
def test_an_event_without_acknowledgement_or_of_another_name_leaves_nothing(frame: str) -> None:
    house = House()
    house.socket_io("c1")
    assert house.say("c1", frame) == []
    assert "c1" in house.poster.open_ids


def test_an_envelope_without_acknowledgement_id_is_not_taken() -> None:
    house = House()
    house.socket_io("c1")
    assert house.say("c1", f'42["submitMessage",{json.dumps(submission(house))}]') == []
    assert not house.world.mail(ALICE)


def test_an_event_before_sign_in_ends_the_socket() -> None:
    house = House()
    house.connect("c1", ENGINE)
    assert house.say("c1", f'420["submitMessage",{json.dumps(submission(house))}]') == []
    assert house.poster.closed == ["c1"]
    assert not house.world.mail(ALICE)


@pytest.mark.parametrize(
    "frame", ["", "0{}", "7", "x", "b4AAAA", "4", "45", "451-[]", "42{}", "40[]", "44{}"]
)
def test_nonsense_ends_the_socket(frame: str) -> None:
    house = House()
    house.socket_io("c1")
    assert house.say("c1", frame) == []
    assert house.poster.closed == ["c1"]
    assert house.registry.find("c1") is None


@pytest.mark.parametrize("frame", ["1", "41"])
def test_who_leaves_is_forgotten(frame: str) -> None:
    house = House()
    house.socket_io("c1")
    assert house.say("c1", frame) == []
    assert house.poster.closed == ["c1"]
    assert not house.registry.of_account(house.world.account(BOB).inbox)


def test_there_is_no_other_namespace() -> None:
    house = House()
    house.connect("c1", ENGINE)
    assert house.say("c1", '40/admin,{"token":"x"}') == ['44/admin,{"message":"Invalid namespace"}']
    assert house.say("c1", f"40/{'a' * 200},") == []
    assert house.poster.closed == ["c1"]


def test_an_event_in_another_namespace_ends_the_socket() -> None:
    house = House()
    house.socket_io("c1")
    assert house.say("c1", '42/admin,1["submitMessage",{}]') == []
    assert house.poster.closed == ["c1"]


def test_connecting_twice_ends_the_socket() -> None:
    house = House()
    house.socket_io("c1")
    auth = {"account": {"ensName": "bob.eth"}, "token": house.world.token(BOB)}
    assert house.say("c1", f"40{json.dumps(auth)}") == []
    assert house.poster.closed == ["c1"]


def test_pongs_are_counted() -> None:
    house = House()
    house.socket_io("c1")
    house.say("c1", "3")
    row = house.world.store.connections.get(house.socket("c1").connection, now_s=0)
    assert row is not None
    assert row.pongs == 1


def test_a_pong_that_cannot_be_counted_ends_nothing() -> None:
    house = House()
    house.socket_io("c1")

    def fail(operation: str, _moment: Moment) -> None:
        if operation == "connections.ponged":
            raise Unavailable

    house.world.store.faults = fail
    assert house.say("c1", "3") == []
    assert not house.poster.closed


_SHARED = House()
_SHARED.socket_io("signed in")
_SHARED.connect("stranger", ENGINE)
_ALPHABET = '0123456789-,/b[]{}":\\ asubmitMessagetokenvlopNaI²٣\ud800'


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(
        st.text(),
        st.text(alphabet=_ALPHABET, max_size=40),
        st.builds(
            lambda head, tail: head + tail, st.from_regex(r"4[0-6][0-9]{0,4}", fullmatch=True), st.text()
        ),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
            ),
        ).map(lambda value: "421" + json.dumps(["submitMessage", value])),
    ),
    st.sampled_from(["signed in", "stranger"]),
)
def test_no_text_raises_or_leaves_anything(text: str, connection_id: str) -> None:
    house = _SHARED
    if house.registry.find(connection_id) is None:
        if connection_id == "signed in":
            house.socket_io(connection_id)
        else:
            house.connect(connection_id, ENGINE)
    standing = house.standing()
    house.say(connection_id, text)
    assert not house.counted["SocketDefects"]
    assert house.standing() == standing
