"""The Chalice application, put together from its blueprints for whatever relay it is given."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from chalice.app import Chalice, Request, Response

from chalicelib.api import (
    account,
    auth,
    delivery,
    inbox,
    logs,
    notifications,
    operator,
    profile,
    rpc,
    rules,
    status,
    unsubscribe,
    webhooks,
)
from chalicelib.api.edge import CORS, Middleware, Route, middleware

if TYPE_CHECKING:
    from chalicelib.notify.service import Notify
    from chalicelib.relay.service import Relay


def application(
    relay: Callable[[], Relay],
    notify: Callable[[], Notify],
    probe: Callable[[], None],
    finished: Callable[[], None] | None = None,
    *,
    origin_secret: str | None = None,
) -> Chalice:
    """The application. `relay` and `notify` are called when a request needs them, `probe` to see the store.

    `finished` is called at the end of each request: a function on Lambda may stand still right after it.
    `origin_secret` is what a distribution in front sends along (`api.source`).
    """
    logs.configure()
    # Chalice's own log would write the texts of exceptions; ours does not (`api.logs`).
    app = Chalice("dm3-relay", configure_logs=False)
    app.api.cors = CORS
    if finished is not None:
        app.register_middleware(_at_the_end(finished), "http")
    app.register_middleware(middleware(origin_secret), "http")
    described: list[Route] = []
    for routes in (
        rpc.routes(relay),
        delivery.routes(relay),
        auth.routes(relay, notify),
        profile.routes(relay),
        inbox.routes(relay),
        rules.routes(relay),
        account.routes(relay, notify),
        notifications.routes(relay, notify),
        unsubscribe.routes(notify),
        webhooks.routes(relay, notify),
        operator.routes(relay),
        status.routes(probe, described),
    ):
        app.register_blueprint(routes.blueprint)
        described.extend(routes.described)
    return app


def _at_the_end(finished: Callable[[], None]) -> Middleware:
    def call(request: Request, get_response: Callable[[Request], Response]) -> Response:
        try:
            return get_response(request)
        finally:
            finished()

    return call
