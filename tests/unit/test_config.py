from __future__ import annotations

import base64
import json
from dataclasses import asdict, replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key

from chalicelib.config import (
    InvalidSettings,
    Keys,
    NotifySettings,
    Quotas,
    Settings,
    SweeperSettings,
    Tables,
    WorkerSettings,
    new_push_key,
)
from chalicelib.notify.ports import Queue
from chalicelib.relay.settings import Limits

KEYS = Keys(b"e" * 32, b"s" * 32, b"t" * 32, b"i" * 32, (b"n" * 32, b"o" * 32), b"p" * 32)

COMPLETE = {
    "DM3_RELAY_NAME": "relay.eth",
    "DM3_RPC_URLS": "https://one.example/secret, http://127.0.0.1:8545",
    "DM3_KEYS": KEYS.to_text(),
    "DM3_INBOX_TABLE": "inbox",
    "DM3_SUBMISSIONS_TABLE": "submissions",
    "DM3_ACCOUNTS_TABLE": "accounts",
    "DM3_COUNTERS_TABLE": "counters",
    "DM3_NAMES_TABLE": "names",
    "DM3_CONNECTIONS_TABLE": "connections",
    "DM3_DELIVERIES_TABLE": "deliveries",
    "DM3_BODIES_BUCKET": "bodies",
}


def test_the_required_variables_are_enough() -> None:
    settings = Settings.read(COMPLETE)
    assert settings.rpc_urls == ("https://one.example/secret", "http://127.0.0.1:8545")
    assert settings.tables == Tables(
        "inbox", "submissions", "accounts", "counters", "names", "connections", "deliveries"
    )
    assert settings.keys == KEYS
    assert (settings.message_ttl_days, settings.size_limit_bytes, settings.lenient) == (30, 3_000_000, False)
    assert settings.universal_resolver is None, "the one of the main network"
    assert settings.ipfs_gateways is None, "the public ones"
    assert not settings.allow_local_urls
    assert settings.sweeper == SweeperSettings("bodies", None)


def test_everything_can_be_set() -> None:
    settings = Settings.read(
        {
            **COMPLETE,
            "DM3_KEYS": "",
            "DM3_KEYS_PARAMETER": "/dm3/keys",
            "DM3_AWS_URL": "http://127.0.0.1:4566",
            "DM3_MESSAGE_TTL_DAYS": "90",
            "DM3_SIZE_LIMIT_BYTES": "20000",
            "DM3_SENDER_MESSAGES_PER_HOUR": "1",
            "DM3_RECEIVER_KIB_PER_DAY": "2",
            "DM3_SOURCE_SUBMITS_PER_MINUTE": "3",
            "DM3_SOURCE_REGISTRATIONS_PER_HOUR": "0",
            "DM3_SOURCE_LOOKUPS_PER_MINUTE": "5",
            "DM3_SOURCE_KIB_PER_DAY": "6",
            "DM3_SOURCE_SOCKETS_PER_MINUTE": "7",
            "DM3_ACCOUNT_SOCKETS_PER_HOUR": "0",
            "DM3_SOCKET_FRAMES_PER_MINUTE": "8",
            "DM3_LENIENT": "true",
            "DM3_UNIVERSAL_RESOLVER": "0x" + "11" * 20,
            "DM3_OPERATOR_TOKEN_SHA256": "ab" * 32,
            "DM3_NAMES_LIFETIME_S": "5",
            "DM3_UNKNOWN_LIFETIME_S": "0",
            "DM3_IPFS_GATEWAYS": "https://a.example/{cid}, http://127.0.0.1:8080/ipfs/{cid}",
            "DM3_ALLOW_LOCAL_URLS": "true",
            "DM3_STALE_NAMES_S": "60",
            "DM3_NAME_ALIASES": ".gno=.gnosis.eth",
            "DM3_RPC_TIMEOUT_MS": "500",
            "DM3_RPC_TOTAL_MS": "900",
            "DM3_MAX_CHAIN_LAG_S": "0",
            "DM3_CHAIN_ID": "100",
        }
    )
    assert (settings.keys, settings.keys_parameter) == (None, "/dm3/keys")
    assert settings.aws_url == "http://127.0.0.1:4566"
    assert (settings.message_ttl_days, settings.size_limit_bytes, settings.lenient) == (90, 20_000, True)
    assert settings.quotas == Quotas(1, 2, 3, 0, 5, 6, 7, 0, 8)
    assert settings.universal_resolver == "0x" + "11" * 20
    assert (settings.names_lifetime_s, settings.unknown_lifetime_s) == (5, 0)
    assert settings.operator_token_sha256 == b"\xab" * 32
    assert settings.ipfs_gateways == ("https://a.example/{cid}", "http://127.0.0.1:8080/ipfs/{cid}")
    assert settings.allow_local_urls
    chain = settings.chain
    assert chain.aliases.target("alice.gno") == "alice.gnosis.eth"
    assert (chain.stale_names_s, chain.rpc_timeout_ms, chain.rpc_total_ms) == (60, 500, 900)
    assert (chain.max_lag_s, chain.chain_id) == (0, 100)


