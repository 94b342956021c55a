"""The account's front page, and the routes of all its pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from admin.account import confirm, password, sessions
from admin.kit.languages import gettext
from admin.kit.routing import route
from admin.kit.templating import path_for

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from admin.auth.sessions import SignedIn
    from admin.kit import AdminSite


def routes(site: AdminSite) -> list[Route]:
    either = ("GET", "POST")
    return [
        route("/account", site, show, "account"),
        *password.routes(site),
        route("/account/sessions", site, sessions.sessions, "sessions", *either),
        route("/account/confirm", site, confirm.show, "confirm", *either),
    ]


async def show(site: AdminSite, request: Request) -> Response:
    """Say who is signed in, what they may do, and what they can look after."""
    operator: SignedIn = request.state.operator
    title = gettext("Your account")
    context = {"title": title, "operator": operator, "sections": sections(request)}
    return await site.page(request, "account/index.html", **context)


def sections(request: Request) -> list[tuple[str, str, str]]:
    """Return the pages of the account: name, what it is for, and where."""
    return [
        (
            gettext("Password"),
            gettext("Change it; you are signed out everywhere else."),
            path_for(request, "account_password"),
        ),
        (
            gettext("Two-factor sign-in"),
            gettext("An app, passkeys and backup codes besides the password."),
            path_for(request, "factors"),
        ),
        (
            gettext("Sessions"),
            gettext("Where you are signed in, and who tried to be."),
            path_for(request, "sessions"),
        ),
    ]
