from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.protocol.errors import Dm3Error, InvalidName, InvalidParams
from chalicelib.protocol.json_types import JsonObject
from chalicelib.relay.ports import InboxItem, InboxPage
from chalicelib.relay.values import Account
from tests.unit.relay.world import ALICE, BOB, MALLORY, SECRETS, World, limited


def settled(world: World | None = None) -> World:
    world = world or World()
    world.settle(ALICE, BOB)
    world.publish(MALLORY)
    return world


def fill(world: World, count: int, *, gap_s: float = 1, size: int = 10) -> list[str]:
    """Submit `count` messages; their message ids in order."""
    ids = []
    for number in range(count):
        world.clock.pass_s(gap_s)
        letter = world.letter(text=f"{number} ".ljust(size, "x"))
        ids.append(world.submit(letter).receipt.message_id)
    return ids


def ids_of(messages: Iterable[object]) -> list[str]:
    return [message.message_id for message in messages]  # type: ignore[attr-defined]


def test_pages_go_through_the_inbox_in_order() -> None:
    world = settled()
    sent = fill(world, 7)
    account = world.account(BOB)
    seen: list[str] = []
    cursor, more = None, True
    while more:
        page = world.relay.inbox.page(account, cursor, limit=3)
        assert len(page.messages) <= 3
        seen += ids_of(page.messages)
        cursor, more = page.cursor, page.more
    assert seen == sent
    assert world.relay.inbox.page(account, cursor).messages == ()


def test_a_cursor_at_the_end_goes_on_with_what_is_new() -> None:
    world = settled()
    fill(world, 3)
    account = world.account(BOB)
    end = world.relay.inbox.page(account).cursor
    new = fill(world, 2)
    page = world.relay.inbox.page(account, end)
    assert ids_of(page.messages) == new


def test_the_cursor_of_an_empty_inbox_is_good_too() -> None:
    world = settled()
    account = world.account(BOB)
    page = world.relay.inbox.page(account)
    assert (page.messages, page.more) == ((), False)
    new = fill(world, 1)
    for follow in (False, True):
        assert ids_of(world.relay.inbox.page(account, page.cursor, follow=follow).messages) == new


@pytest.mark.parametrize(("limit", "count"), [(None, 2), (1, 1), (3, 3), (99, 4)])
def test_the_limit_of_a_page(limit: int | None, count: int) -> None:
    world = settled(limited(page_messages=2, page_messages_max=4))
    fill(world, 6)
    assert len(world.relay.inbox.page(world.account(BOB), limit=limit).messages) == count


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_below_one_is_refused(limit: int) -> None:
    world = settled()
    with pytest.raises(InvalidParams):
        world.relay.inbox.page(world.account(BOB), limit=limit)


def test_a_page_is_bounded_by_what_its_messages_open_to() -> None:
    """A message that compresses well is small in the store and large in the answer."""
    world = settled(limited(page_bytes=100_000))
    for number in range(6):
        world.submit(world.letter(text=str(number), extra={"x": "z" * 40_000}))
    account = world.account(BOB)
    page = world.relay.inbox.page(account)
    assert 0 < len(page.messages) < 6
    assert len(json.dumps([message.to_json() for message in page.messages])) < 110_000
    assert len(world.mail()) == 6


def test_a_message_larger_than_a_page_is_reached_alone() -> None:
    world = settled(limited(page_bytes=20_000))
    sent = [*fill(world, 1), *fill(world, 1, size=50_000), *fill(world, 1)]
    account = world.account(BOB)
    seen: list[list[str]] = []
    cursor, more = None, True
    while more:
        page = world.relay.inbox.page(account, cursor)
        seen.append(ids_of(page.messages))
        cursor, more = page.cursor, page.more
    assert [one for page_ids in seen for one in page_ids] == sent
    assert [sent[1]] in seen


