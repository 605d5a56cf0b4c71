"""The API's models by name, imported when the first of them is used.

pydantic would take most of the time that the function needs to start, and requests without a body, or with
one that is no JSON, do not need it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.protocol.json_types import JsonValue

if TYPE_CHECKING:
    from pydantic import BaseModel

    from chalicelib.api.models import Input, Params


def input_model(name: str) -> type[Input]:
    """A model of what callers send. Raises KeyError for a name that is none."""
    from chalicelib.api.models import BODIES, PARAMS
    from chalicelib.api.notification_models import NOTIFICATION_BODIES
    from chalicelib.api.rule_models import RULE_BODIES
    from chalicelib.api.webhook_models import WEBHOOK_BODIES

    return {**BODIES, **PARAMS, **RULE_BODIES, **NOTIFICATION_BODIES, **WEBHOOK_BODIES}[name]


def output_model(name: str) -> type[BaseModel]:
    """A model of what is answered. Raises KeyError for a name that is none."""
    from chalicelib.api.notification_models import NOTIFICATION_RESULTS
    from chalicelib.api.results import MODELS
    from chalicelib.api.webhook_models import WEBHOOK_RESULTS

    return {**MODELS, **NOTIFICATION_RESULTS, **WEBHOOK_RESULTS}[name]


def read_params(name: str, value: JsonValue) -> Params:
    """Parameters of a JSON-RPC method as the model `name` reads them. Raises InvalidParams."""
    from chalicelib.api.models import PARAMS

    return PARAMS[name].read(value)
