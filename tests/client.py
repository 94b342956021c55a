"""How a test client has its requests answered."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import httpx2
from starlette.testclient import _TestClientTransport
from starlette.types import Message

PORTS = {"http": 80, "https": 443}


class OneGo(_TestClientTransport):
    """Runs the application from the request's first byte to the answer's last.

    Starlette's own asks the event loop's thread for every piece of an answer, some twenty times a
    request; all that waking took longer than many of the pages.
    """

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.scheme not in PORTS:
            return super().handle_request(request)
        exchange = Exchange(request.read())
        with self.portal_factory() as portal:
            portal.call(self.app, self.scope(request), exchange.receive, exchange.send)
        return exchange.response(request)

    def scope(self, request: httpx2.Request) -> dict[str, Any]:
        url = request.url
        return {
            "type": "http",
            "http_version": "1.1",
            "method": request.method,
            "path": unquote(url.path),
            "raw_path": url.raw_path.split(b"?", 1)[0],
            "root_path": self.root_path,
            "scheme": url.scheme,
            "query_string": url.query,
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "client": self.client,
            "server": [url.raw_host.decode(), url.port or PORTS[url.scheme]],
            "state": self.app_state.copy(),
            "extensions": {"http.response.debug": {}},
        }


@dataclass
class Exchange(httpx2.SyncByteStream):
    """What one request says and hears."""

    body: bytes
    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    pieces: list[bytes] = field(default_factory=list)
    context: dict[str, Any] | None = None
    is_read: bool = False
    is_complete: asyncio.Event = field(default_factory=asyncio.Event)

    async def receive(self) -> Message:
        if self.is_read:
            await self.is_complete.wait()
            return {"type": "http.disconnect"}
        self.is_read = True
        return {"type": "http.request", "body": self.body}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            assert not self.status
            self.status, self.headers = message["status"], list(message["headers"])
        elif message["type"] == "http.response.body":
            assert self.status
            assert not self.is_complete.is_set()
            self.pieces.append(bytes(message.get("body", b"")))
            if not message.get("more_body"):
                self.is_complete.set()
        elif message["type"] == "http.response.debug":
            self.context = message["info"]["context"]

    def response(self, request: httpx2.Request) -> httpx2.Response:
        if request.method == "HEAD":
            self.pieces = []
        answer = httpx2.Response(self.status, headers=self.headers, stream=self, request=request)
        answer.context = self.context  # type: ignore[attr-defined]
        return answer

    def __iter__(self) -> Iterator[bytes]:
        yield from self.pieces
