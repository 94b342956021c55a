"""Refuses changes that another site started.

Browsers say where a request comes from; the rules are those of Filippo Valsorda's "Cross-Site
Request Forgery" (2025), which Go's `http.CrossOriginProtection` follows too. There is no token to
put into forms.
"""

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from admin.kit.languages import gettext

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


class CrossSiteError(HTTPException):
    """What another site started was refused."""

    def __init__(self) -> None:
        super().__init__(403, gettext("This request came from another site and was refused."))


class CrossOriginProtection:
    """Answers 403 to an unsafe request from another origin, a sibling subdomain included."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" or (
            scope["type"] == "http"
            and scope["method"] not in SAFE_METHODS
            and not is_same_origin(Headers(scope=scope))
        ):
            raise CrossSiteError
        await self.app(scope, receive, send)


def is_same_origin(headers: Headers) -> bool:
    """Judge by `Sec-Fetch-Site`, else by `Origin` or `Referer`.

    A request with none of the three doesn't come from a browser, so there is no one to protect.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    source = headers.get("origin", headers.get("referer"))
    try:
        return source is None or urlsplit(source).netloc == headers.get("host")
    except ValueError:  # It is no address, such as `http://[`.
        return False
