"""Requests as a server hands them over, without a server: quicker than a client."""

from dataclasses import dataclass, field
from urllib.parse import unquote

import anyio
from starlette.types import ASGIApp, Message

Headers = list[tuple[bytes, bytes]]
SAFE = ("GET", "HEAD", "OPTIONS")


@dataclass
class Sent:
    """A request. `is_cut` says that the client leaves before the body is complete."""

    who: str
    method: str
    target: str
    headers: Headers = field(default_factory=list)
    body: bytes = b""
    is_cut: bool = False
    pieces: int = 1
    client: str = "192.0.2.7"

    @property
    def is_safe(self) -> bool:
        return self.method in SAFE

    def __str__(self) -> str:
        short = {n: v[:200] for n, v in self.headers if n != b"cookie"}
        return f"{self.who}: {self.method} {self.target[:1500]} {short} {self.body[:1500]!r}"


@dataclass
class Answer:
    status: int = 0
    headers: Headers = field(default_factory=list)
    body: bytes = b""
    error: Exception | None = None

    def header(self, name: bytes) -> bytes:
        return b", ".join(value for other, value in self.headers if other.lower() == name)


async def ask(app: ASGIApp, sent: Sent) -> Answer:
    """Return what the application answers, or the exception that escaped from it."""
    answer, waiting = Answer(), messages(sent)

    async def receive() -> Message:
        if waiting:
            return waiting.pop(0)
        await anyio.sleep_forever()
        raise AssertionError

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = list(message["headers"])
        elif message["type"] == "http.response.body":
            answer.body += message.get("body", b"")

    async def run() -> None:
        try:
            await app(scope(sent), receive, send)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what was looked for
            answer.error = error

    # A task of its own, as a server gives each request: what one sets in its context ends with it.
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run)
    return answer


def messages(sent: Sent) -> list[Message]:
    size = max(1, -(-len(sent.body) // sent.pieces))
    pieces = [sent.body[at : at + size] for at in range(0, len(sent.body), size)] or [b""]
    bodies: list[Message] = [
        {"type": "http.request", "body": piece, "more_body": number < len(pieces)}
        for number, piece in enumerate(pieces, 1)
    ]
    return [*bodies[:-1], {"type": "http.disconnect"}] if sent.is_cut else bodies


def scope(sent: Sent) -> dict[str, object]:
    """Return what uvicorn makes of the head of a request."""
    raw_path, _, query = sent.target.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "server": ("127.0.0.1", 8000),
        "client": (sent.client, 50000) if sent.client else None,
        "scheme": "http",
        "method": sent.method,
        "root_path": "",
        "path": unquote(raw_path),
        "raw_path": raw_path.encode(),
        "query_string": query.encode(),
        "headers": sent.headers,
        "state": {},
    }
