"""Compression of what is made for each request; static files are compressed once, elsewhere."""

import re

from starlette.datastructures import Headers
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CODING = re.compile(
    r"([\w!#$%&'*+.^`|~-]+)\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*)?", re.IGNORECASE
)
# Of 42 kB of a list, 8.5 kB are left after 0.08 ms; level 5 takes thrice as long for 730 bytes.
LEVEL = 3
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
        async def app(scope: Scope, receive: Receive, compress: Send) -> None:
            async def send_either(message: Message) -> None:
                # Starlette drops what it doesn't know, and this is how tests see a page's context.
                is_debug = message["type"] == "http.response.debug"
                await (send if is_debug else compress)(message)

            await self.app(scope, receive, send_either)

        compressing = GZipMiddleware(
            app,
            compresslevel=LEVEL,
            thread_minimum_size=THREAD_SIZE,
            exclude_content_types=EXCLUDED,
        )
        await compressing(with_plain_choice(scope), receive, send)


def with_plain_choice(scope: Scope) -> Scope:
    """Say yes or no to gzip: Starlette looks for the word alone, and takes "gzip;q=0" for a yes."""
    if scope["type"] != "http":
        return scope
    accept = b"gzip" if accepts_gzip(Headers(scope=scope)) else b"identity"
    others = [pair for pair in scope["headers"] if pair[0] != b"accept-encoding"]
    return {**scope, "headers": [*others, (b"accept-encoding", accept)]}
