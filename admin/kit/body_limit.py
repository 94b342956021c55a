"""A limit on what a request may send."""

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from admin.kit.languages import gettext

FOR_STRANGERS = ("/login", "/preferences")


class BodyLimit:
    """Answers 413 to a body of more than `limit` bytes, whether it declares its length or not.

    `sign_in_limit`, in bytes, holds for what strangers may send.
    """

    def __init__(
        self, app: ASGIApp, *, limit: int = 2 * 1024 * 1024, sign_in_limit: int = 16 * 1024
    ) -> None:
        self.app = app
        self.limit = limit
        self.sign_in_limit = sign_in_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self.sign_in_limit if scope["path"].endswith(FOR_STRANGERS) else self.limit
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isdecimal() and int(declared) > limit:
            raise too_large(limit)
        received = 0

        async def receive_limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise too_large(limit)
            return message

        await self.app(scope, receive_limited, send)


def too_large(limit: int) -> HTTPException:
    most = limit // 1024
    sentence = gettext("What was sent is larger than %(size)s kB, the most allowed.", size=most)
    return HTTPException(413, sentence)
