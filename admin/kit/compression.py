"""Compression of what is made for each request; static files are compressed once, elsewhere."""

import re

from starlette.datastructures import Headers
from starlette.middleware.gzip import (
    DEFAULT_EXCLUDED_CONTENT_TYPES,
    GZipResponder,
    IdentityResponder,
)
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CODING = re.compile(
    r"([\w!#$%&'*+.^`|~-]+)\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*)?", re.IGNORECASE
)
# Of 42 kB of a list, 9 kB are left after 0.12 ms; level 5 takes twice as long for 1 kB less.
LEVEL = 1
SMALL = 500  # bytes, which are not worth the work
# Below, at most 0.8 ms of an export; a piece of an export above it would hold up other requests.
THREAD_SIZE = 64 * 1024
EXCLUDED = (
    *DEFAULT_EXCLUDED_CONTENT_TYPES,
    "application/octet-stream",
    "application/pdf",
    "font/*",
    "image/*",
)


def accepts_gzip(headers: Headers) -> bool:
    """Whether the client takes gzip, and doesn't like the plain answer better."""
    codings = accepted(",".join(headers.getlist("accept-encoding")))
    gzip = codings.get("gzip", codings.get("x-gzip", codings.get("*", 0.0)))
    return gzip > 0 and gzip >= codings.get("identity", 0.0)


def accepted(header: str) -> dict[str, float]:
    """Return the codings with their weights; what can't be understood is left out."""
    matches = (CODING.fullmatch(item.strip()) for item in header.split(","))
    return {match[1].lower(): float(match[2] or 1) for match in matches if match}


class Compression:
    """Compresses pages, answers to pickers, and exports piece by piece.

    Exports too: a quarter of the bytes is left, for 2 ms where making the rows takes 50, and in a
    thread, so that other requests don't wait.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        # Starlette's middleware looks for the word alone, and takes "gzip;q=0" for a yes.
        responder = Compressed(self.app) if accepts_gzip(Headers(scope=scope)) else Plain(self.app)
        await responder(scope, receive, send)


class LetsTestsSee(IdentityResponder):
    """Lets through what is no answer: Starlette's own drop what they don't know."""

    async def send_with_compression(self, message: Message) -> None:
        # This is how tests see a page's context.
        is_debug = message["type"] == "http.response.debug"
        await (self.send(message) if is_debug else super().send_with_compression(message))


class Plain(LetsTestsSee):
    """Sends an answer as it is, and says that for others it might be another."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(app, SMALL, exclude_content_types=EXCLUDED)


class Compressed(LetsTestsSee, GZipResponder):
    """Sends an answer compressed, unless it is small, or compressed already."""

    def __init__(self, app: ASGIApp) -> None:
        GZipResponder.__init__(
            self,
            app,
            SMALL,
            LEVEL,
            thread_minimum_size=THREAD_SIZE,
            exclude_content_types=EXCLUDED,
        )
