"""An owner who goes elsewhere, or changes keys: what happens to mail of before and after."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from chalicelib.protocol.errors import (
    LimitExceeded,
    NotFound,
    ReceiverMoved,
    Unavailable,
    UnknownReceiver,
    UnverifiedSender,
)
from chalicelib.relay.account_book import FORMER_KEYS
from chalicelib.relay.settings import RelaySettings
from chalicelib.relay.stored_envelope import pack, unpack
from chalicelib.relay.values import FormerKey
from chalicelib.relay.vault import Vault
from tests.unit.relay.world import ALICE, BOB, MALLORY, RELAY_NAME, SECRETS, SOURCE, World, limited

MOVED = BOB.moved_to("other.eth")


def settled(world: World | None = None) -> World:
    world = world or World(RelaySettings(RELAY_NAME, remember_s=0))
    world.settle(ALICE, BOB)
    return world


def test_mail_to_a_receiver_who_has_moved_is_refused_and_not_stored() -> None:
    world = settled()
    world.submit(world.letter(text="before"))
    world.publish(MOVED)
    with pytest.raises(ReceiverMoved):
        world.submit(world.letter(text="after"))
    assert len(world.mail()) == 1
    world.publish(BOB)
    world.submit(world.letter(text="back"))
    assert len(world.mail()) == 2


def test_a_receiver_who_has_moved_reads_acknowledges_exports_and_leaves() -> None:
    world = settled()
    world.submit(world.letter(text="one"))
    world.submit(world.letter(text="two"))
    world.publish(MOVED)
    account = world.account(BOB)
    assert world.relay.accounts.status(account).listed is False
    assert len(world.relay.inbox.incoming(account).envelopes) == 2
    assert len(world.relay.inbox.conversation(account, ALICE.name).envelopes) == 2
    assert len(world.relay.accounts.export(account).page.messages) == 2
    [first, _] = world.relay.inbox.page(account).messages
    world.relay.inbox.acknowledge(account, [first.id])
    assert len(world.mail()) == 1
    world.relay.sessions.sign_out_everywhere(account)
    world.relay.accounts.delete(world.account(BOB))
    with pytest.raises(NotFound):
        world.relay.accounts.profile(BOB.name)


def test_a_receiver_who_has_moved_may_still_sign_in_with_the_profile_on_ens() -> None:
    world = settled()
    world.submit()
    world.publish(MOVED.with_new_keys())
    assert len(world.mail(MOVED.with_new_keys())) == 1


def test_the_name_that_was_written_to_decides() -> None:
    """Anyone may point a name at Bob's address and say of it what they like; it changes nothing for Bob."""
    world = settled()
    world.publish(MOVED, "evil.eth")
    with pytest.raises(ReceiverMoved):
        world.submit(world.letter(to="evil.eth"))
    world.submit()
    world.publish(MOVED)
    world.directory.add("evil.eth", BOB.address)
    world.submit(world.letter(text="by the other name", to="evil.eth"))


def test_an_account_may_begin_before_its_profile_is_published() -> None:
    world = World()
    world.publish(ALICE)
    world.directory.add(BOB.name, BOB.address)
    world.register(BOB)
    world.submit()
    assert len(world.mail()) == 1
    assert world.relay.accounts.status(world.account(BOB)).listed is None


def test_while_ens_does_not_answer_nobody_has_moved_but_senders_are_not_verified_either() -> None:
    world = settled()
    world.publish(MOVED)
    world.account(BOB)
    world.directory.fail = True
    with pytest.raises(Unavailable):
        world.submit()


def test_a_refusal_is_charged_to_its_source_and_costs_a_reading_afresh_at_most() -> None:
    world = settled(limited(source_submits_per_minute=2))
    world.publish(MOVED)
    world.directory.readings.clear()
    for number in range(2):
        with pytest.raises(ReceiverMoved):
            world.submit(world.letter(text=str(number)))
    assert world.directory.readings == [ALICE.name, BOB.name, BOB.name] * 2
    with pytest.raises(LimitExceeded):
        world.submit()
    assert len(world.directory.readings) == 6


def test_lookups_for_receivers_are_the_sources() -> None:
    registrations = 2
    world = settled(limited(source_lookups_per_minute=registrations + len([BOB, ALICE])))
    world.restarted()
    world.publish(MALLORY)
    world.directory.readings.clear()
    world.submit()
    with pytest.raises(LimitExceeded):
        world.submit(world.letter(MALLORY))
    world.submit(world.letter(MALLORY), source="192.0.2.66")


