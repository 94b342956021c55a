"""A limit on what a request may send, and on how long it may take to."""

import time

import anyio
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from admin.kit.languages import gettext

# The first step of the addresses that take short forms alone, most of them from strangers.
SMALL = ("login", "preferences", "logout", "account")
# What is left of the body isn't read, so the connection can't be used for another request.
CLOSE = {"Connection": "close"}


class BodyLimit:
    """Answers 413 to a body of more than `limit` bytes, whether it declares its length or not.

    `small_limit`, in bytes, holds for `SMALL`. A body that takes more than `seconds` is a 408.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        limit: int = 2 * 1024 * 1024,
        small_limit: int = 16 * 1024,
        seconds: float = 60,
    ) -> None:
        self.app = app
        self.limit = limit
        self.small_limit = small_limit
        self.seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self.small_limit if first_step(scope) in SMALL else self.limit
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isdecimal() and int(declared[:20]) > limit:
            raise too_large(limit)
        body = Body(receive, limit, time.monotonic() + self.seconds)
        await self.app(scope, body.receive, body.noting(send))


class Body:
    """What arrives of a request, until it is too much or too late.

    Whoever is being answered already gets no other answer then: they count as gone.
    """

    def __init__(self, receive: Receive, limit: int, deadline: float) -> None:
        self.receive_more = receive
        self.limit = limit
        self.deadline = deadline
        self.received = 0
        self.is_complete = False
        self.is_answered = False

    def noting(self, send: Send) -> Send:
        """Return what sends the answer, and knows that it has begun."""

        async def send_on(message: Message) -> None:
            self.is_answered = True
            await send(message)

        return send_on

    async def receive(self) -> Message:
        if self.is_complete:  # Now it is about when the browser leaves.
            return await self.receive_more()
        try:
            with anyio.fail_after(self.deadline - time.monotonic()):
                message = await self.receive_more()
        except TimeoutError:
            return self.refused(HTTPException(408, headers=CLOSE))
        self.received += len(message.get("body", b""))
        if self.received > self.limit:
            return self.refused(too_large(self.limit))
        self.is_complete = not message.get("more_body", False)
        return message

    def refused(self, error: HTTPException) -> Message:
        if self.is_answered:
            return {"type": "http.disconnect"}
        raise error


def first_step(scope: Scope) -> str:
    """Return the first step of the address, below the admin's own."""
    path = scope["path"].removeprefix(scope.get("root_path", ""))
    return str(path.lstrip("/").partition("/")[0])


def too_large(limit: int) -> HTTPException:
    most = limit // 1024
    sentence = gettext("What was sent is larger than %(size)s kB, the most allowed.", size=most)
    return HTTPException(413, sentence, headers=CLOSE)
