"""What to answer to someone who is not signed in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlencode

from sqladmin.authentication import AuthenticationBackend
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from admin.kit.csrf import SAFE_METHODS
from admin.kit.history import address_of, set_origin, watch_recorded
from admin.kit.languages import gettext
from admin.kit.lists.ahead import identify_and_read
from admin.kit.templating import path_for
from admin.kit.withheld import forget_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session
    from starlette.requests import Request
    from starlette.routing import Route

    from admin.kit.model_admin import ModelAdmin
    from admin.kit.site import AdminSite


def safe_next(front: str, target: str) -> str:
    """Return the path to open after signing in: one below the front page, else that page."""
    is_below = target.startswith(front) and "\\" not in target and target.isprintable()
    # Browsers walk up at `..`, however it is written.
    steps = unquote(re.split("[?#]", target)[0]).split("/")
    return target if is_below and ".." not in steps else front


@dataclass(frozen=True)
class ObjectLink:
    """A link on an object's page, or a button that posts there."""

    label: str
    path: str
    is_post: bool = False


@dataclass(frozen=True)
class Viewing:
    """With whose rights pages are shown, and the path to post to when that is to end."""

    name: str
    stop_path: str


class Authentication(AuthenticationBackend):
    """Base of the application's authentication: a subclass says who is asking.

    `AdminSite` sets `site`.
    """

    site: AdminSite
    login_template = "sqladmin/login.html"

    async def identify(self, request: Request) -> bool:
        """Say whether someone signed in is asking: by `recognise`, unless it is found otherwise."""
        if not self.had_session(request):
            return False
        work = self.site.work_ahead(request)
        return await self.site.read(partial(identify_and_read, self.recognise, request, work))

    def recognise(self, request: Request, session: Session) -> bool:
        """Say whether someone signed in is asking; what their page reads comes in the same session.

        Put their name at `state.operator_name`, and their key, if it is a number, at
        `state.operator_id`, with all else that permissions ask for.
        """
        raise NotImplementedError

    def welcome(self, request: Request, response: Response) -> None:
        """Add to the answer to who has just signed in, such as a cookie."""

    def routes(self) -> Sequence[Route]:
        """Return the pages of its own, such as an account's, below the admin's address."""
        return ()

    def after_login(self, request: Request, target: str) -> str:
        """Return where a successful `login` leads: to `target`, unless something more is asked."""
        return target

    def account_path(self, request: Request) -> str:
        """Return where operators look after their own account; "" if nowhere."""
        return ""

    def object_links(self, request: Request, view: ModelAdmin, obj: Any) -> Sequence[ObjectLink]:
        """Return what the details page of an object offers besides the view's own buttons."""
        return ()

    def viewing(self, request: Request) -> Viewing | None:
        """Return as whom somebody looks on, and where to stop; None for who is themselves."""
        return None

    def recovery_path(self, request: Request) -> str:
        """Return where those go who forgot their password; "" if they ask somebody else."""
        return ""

    async def hold(self, request: Request) -> Response | None:
        """Answer instead of any page, while who is signed in has something else to do first."""
        return None

    async def confirm(self, request: Request) -> Response | None:
        """Ask who is signed in to prove it once more, before something dangerous is done.

        Returns None if they did so a short while ago.
        """
        return None

    def had_session(self, request: Request) -> bool:
        """Say whether the request comes from someone whose session may just have ended."""
        raise NotImplementedError

    async def authenticate(self, request: Request) -> bool | Response:
        """Let a request pass, or answer with the way to sign in that loses nothing."""
        if await self.identify(request):
            self.set_origin(request)
            done = watch_recorded()
            request.state.undo_path = partial(self.site.undo_path, request, done)
            forget_names(self.site, request)
            return await self.hold(request) or True
        if "application/json" in request.headers.get("accept", ""):
            raise HTTPException(HTTPStatus.UNAUTHORIZED)
        if request.method in SAFE_METHODS:
            return self.to_sign_in(request)
        if self.had_session(request):
            return await self.offer_to_send_again(request)
        return RedirectResponse(path_for(request, "login"), 302)

    def set_origin(self, request: Request) -> None:
        """Let what this request writes be of who is signed in."""
        set_origin(
            operator_id=getattr(request.state, "operator_id", None),
            operator_name=request.state.operator_name,
            source="form",
            request_id=request.state.request_id,
            address=address_of(request),
        )

    def to_sign_in(self, request: Request) -> Response:
        """Lead to the sign-in page, and from there back to what was asked for."""
        asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        login = path_for(request, "login")
        is_front = asked == path_for(request, "index")
        return RedirectResponse(login if is_front else f"{login}?{urlencode({'next': asked})}", 302)

    async def offer_to_send_again(self, request: Request) -> Response:
        """Keep what was typed on a page from which it can be sent once more."""
        sentence = gettext(
            "What you sent was not stored, because your session has ended. It is kept on this "
            "page: sign in, in another tab, then send it again."
        )
        return await self.site.send_again_page(
            request, HTTPStatus.UNAUTHORIZED, gettext("You are signed out"), sentence
        )
