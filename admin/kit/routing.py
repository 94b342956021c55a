"""Pages of a site that are functions, for who is signed in."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from sqladmin.authentication import login_required
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from admin.kit.site import AdminSite

    Page = Callable[[AdminSite, Request], Awaitable[Response]]


def route(path: str, site: AdminSite, page: Page, name: str, *methods: str) -> Route:
    """Return the route of a page, by GET unless other methods are named."""

    @login_required
    async def endpoint(_site: AdminSite, request: Request) -> Response:
        return await page(site, request)

    return Route(path, partial(endpoint, site), methods=[*methods] or ["GET"], name=name)
