"""Limits on the address and the headers of a request."""

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from admin.kit.languages import gettext

# In bytes, as servers in front of others have it; the longest groups of conditions stay below.
LONGEST_ADDRESS = 16 * 1024
LARGEST_HEADERS = 32 * 1024
MOST_HEADERS = 100
MOST_PARAMETERS = 1_000


class HeadLimit:
    """Answers 414 to a long address, 400 to one of endless parameters, 431 to large headers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            refuse_long_address(scope)
            refuse_large_headers(scope)
        await self.app(scope, receive, send)


def refuse_long_address(scope: Scope) -> None:
    query: bytes = scope["query_string"]
    if len(scope.get("raw_path") or scope["path"]) + len(query) > LONGEST_ADDRESS:
        raise HTTPException(414)
    if query.count(b"&") >= MOST_PARAMETERS:
        raise HTTPException(400, gettext("This address has too many parameters."))


def refuse_large_headers(scope: Scope) -> None:
    headers = scope["headers"]
    size = sum(len(name) + len(value) for name, value in headers)
    if len(headers) > MOST_HEADERS or size > LARGEST_HEADERS:
        raise HTTPException(431)
