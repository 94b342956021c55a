"""How HTTP is spoken where no other server stands in front: with limits before a request begins."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    import asyncio

# In bytes; the application, which answers in words, has lower limits.
LARGEST_HEAD = 64 * 1024
HEAD_SECONDS = 20.0
TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"Content-Type: text/plain\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
)
# Whoever reads the log could use it before who it was made for.
LINK = re.compile(r"(/login/link/)[^/?\s]+")


class BoundedProtocol(HttpToolsProtocol):
    """Cuts off who sends a head without end, or takes for ever to; uvicorn alone would wait."""

    head_size = 0
    head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.await_head()

    def data_received(self, data: bytes) -> None:
        if self.head_timer is not None:
            self.head_size += len(data)
        super().data_received(data)
        if self.head_timer is not None and self.head_size > LARGEST_HEAD:
            self.transport.write(TOO_LARGE)
            self.transport.close()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.await_head()

    def on_headers_complete(self) -> None:
        self.forget_timer()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self.forget_timer()
        super().connection_lost(exc)

    def await_head(self) -> None:
        self.forget_timer()
        self.head_size = 0
        self.head_timer = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def forget_timer(self) -> None:
        if self.head_timer is not None:
            self.head_timer.cancel()
            self.head_timer = None


def keep_links_out_of_the_log() -> None:
    """Let no line of uvicorn's log of requests hold what lets somebody choose a password."""
    logging.getLogger("uvicorn.access").addFilter(hide_links)


def hide_links(record: logging.LogRecord) -> bool:
    """Replace the tokens of links in a line; every line is written."""
    if isinstance(record.args, tuple):
        record.args = tuple(
            LINK.sub(r"\1…", value) if isinstance(value, str) else value for value in record.args
        )
    return True