@pytest.mark.parametrize("name", [name for name in COMPLETE if name != "DM3_KEYS"])
@pytest.mark.parametrize("value", [None, "", "  "], ids=["absent", "empty", "blank"])
def test_a_missing_variable_is_named(name: str, value: str | None) -> None:
    environment = {key: text for key, text in COMPLETE.items() if key != name}
    if value is not None:
        environment[name] = value
    with pytest.raises(InvalidSettings, match=rf"^The environment variable {name} is missing\.$"):
        Settings.read(environment)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DM3_RPC_URLS", "ftp://secret.example"),
        ("DM3_RPC_URLS", ","),
        ("DM3_MESSAGE_TTL_DAYS", "29"),
        ("DM3_MESSAGE_TTL_DAYS", "thirty"),
        ("DM3_MESSAGE_TTL_DAYS", "-30"),
        ("DM3_MESSAGE_TTL_DAYS", "³0"),
        ("DM3_SIZE_LIMIT_BYTES", "3000001"),
        ("DM3_SIZE_LIMIT_BYTES", "9" * 5000),
        ("DM3_LENIENT", "yes"),
        ("DM3_ALLOW_LOCAL_URLS", "1"),
        ("DM3_IPFS_GATEWAYS", "https://a.example/{cid},https://b.example/ipfs"),
        ("DM3_IPFS_GATEWAYS", "ipfs://{cid}"),
        ("DM3_NAMES_LIFETIME_S", "1.5"),
        ("DM3_RELAY_NAME", "no name"),
        ("DM3_OPERATOR_TOKEN_SHA256", "secret"),
        ("DM3_OPERATOR_TOKEN_SHA256", "ab" * 33),
        ("DM3_OPERATOR_TOKEN_SHA256", "\u0661" * 64),
        ("DM3_NAME_ALIASES", ".secret=.SECRET.eth"),
        ("DM3_NAME_ALIASES", ".secret"),
        ("DM3_RPC_TIMEOUT_MS", "99"),
        ("DM3_CHAIN_ID", "mainnet"),
    ],
)
def test_an_invalid_variable_is_named_without_its_value(name: str, value: str) -> None:
    with pytest.raises(InvalidSettings, match=name) as refused:
        Settings.read({**COMPLETE, name: value})
    assert value not in str(refused.value)


@pytest.mark.parametrize(
    "extra", [{"DM3_KEYS_PARAMETER": "/dm3/keys"}, {"DM3_KEYS": ""}], ids=["both", "none"]
)
def test_keys_come_from_one_place(extra: dict[str, str]) -> None:
    with pytest.raises(InvalidSettings, match="either DM3_KEYS or DM3_KEYS_PARAMETER"):
        Settings.read({**COMPLETE, **extra})


def test_keys_survive_their_text() -> None:
    assert Keys.parse(KEYS.to_text()) == KEYS


def test_generated_keys_are_all_different() -> None:
    drawn = iter(range(1, 100))
    keys = Keys.generate(lambda size_bytes: bytes([next(drawn)]) * size_bytes)
    assert len({keys.encryption, keys.signing, keys.session, keys.index, keys.push, *keys.storage}) == 6
    assert Keys.parse(keys.to_text()) == keys


@pytest.mark.parametrize("drawn", [b"\x00", b"\xff", b"\x7f"])
def test_a_push_key_is_a_scalar_of_the_curve_whatever_is_drawn(drawn: bytes) -> None:
    key = new_push_key(lambda size_bytes: drawn * size_bytes)
    assert derive_private_key(int.from_bytes(key, "big"), SECP256R1()).private_numbers().private_value


def test_keys_from_before_there_was_web_push_are_read() -> None:
    older = replace(KEYS, push=None)
    assert "push" not in json.loads(older.to_text())
    assert Keys.parse(older.to_text()) == older


