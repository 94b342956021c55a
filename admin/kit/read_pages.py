"""The pages that only read: lists, details, files of a list, and the choices of pickers."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from sqladmin.authorization import Action
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from admin.kit import changelist, exporting
from admin.kit.errors import require
from admin.kit.history import note
from admin.kit.history.recorder import table_of
from admin.kit.languages import gettext
from admin.kit.lookups import find_choices
from admin.kit.opened import open_details

if TYPE_CHECKING:
    from starlette.requests import Request

    from admin.kit.model_admin import ModelAdmin
    from admin.kit.site import AdminSite


async def show_list(site: AdminSite, request: Request) -> Response:
    """Show one page of a list."""
    view = site.view(request)
    require(await view.check_can_list(request))
    page = await site.read(partial(changelist.load_page, view, request))
    for row in page.rows:
        row.url = await row_path(view, request, row.obj)
    context = {
        "title": view.name_plural,
        "view": view,
        "page": page,
        "can_create": await view.check_can_create(request),
        "can_delete": view.can_delete and view.has_permission(request, "delete"),
        "can_export": await view.check_can_export(request),
        "actions": view.allowed_actions(request),
    }
    extra = await view.list_context(request)
    return await site.page(request, view.list_template, **{**extra, **context})


async def row_path(view: ModelAdmin, request: Request, obj: Any) -> str:
    """Return where a row leads: its form, else its details, else nowhere."""
    if await view.check_can_edit(request, obj):
        return view.site.object_path(request, "edit", view, obj)
    if await view.check_can_view_details(request, obj):
        return view.site.object_path(request, "details", view, obj)
    return ""


async def show_details(site: AdminSite, request: Request) -> Response:
    """Show one object."""
    view = site.view(request)
    opened = await site.read(partial(open_details, view, request))
    require(await view.check_can_view_details(request, opened.obj))
    context = {
        "title": opened.label,
        "view": view,
        "opened": opened,
        "can_edit": await view.check_can_edit(request, opened.obj),
        "can_delete": await view.check_can_delete(request, opened.obj),
        "actions": view.allowed_actions(request, in_detail=True),
    }
    extra = await view.details_context(request)
    return await site.page(request, view.details_template, **{**extra, **context})


async def export(site: AdminSite, request: Request) -> Response:
    """Stream the list as a file."""
    view, export_type = site.view(request), request.path_params["export_type"]
    require(await view.check_can_list(request) and await view.check_can_export(request))
    if export_type not in view.export_types:
        raise HTTPException(404)
    table_name = table_of(view.mapper).name
    await site.write(lambda session: note(session, "export", export_type, table_name=table_name))
    return await exporting.export(view, request, export_type)


async def look_up(site: AdminSite, request: Request) -> Response:
    """Answer an async picker."""
    view, name = site.view(request), request.query_params.get("name", "")
    if name not in view.pickers:
        raise HTTPException(400, gettext("There is no such picker."))
    require(await may_look_up(view, request, name))
    term = request.query_params.get("term", "").strip()
    query = await view.lookup_query(request, name, term)
    choices = partial(find_choices, query=query, loader=view.pickers[name], term=term)
    found = await site.read(choices)
    return JSONResponse({"results": [choice.as_json() for choice in found]})


async def may_look_up(view: ModelAdmin, request: Request, name: str) -> bool:
    """Say whether the operator may use this picker: in a form, or in a filter of the list."""
    if view.can_edit and view.has_permission(request, Action.EDIT):
        return True
    is_filter = any(filter_.column.key == name for filter_ in view.filters)
    is_on_list = is_filter and await view.check_can_list(request)
    return is_on_list or await view.check_can_create(request)