def test_an_expired_message_is_never_served() -> None:
    world = settled()
    fill(world, 1)
    world.clock.pass_s(20 * 86_400)
    [young] = fill(world, 1)
    world.clock.pass_s(10 * 86_400 + 1)
    account = world.account(BOB)
    assert ids_of(world.relay.inbox.page(account).messages) == [young]
    assert len(world.relay.inbox.incoming(account).envelopes) == 1
    assert len(world.relay.inbox.conversation(account, "alice.eth").envelopes) == 1


def spoil(world: World, account: Account, number: int) -> None:
    """Replace one stored blob by something nobody can open."""
    page = world.store.inbox.page(
        account.inbox, after=None, limit=1_000, max_bytes=10**9, now_s=world.clock.now_s
    )
    item = page.items[number]
    world.store.inbox.delete(account.inbox, [item.key])
    world.store.inbox.put(account.inbox, InboxItem(item.key, b"spoilt" * 10, item.expires_at_s))


@pytest.mark.parametrize("place", [0, 2, 4])
def test_one_unreadable_item_stops_nobody(place: int) -> None:
    world = settled(limited(page_messages=1))
    sent = fill(world, 5)
    account = world.account(BOB)
    spoil(world, account, place)
    assert ids_of(world.mail()) == sent[:place] + sent[place + 1 :]
    assert len(world.relay.inbox.incoming(account).envelopes) == 4
    whole = world.relay.inbox.page(account, limit=100)
    assert (len(whole.messages), whole.unreadable) == (4, 1)


def test_many_unreadable_items_are_passed_in_bounded_rounds() -> None:
    world = settled(limited(page_messages=1))
    sent = fill(world, 25)
    account = world.account(BOB)
    for number in range(24):
        spoil(world, account, number)
    page = world.relay.inbox.page(account)
    assert (page.messages, page.more, page.unreadable) == ((), True, 10)
    assert ids_of(world.mail()) == [sent[-1]]


def test_an_item_whose_body_is_gone_stops_nobody() -> None:
    world = settled()
    sent = fill(world, 3)
    account = world.account(BOB)
    stored = world.store.inbox.page(
        account.inbox, after=None, limit=9, max_bytes=10**9, now_s=world.clock.now_s
    )
    world.store.inbox.unreadable.add(stored.items[2].key)
    page = world.relay.inbox.page(account)
    assert (ids_of(page.messages), page.unreadable) == (sent[:2], 1)


def test_mail_sealed_under_an_older_storage_key_is_read() -> None:
    world = settled()
    fill(world, 1)
    world.secrets = replace(SECRETS, storage_key=b"9" * 32, older_storage_keys=(SECRETS.storage_key,))
    world.restarted()
    fill(world, 1)
    assert len(world.mail()) == 2


# Following


def test_a_follower_sees_what_was_committed_late() -> None:
    world = settled()
    fill(world, 3, gap_s=20)
    account = world.account(BOB)
    page = world.relay.inbox.page(account, follow=True)
    world.clock.pass_s(-30)
    late = world.submit(world.letter(text="stamped earlier")).receipt.message_id
    world.clock.pass_s(30)
    assert world.relay.inbox.page(account, page.cursor).messages == ()
    again = world.relay.inbox.page(account, page.cursor, follow=True)
    assert late in ids_of(again.messages)


def test_a_follower_gets_through_a_last_minute_of_many_pages() -> None:
    world = settled(limited(page_messages=2))
    sent = fill(world, 9, gap_s=0.1)
    account = world.account(BOB)
    cursor: str | None = None
    for _ in range(3):
        seen: list[str] = []
        more = True
        while more:
            page = world.relay.inbox.page(account, cursor, follow=True)
            seen += ids_of(page.messages)
            cursor, more = page.cursor, page.more
        assert seen == sent


def test_a_reader_that_stops_following_is_not_sent_back() -> None:
    world = settled()
    fill(world, 3)
    account = world.account(BOB)
    first = world.relay.inbox.page(account, follow=True)
    second = world.relay.inbox.page(account, first.cursor, follow=True)
    assert world.relay.inbox.page(account, second.cursor).messages == ()