MEMBERS = json.loads(KEYS.to_text())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        json.dumps({**MEMBERS, "storage": []}),
        json.dumps({**MEMBERS, "storage": MEMBERS["index"]}),
        json.dumps({**MEMBERS, "index": None}),
        json.dumps({**MEMBERS, "push": None}),
        json.dumps({**MEMBERS, "push": base64.b64encode(bytes(32)).decode()}),
        json.dumps({**MEMBERS, "push": base64.b64encode(b"\xff" * 32).decode()}),
        json.dumps({**MEMBERS, "index": "c2VjcmV0"}),
        json.dumps({**MEMBERS, "index": "not base64 but secret"}),
        json.dumps({**MEMBERS, "index": base64.b64encode(bytes(33)).decode()}),
        json.dumps({**MEMBERS, "session": 5}),
    ],
)
def test_keys_of_another_form_are_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(InvalidSettings) as refused:
        Keys.parse(text)
    assert "secret" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_nothing_secret_is_printed() -> None:
    shown = repr(Settings.read(COMPLETE))
    assert "secret" not in shown
    for key in (KEYS.encryption, KEYS.signing, KEYS.session, KEYS.index, KEYS.push or b"", *KEYS.storage):
        assert repr(key) not in shown
        assert base64.b64encode(key).decode() not in shown


def test_the_relays_name_is_normalised_and_nobody_is_the_operator_by_default() -> None:
    settings = Settings.read({**COMPLETE, "DM3_RELAY_NAME": "Relay.ETH", "DM3_OPERATOR_TOKEN_SHA256": ""})
    assert settings.relay_name == "relay.eth"
    assert settings.operator_token_sha256 is None


def test_the_sweeper_is_told_of_its_bucket_only() -> None:
    assert SweeperSettings.read({"DM3_BODIES_BUCKET": "b"}) == SweeperSettings("b")
    with pytest.raises(InvalidSettings, match="DM3_BODIES_BUCKET"):
        SweeperSettings.read({})


def test_the_default_quotas_are_the_relays() -> None:
    assert asdict(Quotas()).items() <= asdict(Limits()).items()
    assert Settings.read(COMPLETE).quotas == Quotas()


TELLING = {
    "DM3_TOPIC_ARN": "arn:aws:sns:us-east-1:1:received",
    **{f"DM3_{queue.upper()}_QUEUE": f"https://sqs.example/{queue}" for queue in Queue},
    "DM3_STREAM_ARN": "arn:aws:dynamodb:us-east-1:1:table/inbox/stream/1",
    "DM3_SOCKETS_URL": "https://a.execute-api.us-east-1.amazonaws.com/api/",
    "DM3_MAIL_SENDER": "relay@example.com",
    "DM3_SMS": "true",
    "DM3_URL": "https://relay.example/",
    "DM3_ORIGIN_SECRET": "hush",
}


def test_without_more_nobody_is_told() -> None:
    assert Settings.read(COMPLETE).notify == NotifySettings()
    assert not NotifySettings().queues


def test_everything_about_telling_can_be_set() -> None:
    assert Settings.read({**COMPLETE, **TELLING}).notify == NotifySettings(
        topic_arn="arn:aws:sns:us-east-1:1:received",
        queues={queue: f"https://sqs.example/{queue}" for queue in Queue},
        stream_arn="arn:aws:dynamodb:us-east-1:1:table/inbox/stream/1",
        sockets_url="https://a.execute-api.us-east-1.amazonaws.com/api",
        mail_sender="relay@example.com",
        sms=True,
        url="https://relay.example",
        origin_secret="hush",
    )


def test_a_worker_needs_no_node_and_nothing_of_what_is_decided_about_messages() -> None:
    environment = {**COMPLETE, **TELLING, "DM3_AWS_URL": "http://127.0.0.1:4566"}
    del environment["DM3_RPC_URLS"]
    settings = WorkerSettings.read({**environment, "DM3_MESSAGE_TTL_DAYS": "never"})
    assert settings == Settings.read({**environment, "DM3_RPC_URLS": "http://127.0.0.1:1"}).worker
    assert settings.keys == KEYS


@pytest.mark.parametrize("name", ["DM3_SOCKETS_URL", "DM3_URL", "DM3_SMS"])
def test_an_invalid_variable_about_telling_is_named_without_its_value(name: str) -> None:
    with pytest.raises(InvalidSettings, match=name) as told:
        WorkerSettings.read({**COMPLETE, name: "secret nonsense"})
    assert "nonsense" not in str(told.value)


def test_the_origin_secret_is_not_printed() -> None:
    assert "hush" not in repr(Settings.read({**COMPLETE, **TELLING}))
