"""The page that says why an operator may do something to an object, or what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from sqladmin.authorization import Action
from sqlalchemy import select

from admin.auth.access import Access
from admin.kit.authentication import ObjectLink
from admin.kit.errors import require, require_found
from admin.kit.keys import key_of
from admin.kit.languages import gettext
from admin.kit.naming import label_of
from admin.kit.roles import screens_of
from admin.kit.roles.changes import said_of
from admin.kit.roles.explaining import Explanation, Reason, as_somebody, askable, explain, find
from admin.kit.routing import route
from admin.kit.templating import path_for
from models import Operator

if TYPE_CHECKING:
    from sqlalchemy.orm import Session
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from admin.kit import AdminSite, ModelAdmin
    from admin.kit.permissions import Permissions

MOST_NAMES = 200


@dataclass(frozen=True)
class Subject:
    """The operator who is asked about."""

    id: int
    name: str
    is_active: bool
    permissions: Permissions


def routes(site: AdminSite) -> list[Route]:
    return [route("/{identity}/why/{pk:path}", site, show, "why")]


def may_ask(site: AdminSite, request: Request) -> bool:
    """Say whether somebody may see who there is, and what they may do: the answer tells both."""
    may = site.authorization_backend.has_permission
    return all(may(request, screen, Action.LIST) for screen in ("role", "operator"))


def links(view: ModelAdmin, request: Request, obj: Any) -> list[ObjectLink]:
    """Return the link on an object's page; on an operator's page it asks about them."""
    if not may_ask(view.site, request):
        return []
    path = path_for(request, "why", identity=view.identity, pk="") + quote(key_of(obj), safe="")
    asked = f"?{urlencode({'operator': obj.username})}" if isinstance(obj, Operator) else ""
    return [ObjectLink(gettext("Who may?"), f"{path}{asked}")]


async def show(site: AdminSite, request: Request) -> Response:
    """Answer for the operator and the right that the address names."""
    view, key = site.view(request), request.path_params["pk"]
    require(may_ask(site, request))
    asked = str(request.query_params.get("operator", "")).replace("\0", "")

    def work(session: Session) -> tuple[Any, str, Subject | None, list[str]]:
        obj = find(view, request, key, Action.DETAILS, session)
        require_found(obj)
        names = session.scalars(select(Operator.username).order_by(Operator.username))
        label = label_of(obj)
        return obj, label, subject_of(session, asked), list(names.fetchmany(MOST_NAMES))

    obj, label, subject, names = await site.read(work)
    require(await view.check_can_view_details(request, obj))
    rights = askable(view)
    right = request.query_params.get("right", Action.EDIT)
    right = str(right) if right in rights else next(iter(rights))
    answer = await explained(view, request, key, right, subject) if subject else None
    return await site.page(
        request,
        "roles/why.html",
        title=gettext("Who may do what to “%(name)s”?", name=label),
        view=view,
        key=key,
        label=label,
        asked=asked,
        subject=subject,
        names=names,
        rights=rights,
        right=right,
        answer=answer,
        said=said_of(subject.permissions, screens_of(site)) if subject else [],
    )


def subject_of(session: Session, name: str) -> Subject | None:
    """Return the operator of that name with all that they may do."""
    stmt = select(Operator.id, Operator.username, Operator.is_active)
    row = session.execute(stmt.where(Operator.username == name)).one_or_none()
    if row is None:
        return None
    return Subject(row.id, row.username, row.is_active, Access.read(session).permissions(row.id))


async def explained(
    view: ModelAdmin, request: Request, key: str, right: str, subject: Subject
) -> Explanation:
    """Ask the view as the operator's own request would; who is not active has none."""
    theirs = as_somebody(
        request, subject.permissions, operator_id=subject.id, operator_name=subject.name
    )
    answer = await explain(view, theirs, key, right, subject.name)
    if subject.is_active:
        return answer
    sentence = gettext("%(name)s is not active, so can't sign in.", name=subject.name)
    return Explanation(False, [Reason(False, sentence), *answer.reasons])
