"""Runs the vectors about sessions against a relay in memory. Ours are stricter on purpose (DESIGN)."""

from __future__ import annotations

from chalicelib.protocol.errors import Dm3Error, InvalidProfile
from chalicelib.protocol.profile import SignedUserProfile
from chalicelib.protocol.profile_uri import InlineProfile, data_uri, parse_profile_uri
from chalicelib.relay.settings import RelaySecrets
from chalicelib.relay.tokens import SESSION_LIFETIME_S, Tokens
from tests.unit.relay.ports import HandClock, SeededChance
from tests.unit.relay.world import ALICE, RELAY_NAME, World
from tests.vectors.cases import Case, Differs, check, runs


def _world(case: Case) -> World:
    session_key = case["server_secret"].encode().ljust(32, b"0")[:32]
    secrets = RelaySecrets(b"1" * 32, b"2" * 32, session_key)
    return World(clock=HandClock(case["now_ms"]), secrets=secrets)


def _tokens(case: Case) -> Tokens:
    return Tokens(case["server_secret"].encode(), RELAY_NAME, HandClock(case["now_ms"]), SeededChance())


@runs("server_secret")
def run_server_secret(case: Case) -> None:
    raise Differs(f"sessions have a key of their own, not one derived from others ({case['id']})")


@runs("auth_jwt")
def run_jwt(case: Case) -> None:
    def attempt() -> str:
        if case.get("valid_for", SESSION_LIFETIME_S) != SESSION_LIFETIME_S:
            raise Differs("a session lasts one hour, and no caller chooses")
        return _tokens(case).session(case["ens_name"], b"subject", b"epoch")

    check(case, attempt)


@runs("auth_challenge")
def run_challenge(case: Case) -> None:
    world = _world(case)
    if case["has_account"]:
        world.publish(ALICE, case["ens_name"])
        world.register(ALICE, case["ens_name"])
    check(case, lambda: world.relay.sessions.challenge(case["ens_name"]))


@runs("auth_check_token")
def run_check_token(case: Case) -> None:
    session = _tokens(case).read_session(case["token"])
    assert (session is not None and session.name == case["ens_name"]) == case["result"]


@runs("auth_middleware")
def run_middleware(case: Case) -> None:
    world = _world(case)
    world.settle(ALICE)

    def attempt() -> str | int:
        world.relay.sessions.authenticate(case["authorization_header"], case["ens_name"])
        return "next"

    if "error" in case:
        check(case, attempt)
        return
    try:
        outcome = attempt()
    except Dm3Error as error:
        outcome = error.status
    assert outcome == case["result"]


@runs("auth_new_session_token")
def run_new_session_token(case: Case) -> None:
    world = _world(case)
    world.directory.add(case["ens_name"], case["resolved_address"], case["text_record"])
    if case["has_account"] and case["text_record"]:
        uri = parse_profile_uri(case["text_record"])
        if not isinstance(uri, InlineProfile):
            raise InvalidProfile
        try:
            world.relay.accounts.register(case["ens_name"], uri.value, source="192.0.2.1")
        except Dm3Error:
            assert "error" in case
    check(case, lambda: world.relay.sessions.sign_in(case["ens_name"], case["challenge"], case["signature"]))


@runs("submit_user_profile")
def run_submit_user_profile(case: Case) -> None:
    world = _world(case)
    profile = case["signed_user_profile"]

    def attempt() -> object:
        world.directory.add("somebody.eth", case["address"], data_uri(profile))
        world.relay.accounts.register("somebody.eth", profile, source="192.0.2.1")
        stored = world.relay.accounts.profile("somebody.eth")
        assert stored == SignedUserProfile.parse(case["stored"]["account"]["signedUserProfile"])
        return None  # the reference answers a session token here

    check(case, attempt)
