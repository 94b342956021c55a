"""The signed cookie of a session, while the secret that signs it is replaced."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from itsdangerous import BadSignature, TimestampSigner
from starlette.datastructures import Headers
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import HTTPConnection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import ASGIApp, Message, Receive, Scope, Send


class SignedSessions(SessionMiddleware):
    """Signs with the first secret, accepts all of them, and signs anew what another one signed."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        secret_keys: Sequence[str],
        session_cookie: str,
        max_age: int,
        https_only: bool,
    ) -> None:
        super().__init__(
            self.renewing, secret_keys[0], session_cookie, max_age, https_only=https_only
        )
        self.inner = app
        self.newest = signer_of(secret_keys[:1])
        self.signer = signer_of(secret_keys)
        self.has_others = len(secret_keys) > 1

    async def renewing(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer within a session that is stored again if its signature is an older one's."""

        async def send_renewed(message: Message) -> None:
            # What a cache may share bears nobody's cookie.
            if message["type"] == "http.response.start" and not is_shared(message):
                scope["session"].mark_modified()
            await send(message)

        is_old = self.has_others and self.is_signed_by_another(scope)
        await self.inner(scope, receive, send_renewed if is_old else send)

    def is_signed_by_another(self, scope: Scope) -> bool:
        cookie = HTTPConnection(scope).cookies.get(self.session_cookie, "")
        try:
            self.newest.unsign(cookie)
        except BadSignature:
            return bool(scope["session"])  # One that nobody signed is empty.
        return False


def signer_of(secret_keys: Sequence[str], **options: Any) -> TimestampSigner:
    """Return what signs with the first secret, by HMAC-SHA-256, and accepts all of them."""
    # It takes the oldest one first.
    return TimestampSigner([*reversed(secret_keys)], digest_method=hashlib.sha256, **options)


def is_shared(message: Message) -> bool:
    return "public" in Headers(raw=message["headers"]).get("cache-control", "")
