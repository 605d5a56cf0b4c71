from __future__ import annotations

from chalicelib.api.webhook_models import AddedWebhook, Delivery, RotatedWebhook, Webhook
from chalicelib.notify.events import SizeClass
from chalicelib.notify.preferences import Endpoint, EndpointState, Secret
from chalicelib.notify.webhooks import deliveries
from chalicelib.notify.webhooks.deliveries import Attempt, DeliveryState
from chalicelib.notify.webhooks.forms import attempt_json, delivery_json, endpoint_json, with_secret
from chalicelib.notify.webhooks.log import Filed
from chalicelib.notify.webhooks.signing import Signature, new_secret
from tests.unit.relay.ports import SeededChance

URL = "https://a.example/hook"


def endpoint(kind: Signature) -> Endpoint:
    chance = SeededChance()
    secrets = (Secret(new_secret(kind, chance), 2), Secret(new_secret(kind, chance), 1, 500))
    return Endpoint("id", URL, EndpointState.PAUSED, secrets, 1, 7)


def test_a_shared_secret_is_told_only_where_it_is_asked_for() -> None:
    one = endpoint(Signature.V1)
    listed, told = endpoint_json(one, 499), with_secret(one, 499)
    Webhook.model_validate(listed)
    RotatedWebhook.model_validate(told)
    AddedWebhook.model_validate({**told, "challenge": attempt_json(Attempt(1, 2, 3))})
    assert told == {**listed, "secret": one.secrets[0].value}
    assert listed["oldSecretUntil"] == 500
    assert endpoint_json(one, 500)["oldSecretUntil"] is None
    assert not any(secret.value in str(listed) for secret in one.secrets)


def test_of_a_key_pair_the_private_half_is_never_told() -> None:
    one = endpoint(Signature.V1A)
    told = with_secret(one, 0)
    RotatedWebhook.model_validate(told)
    assert str(told["publicKey"]).startswith("whpk_")
    assert "whsk_" not in str(told)


def test_a_delivery_with_its_attempts() -> None:
    attempts = (Attempt(1, 2, 3, 500), Attempt(2, 4, 5, None, "timed_out"))
    delivery = deliveries.Delivery(
        "message.received", 1, DeliveryState.PENDING, "ab", SizeClass.SMALL, 2, 0, 9, None, attempts
    )
    form = delivery_json(Filed(b"k" * 32, b"e" * 24, 3, delivery))
    Delivery.model_validate(form)
    assert form["attempts"] == [
        {"try": 1, "at": 2, "latency": 3, "status": 500, "reason": None},
        {"try": 2, "at": 4, "latency": 5, "status": None, "reason": "timed_out"},
    ]
    assert (form["tries"], form["nextTryAt"], form["state"]) == (2, 9, "pending")