def test_a_cursor_of_another_account_is_refused() -> None:
    world = settled()
    cursor = world.relay.inbox.page(world.account(ALICE)).cursor
    for call in (world.relay.inbox.page, lambda one, c: world.relay.inbox.conversation(one, "alice.eth", c)):
        with pytest.raises(InvalidParams):
            call(world.account(BOB), cursor)


# The reference's listing


def hashes(envelopes: Iterable[JsonObject]) -> list[str]:
    return [envelope["metadata"]["messageHash"] for envelope in envelopes]  # type: ignore[index,call-overload,misc]


def test_a_small_inbox_is_listed_whole() -> None:
    world = settled()
    fill(world, 5)
    listing = world.relay.inbox.incoming(world.account(BOB))
    assert len(listing.envelopes) == 5
    assert listing.next_cursor is None
    assert "accounts.put" not in list(world.calls)[-1:]


@pytest.mark.parametrize("junk", [3_000, 30_000, 70_000])
def test_repeated_listings_reach_everything_though_nothing_is_acknowledged(junk: int) -> None:
    world = settled(limited(page_bytes=60_000))
    fill(world, 8, size=junk)
    fill(world, 8)
    account = world.account(BOB)
    seen: set[str] = set()
    for _ in range(24):
        listing = world.relay.inbox.incoming(account)
        found = hashes(listing.envelopes)
        assert len(found) == len(set(found))
        seen.update(found)
    assert len(seen) == 16


def test_an_overfull_listing_stays_within_what_the_gateway_carries() -> None:
    world = settled(limited(page_bytes=60_000))
    fill(world, 30)
    account = world.account(BOB)
    for _ in range(5):
        listing = world.relay.inbox.incoming(account)
        assert len(json.dumps(listing.envelopes)) <= 60_000
        assert len(listing.envelopes) > 2


def test_a_large_message_in_the_moving_half_takes_the_room_of_the_first_half() -> None:
    world = settled(limited(page_bytes=60_000))
    for size in (10, 10, 30_000, 10, 70_000, 10, 10, 10, 10, 10, 10):
        fill(world, 1, size=size)
    account = world.account(BOB)
    sizes = []
    for _ in range(12):
        envelopes = world.relay.inbox.incoming(account).envelopes
        sizes.append(len(json.dumps(envelopes)))
        assert sizes[-1] <= 60_000 or len(envelopes) == 1
    assert max(sizes) > 60_000


def test_the_first_half_holds_the_oldest_and_the_cursor_goes_on_after_it() -> None:
    world = settled(limited(page_messages_max=4))
    fill(world, 10)
    account = world.account(BOB)
    everything = hashes(message.envelope for message in world.mail())
    listing = world.relay.inbox.incoming(account)
    assert hashes(listing.envelopes) == everything[:4]
    assert hashes(world.relay.inbox.incoming(account).envelopes) == everything[:2] + everything[4:6]
    page = world.relay.inbox.page(account, listing.next_cursor, limit=2)
    assert hashes(message.envelope for message in page.messages) == everything[2:4]


def test_the_moving_half_begins_anew_when_what_it_stood_before_is_gone() -> None:
    world = settled(limited(page_messages_max=4))
    fill(world, 8)
    account = world.account(BOB)
    for _ in range(2):
        world.relay.inbox.incoming(account)
    messages = world.mail()
    world.relay.inbox.acknowledge(account, [message.id for message in messages[6:]])
    everything = hashes(message.envelope for message in messages)
    assert hashes(world.relay.inbox.incoming(account).envelopes) == everything[:4]


# By contact


def test_a_conversation_holds_one_contacts_messages() -> None:
    world = settled()
    fill(world, 2)
    world.submit(world.letter(MALLORY, text="mallory"))
    fill(world, 1)
    account = world.account(BOB)
    assert len(world.relay.inbox.conversation(account, "ALICE.eth").envelopes) == 3
    assert len(world.relay.inbox.conversation(account, "mallory.eth").envelopes) == 1
    assert world.relay.inbox.conversation(account, "nobody.eth").envelopes == ()
    with pytest.raises(InvalidName):
        world.relay.inbox.conversation(account, "no name")


