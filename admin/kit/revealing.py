"""The pages that show sensitive values: of one object for a minute, or of a list as a file.

Both ask for a reason, which the history keeps with who asked and what was shown.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from admin.kit import exporting
from admin.kit.errors import require
from admin.kit.forms import posted
from admin.kit.history import note, origin
from admin.kit.history.recorder import table_of
from admin.kit.languages import gettext
from admin.kit.lists.views import spelled_out
from admin.kit.naming import label_of
from admin.kit.once import stored_once
from admin.kit.revealed import REVEAL, may_reveal, reveal, sensitive_names
from admin.kit.routing import route
from admin.kit.templating import key_path, path_for

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy.orm import Session
    from starlette.requests import Request
    from starlette.routing import Route

    from admin.kit.model_admin import ModelAdmin
    from admin.kit.site import AdminSite

LONGEST_REASON = 500


def routes(site: AdminSite) -> list[Route]:
    """Return the routes of a site that keeps a history of who asked."""
    either = ("GET", "POST")
    return [
        route("/{identity}/reveal/{pk:path}", site, reveal_object, "reveal", *either),
        route(
            "/{identity}/export/{export_type}/clear", site, export_clear, "export_clear", *either
        ),
    ]


# One object


async def reveal_object(site: AdminSite, request: Request) -> Response:
    """Ask why, and show the object's sensitive values for a minute."""
    view = site.view(request)
    require(may_reveal(view, request, view.details_names))
    label = await site.read(partial(find_label, view, request))
    if request.method != "POST":
        return await ask_object(view, request, label)
    repeat = partial(revealed_before, view, request)
    return await stored_once(site, request, partial(note_reveal, view, request, label), repeat)


def find_label(view: ModelAdmin, request: Request, session: Session) -> str:
    """Return what the object is called; raise a 404 or a 403 for one that may not be revealed."""
    key = request.path_params["pk"]
    obj = session.scalar(view.object_query(request, key, REVEAL))
    if obj is None:
        view.missing(request, session, key)
    return label_of(obj)


async def note_reveal(view: ModelAdmin, request: Request, label: str) -> Response:
    reason = read_reason(str((await posted(request)).get("_reason", "")))
    if not reason:
        return await ask_object(view, request, label, gettext("Say why you need to see it."))
    key, names = request.path_params["pk"], sensitive_names(view, view.details_names)

    def work(session: Session) -> None:
        find_label(view, request, session)
        name, columns = table_of(view.mapper).name, ", ".join(names)
        note(session, REVEAL, columns, table_name=name, key=key)

    with origin(reason=reason):
        await view.site.write(work)
    reveal(view, request, key)
    return to_details(view, request)


async def revealed_before(view: ModelAdmin, request: Request, _operation: UUID) -> Response:
    """Lead to the page; what was shown once is not shown for longer by sending the form again."""
    return to_details(view, request)


def to_details(view: ModelAdmin, request: Request) -> Response:
    path = key_path(request, "details", view.identity, request.path_params["pk"])
    return RedirectResponse(path, 302)


async def ask_object(view: ModelAdmin, request: Request, label: str, error: str = "") -> Response:
    names = sensitive_names(view, view.details_names)
    key = request.path_params["pk"]
    back = key_path(request, "details", view.identity, key)
    sentence = gettext("It is shown to you for one minute. The history keeps who asked, and why.")
    return await ask(view, request, names, error, title=label, back=back, sentence=sentence)


# A list


async def export_clear(site: AdminSite, request: Request) -> Response:
    """Ask why, and stream the list with its sensitive values, to somebody who proves who they are.

    It has the rows of the list that may be exported and revealed.
    """
    view, export_type = site.view(request), request.path_params["export_type"]
    require(await view.check_can_list(request) and await view.check_can_export(request))
    require(may_reveal(view, request, view.export_names))
    if export_type not in view.export_types:
        raise HTTPException(404)
    if request.method != "POST":
        return await ask_list(view, request)
    answer = await site.authentication_backend.confirm(request)
    if answer is not None:
        return answer
    reason = read_reason(str((await posted(request)).get("_reason", "")))
    if not reason:
        return await ask_list(view, request, gettext("Say why you need to see it."))
    name = table_of(view.mapper).name
    columns = ", ".join(sensitive_names(view, view.export_names))

    def work(session: Session) -> None:
        note(session, "export", export_type, table_name=name)
        note(session, REVEAL, columns, table_name=name)

    with origin(reason=reason):
        await site.write(work)
    asked = await spelled_out(view, request)
    return await exporting.export(view, asked, export_type, is_clear=True)


async def ask_list(view: ModelAdmin, request: Request, error: str = "") -> Response:
    names = sensitive_names(view, view.export_names)
    back = path_for(request, "list", identity=view.identity)
    back = f"{back}?{request.url.query}" if request.url.query else back
    sentence = gettext("The file has these values in clear. The history keeps who asked, and why.")
    title = view.name_plural
    return await ask(view, request, names, error, title=title, back=back, sentence=sentence)


# Both


def read_reason(text: str) -> str:
    """Return the reason as it is kept."""
    return " ".join(text.replace("\0", "\ufffd").split())[:LONGEST_REASON]


async def ask(
    view: ModelAdmin,
    request: Request,
    names: list[str],
    error: str,
    *,
    title: str,
    back: str,
    sentence: str,
) -> Response:
    """Show the form, with what was wrong with it."""
    return await view.site.page(
        request,
        "sqladmin/reveal.html",
        400 if error else 200,
        title=gettext("Reveal: %(name)s", name=title),
        view=view,
        fields=[view.label(name) for name in names],
        sentence=sentence,
        error=error,
        back=back,
    )
