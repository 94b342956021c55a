"""What to answer to someone who is not signed in."""

from __future__ import annotations

import re
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlencode

from sqladmin.authentication import AuthenticationBackend
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from admin.kit.csrf import SAFE_METHODS
from admin.kit.history import set_origin, watch_recorded
from admin.kit.languages import gettext
from admin.kit.lists.ahead import identify_and_read
from admin.kit.templating import path_for

if TYPE_CHECKING:
    from sqlalchemy.orm import Session
    from starlette.requests import Request

    from admin.kit.site import AdminSite


def safe_next(front: str, target: str) -> str:
    """Return the path to open after signing in: one below the front page, else that page."""
    is_below = target.startswith(front) and "\\" not in target and target.isprintable()
    # Browsers walk up at `..`, however it is written.
    steps = unquote(re.split("[?#]", target)[0]).split("/")
    return target if is_below and ".." not in steps else front


class Authentication(AuthenticationBackend):
    """Base of the application's authentication: a subclass says who is asking.

    `AdminSite` sets `site`.
    """

    site: AdminSite

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

    def had_session(self, request: Request) -> bool:
        """Say whether the request comes from someone whose session may just have ended."""
        raise NotImplementedError

    async def authenticate(self, request: Request) -> bool | Response:
        """Let a request pass, or answer with the way to sign in that loses nothing."""
        if await self.identify(request):
            set_origin(
                operator_id=getattr(request.state, "operator_id", None),
                operator_name=request.state.operator_name,
                source="form",
                request_id=request.state.request_id,
                address=request.client.host if request.client else "",
            )
            done = watch_recorded()
            request.state.undo_path = partial(self.site.undo_path, request, done)
            return True
        if "application/json" in request.headers.get("accept", ""):
            raise HTTPException(HTTPStatus.UNAUTHORIZED)
        if request.method in SAFE_METHODS:
            return self.to_sign_in(request)
        if self.had_session(request):
            return await self.offer_to_send_again(request)
        return RedirectResponse(path_for(request, "login"), 302)

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
