"""Looking on with another operator's rights: what they see can be seen, and nothing changed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from sqladmin.authorization import Action
from sqlalchemy import update
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse

from admin.auth.access import Access
from admin.auth.granting import require_no_more
from admin.kit.authentication import ObjectLink, Viewing
from admin.kit.csrf import SAFE_METHODS
from admin.kit.errors import Refused, require, require_found
from admin.kit.history import note
from admin.kit.languages import gettext
from admin.kit.routing import route
from admin.kit.templating import path_for
from models import Operator, OperatorSession

if TYPE_CHECKING:
    from sqlalchemy.orm import Session
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from admin.auth.sessions import SignedIn
    from admin.kit import AdminSite


LONGEST_KEY = 18  # digits


def routes(site: AdminSite) -> list[Route]:
    return [
        route("/view-as/stop", site, stop, "stop_viewing", "POST"),
        route("/view-as/{id}", site, begin, "view_as", "POST"),
    ]


def links(request: Request, obj: Any) -> list[ObjectLink]:
    """Return the button of an operator's page; who may not press it is told why once pressed."""
    me: SignedIn = request.state.operator
    if not isinstance(obj, Operator) or obj.id == me.id or me.viewing_as or not obj.is_active:
        return []
    path = path_for(request, "view_as", id=str(obj.id))
    return [ObjectLink(gettext("View as"), path, is_post=True)]


def viewing(request: Request) -> Viewing | None:
    me: SignedIn | None = getattr(request.state, "operator", None)
    if me is None or not me.viewing_as:
        return None
    return Viewing(me.viewing_as, path_for(request, "stop_viewing"))


def refuse_changes(request: Request) -> None:
    """While somebody looks on as another, refuse what might change something, and accounts."""
    me: SignedIn = request.state.operator
    path = request.url.path
    if not me.viewing_as or path == path_for(request, "stop_viewing"):
        return
    account = path_for(request, "account")
    if request.method in SAFE_METHODS and path != account and not path.startswith(f"{account}/"):
        return
    sentence = gettext(
        "You look on as %(name)s, and can change nothing. Stop first, then try again.",
        name=me.viewing_as,
    )
    raise HTTPException(403, sentence)


async def begin(site: AdminSite, request: Request) -> Response:
    """Show the admin as another operator sees it, who may do no more than who is signed in."""
    may = site.authorization_backend.has_permission
    require(may(request, "operator", Action.DETAILS))
    key = str(request.path_params["id"])
    if not (key.isascii() and key.isdigit() and len(key) <= LONGEST_KEY):
        raise HTTPException(404)
    await site.read(partial(require_shown, site, request, key))
    await site.write(partial(look_on, request.state.operator, int(key)))
    return RedirectResponse(path_for(request, "index"), 302)


def require_shown(site: AdminSite, request: Request, key: str, session: Session) -> None:
    """Raise a 404 for an operator whose page may not be opened."""
    for view in site.views_of({Operator}, request):
        require_found(session.scalar(view.object_query(request, key, Action.DETAILS)))


def look_on(me: SignedIn, operator_id: int, session: Session) -> None:
    access = Access.read(session)
    row = access.operators.get(operator_id)
    if row is None:
        raise HTTPException(404)
    if operator_id == me.id or not row["is_active"]:
        raise Refused(gettext("Choose somebody else who is active."))
    require_no_more(access.permissions(me.id), access.permissions(operator_id), row["username"])
    look_with(session, me, operator_id)
    note(session, "view as", row["username"])


async def stop(site: AdminSite, request: Request) -> Response:
    """Go back to one's own rights."""
    me: SignedIn = request.state.operator

    def work(session: Session) -> None:
        look_with(session, me, None)
        if me.viewing_as:
            note(session, "stop viewing", me.viewing_as)

    await site.write(work)
    return RedirectResponse(path_for(request, "index"), 302)


def look_with(session: Session, me: SignedIn, operator_id: int | None) -> None:
    mine = OperatorSession.token_hash == me.token_hash
    session.execute(update(OperatorSession).where(mine).values(viewing_as_id=operator_id))