def test_an_unknown_receiver_is_told_first_then_a_forger_and_last_who_has_moved() -> None:
    world = settled()
    world.publish(MALLORY)
    with pytest.raises(UnknownReceiver) as caught:
        world.submit(world.letter(to="nobody.eth"))
    assert type(caught.value) is UnknownReceiver
    with pytest.raises(UnverifiedSender):
        world.submit(world.letter(MALLORY, claim=ALICE.name))
    world.publish(MOVED)
    with pytest.raises(UnverifiedSender):
        world.submit(world.letter(MALLORY, claim=ALICE.name))
    with pytest.raises(ReceiverMoved):
        world.submit(world.letter(MALLORY))


def test_what_was_accepted_before_a_move_is_still_answered_with_its_receipt() -> None:
    world = settled()
    letter = world.letter()
    first = world.submit(letter)
    world.publish(MOVED)
    again = world.submit(letter)
    assert again.duplicate
    assert again.receipt == first.receipt
    assert len(world.mail()) == 1


def test_an_alias_of_the_relays_name_is_its_name() -> None:
    world = World(RelaySettings("Relay.ETH"))
    world.settle(ALICE, BOB.moved_to("other.eth", "RELAY.eth"))
    world.submit()


# Encryption keys


def test_mail_of_before_a_change_of_keys_is_kept_and_marked() -> None:
    world = settled()
    world.submit(world.letter(text="for the old key"))
    [message] = world.mail()
    assert (message.encryption_key, message.older_key) == (BOB.encryption.public_key, False)
    new_bob = BOB.with_new_keys()
    world.register(world.publish(new_bob))
    world.submit(world.letter(receiver=new_bob, text="for the new key"))
    old, new = world.mail(new_bob)
    assert (old.encryption_key, old.older_key) == (BOB.encryption.public_key, True)
    assert (new.encryption_key, new.older_key) == (new_bob.encryption.public_key, False)
    assert old.envelope == message.envelope


def test_who_goes_back_to_a_key_reads_its_mail_again() -> None:
    world = settled()
    world.submit()
    new_bob = BOB.with_new_keys()
    world.register(world.publish(new_bob))
    world.publish(BOB)
    world.register(BOB)
    assert [message.older_key for message in world.mail()] == [False]
    status = world.relay.accounts.status(world.account(BOB))
    assert [key.public_encryption_key for key in status.former_keys] == [new_bob.encryption.public_key]


def test_the_owner_is_told_which_keys_were_replaced_and_when() -> None:
    world = settled()
    bob, replaced = BOB, []
    for _ in range(FORMER_KEYS + 2):
        world.clock.pass_s(60)
        replaced.append(FormerKey(bob.encryption.public_key, world.clock.now_ms()))
        bob = bob.with_new_keys()
        world.register(world.publish(bob))
    account = world.account(bob)
    status = world.relay.accounts.status(account, source=SOURCE)
    assert status.former_keys == tuple(replaced[-FORMER_KEYS:])
    assert status.public_encryption_key == account.encryption_key == bob.encryption.public_key
    assert (status.address, status.names, status.listed) == (BOB.address, (BOB.name,), True)
    assert status.created_at_ms == world.relay.accounts.export(account).created_at_ms
    assert world.relay.accounts.export(account).former_keys == status.former_keys


def test_a_profile_that_changes_nothing_but_its_services_replaces_no_key() -> None:
    world = settled()
    two = BOB.moved_to(RELAY_NAME, "other.eth")
    world.register(world.publish(two))
    assert world.relay.accounts.profile(BOB.name) == two.signed_profile
    assert world.relay.accounts.status(world.account(BOB)).former_keys == ()


def test_the_status_of_an_account_that_is_gone() -> None:
    world = settled()
    account = world.account(BOB)
    world.relay.accounts.delete(account)
    with pytest.raises(NotFound):
        world.relay.accounts.status(account)


def test_a_status_does_not_wait_for_ens() -> None:
    world = settled()
    account = world.account(BOB)
    world.directory.fail = True
    assert world.relay.accounts.status(account).listed is None


def test_messages_and_accounts_of_before_all_this_are_read() -> None:
    """What was written without the new members, under the same keys, stays as it was."""
    world = settled()
    world.submit()
    vault = Vault(SECRETS.index_key, SECRETS.storage_key, world.chance)
    [(inbox, items)] = world.store.inbox._items.items()
    [(key, item)] = items.items()
    context = b"message" + inbox + key.to_bytes()
    members = json.loads(unpack(vault.open(item.blob, context)))
    del members["encryptionKey"]
    items[key] = replace(item, blob=vault.seal(pack(json.dumps(members)), context))
    rows = world.store.accounts._rows
    for account, row in rows.items():
        members = json.loads(vault.open(row.sealed, b"account" + account))
        del members["formerKeys"]
        rows[account] = replace(row, sealed=vault.seal(json.dumps(members).encode(), b"account" + account))
    [message] = world.mail()
    assert (message.encryption_key, message.older_key) == (None, False)
    assert world.relay.accounts.status(world.account(BOB)).former_keys == ()