def test_a_long_conversation_continues_with_a_cursor() -> None:
    world = settled(limited(page_bytes=60_000))
    fill(world, 25)
    account = world.account(BOB)
    seen: list[str] = []
    cursor: str | None = None
    rounds = 0
    while rounds == 0 or cursor:
        listing = world.relay.inbox.conversation(account, "alice.eth", cursor)
        assert len(json.dumps(listing.envelopes)) <= 60_000
        seen += hashes(listing.envelopes)
        cursor, rounds = listing.next_cursor, rounds + 1
    assert len(seen) == len(set(seen)) == 25
    assert rounds > 2


def test_the_work_of_one_call_is_bounded() -> None:
    world = settled()
    fill(world, 1_001, gap_s=0)
    world.submit(world.letter(MALLORY))
    account = world.account(BOB)
    listing = world.relay.inbox.conversation(account, "mallory.eth")
    assert listing.envelopes == ()
    rest = world.relay.inbox.conversation(account, "mallory.eth", listing.next_cursor)
    assert len(rest.envelopes) in {0, 1}
    assert listing.next_cursor is not None


def test_large_foreign_mail_bounds_the_bytes_of_one_call_and_nothing_is_read_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page_bytes = 40_000
    world = settled(limited(page_bytes=page_bytes))
    for number in range(30):
        world.submit(world.letter(MALLORY, text=f"{number} ".ljust(14_000, "x")))
    [wanted] = fill(world, 1)
    account = world.account(BOB)
    read: list[InboxItem] = []
    page = world.store.inbox.page

    def reading(account: bytes, **options: Any) -> InboxPage:  # noqa: ANN401 - whatever the port takes
        found = page(account, **options)
        read.extend(found.items)
        return found

    monkeypatch.setattr(world.store.inbox, "page", reading)
    cursor: str | None = None
    rounds = 0
    seen: list[JsonObject] = []
    while rounds == 0 or cursor:
        read.clear()
        listing = world.relay.inbox.conversation(account, "alice.eth", cursor)
        assert sum(len(item.blob) for item in read) <= 5 * page_bytes
        assert len({item.key for item in read}) == len(read)
        seen += listing.envelopes
        cursor, rounds = listing.next_cursor, rounds + 1
    assert rounds > 2
    assert hashes(seen) == hashes([world.mail()[-1].envelope])
    assert world.mail()[-1].message_id == wanted


def test_foreign_mail_that_opens_to_much_bounds_a_call_by_what_it_opens_to() -> None:
    """A metadata of one letter, a thousand times over, is stored in next to nothing."""
    world = settled(limited(page_bytes=40_000))
    for number in range(12):
        world.submit(world.letter(MALLORY, text=str(number), extra={"x": "y" * 30_000}))
    fill(world, 1)
    account = world.account(BOB)
    listing = world.relay.inbox.conversation(account, "alice.eth")
    assert listing.envelopes == ()
    rounds = 1
    while listing.next_cursor:
        listing = world.relay.inbox.conversation(account, "alice.eth", listing.next_cursor)
        rounds += 1
    assert len(listing.envelopes) == 1
    assert rounds >= 3


def test_unreadable_items_end_a_call_and_not_the_conversation() -> None:
    world = settled(limited(page_messages_max=1))
    fill(world, 3)
    account = world.account(BOB)
    for number in range(3):
        spoil(world, account, number)
    assert world.relay.inbox.conversation(account, "alice.eth").envelopes == ()


@settings(deadline=None, max_examples=40)
@given(st.text(max_size=60))
def test_any_cursor_or_id_is_refused_with_the_protocols_error(text: str) -> None:
    world = World()
    account = Account(b"a" * 32, b"i" * 32, BOB.address, "bob.eth", "key")
    with pytest.raises(Dm3Error):
        world.relay.inbox.page(account, text)
    with pytest.raises(Dm3Error):
        world.relay.inbox.acknowledge(account, [text])
