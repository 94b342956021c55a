"""The security headers of every response."""

from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'"
)
# What no page here asks a browser for. Passkeys are left to this site alone.
REFUSED_FEATURES = (
    *("accelerometer", "camera", "display-capture", "geolocation", "gyroscope", "hid"),
    *("magnetometer", "microphone", "midi", "payment", "screen-wake-lock", "serial", "usb"),
)
PERMISSIONS_POLICY = ", ".join(
    [
        *(f"{feature}=()" for feature in REFUSED_FEATURES),
        "publickey-credentials-create=(self)",
        "publickey-credentials-get=(self)",
    ]
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": PERMISSIONS_POLICY,
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
}


PROTECTED = "admin.protected"


class SecurityHeaders:
    """Adds the headers; no cache stores an answer that doesn't say for itself that it may.

    An application may put it around all it answers; within, that of the site has no work left.
    """

    def __init__(self, app: ASGIApp, *, https: bool = False) -> None:
        self.app = app
        headers = dict(HEADERS)
        if https:
            headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
        # As ASGI has them: put in one by one, they take longer than all else here.
        self.headers = [(name.lower().encode(), text.encode()) for name, text in headers.items()]
        self.names = {name for name, _ in self.headers}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or PROTECTED in scope:
            await self.app(scope, receive, send)
            return
        scope[PROTECTED] = True

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = self.completed(message.get("headers", ()))
            await send(message)

        await self.app(scope, receive, send_with_headers)

    def completed(self, given: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """Return the headers of an answer with those that protect it."""
        own = [pair for pair in given if pair[0] not in self.names]
        is_said = any(name == b"cache-control" for name, _ in own)
        return [*own, *self.headers, *([] if is_said else [(b"cache-control", b"no-store")])]
