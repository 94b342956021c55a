"""The secret of an app that is being set up stays the same until a code confirms it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from admin.auth.factors import totp

if TYPE_CHECKING:
    from starlette.requests import Request

    from admin.auth.factors.sealing import Sealer

PENDING = "app"
PENDING_LIFETIME = timedelta(minutes=15)


def pending_secret(request: Request, sealer: Sealer, operator_id: int) -> str:
    """Return the secret that the page showed before, or a new one.

    Phones load pages again when one comes back from another app, and the app has the first one.
    The cookie holds it sealed: a cookie that is found later tells nothing.
    """
    sealed = str(request.session.get(PENDING, ""))
    secret = sealer.open(operator_id, sealed, PENDING_LIFETIME)
    if secret is None:
        secret = totp.new_secret()
        request.session[PENDING] = sealer.seal(operator_id, secret)
    return secret


def forget_secret(request: Request) -> None:
    request.session.pop(PENDING, None)
