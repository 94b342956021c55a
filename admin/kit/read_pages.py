"""The pages that only read: lists, details, files of a list, and the choices of pickers."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from sqladmin.authorization import Action
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response

from admin.kit import exporting
from admin.kit.errors import require
from admin.kit.filters import builder, pickers
from admin.kit.filters.choosing import path_of
from admin.kit.history import note
from admin.kit.history.recorder import table_of
from admin.kit.languages import gettext
from admin.kit.lists.addresses import Address, heading, numbers
from admin.kit.lists.ahead import may_read_ahead, result_of
from admin.kit.lists.counts import asked_tallies
from admin.kit.lists.pages import load_page
from admin.kit.lists.panel import load_panel
from admin.kit.lists.rows import link_rows, table_rows
from admin.kit.lists.views import (
    PANELS,
    asks_for_view_alone,
    open_list,
    spelled_out,
    without_view,
)
from admin.kit.lookups import find_choices
from admin.kit.opened import open_details
from admin.kit.revealed import REVEAL, may_reveal
from admin.kit.templating import key_path
from admin.kit.withheld import bound, forget_names, unbind

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session
    from starlette.requests import Request

    from admin.kit.lists.counts import Tally
    from admin.kit.lists.pages import Page
    from admin.kit.lists.views import Listing
    from admin.kit.model_admin import ModelAdmin
    from admin.kit.opened import Opened
    from admin.kit.site import AdminSite


async def show_list(site: AdminSite, request: Request) -> Response:
    """Show one page of a list, as the view that was asked for has it."""
    view = site.view(request)
    require(await view.check_can_list(request))
    if moved := builder.applied_path(view, request):
        return RedirectResponse(moved, 302)
    part = request.query_params.get(builder.PART)
    if part in PANELS:
        return await show_panel(site, view, request, part)
    if part == "builder":
        request = await spelled_out(view, request)
        panel = await site.read(partial(load_panel, view, request))
        return await site.page(request, "sqladmin/filters/builder.html", view=view, panel=panel)
    work = partial(load_list, view, request)
    listing, page, tallies = await result_of(site, request, work)
    request = listing.request
    edits_cells = view.may_edit_list(request)
    await link_rows(view, request, page.rows, edits_cells=edits_cells)
    address = Address.of(request)
    can_delete = view.can_delete and view.has_permission(request, "delete")
    actions = view.allowed_actions(request)
    is_selectable = bool(can_delete or actions)
    context = {
        "title": view.name_plural,
        "view": view,
        "page": page,
        "address": address,
        "headings": [heading(column, page, address) for column in page.columns],
        "table_rows": table_rows(
            page.rows, page.columns, is_selectable=is_selectable, edits_cells=edits_cells
        ),
        "page_numbers": numbers(page, address),
        "listing": listing,
        "tallies": tallies,
        "can_create": await view.check_can_create(request),
        "can_delete": can_delete,
        "edits_cells": edits_cells,
        "can_export": await view.check_can_export(request),
        "can_reveal": may_reveal(view, request, view.export_names),
        "actions": actions,
        "is_selectable": is_selectable,
    }
    extra = await view.list_context(request)
    return await site.page(request, view.list_template, **{**extra, **context})


async def show_panel(site: AdminSite, view: ModelAdmin, request: Request, name: str) -> Response:
    """Show what a dropdown of the list holds; the rows are not needed for that."""
    listing = await site.read(partial(open_list, view, request))
    if not listing.can_keep:
        raise HTTPException(404)
    template = f"sqladmin/lists/{name}.html"
    return await site.page(listing.request, template, view=view, listing=listing)


def work_ahead(site: AdminSite, request: Request) -> Callable[[Session], Any] | None:
    """Return what reads the list that is asked for, if that may be done ahead."""
    asked = request.path_params["identity"]
    view = next((view for view in site.model_views() if view.identity == asked), None)
    if view is None or not may_read_ahead(view, request):
        return None
    return partial(read_ahead, view, request)


def read_ahead(
    view: ModelAdmin, request: Request, session: Session
) -> tuple[Listing, Page, dict[str, Tally]] | None:
    """Load the list as its operator's roles leave it, who is known by now; None if they forbid it.

    Where the database fails, it is done once more, for an operator whose roles may be others.
    """
    if not view.has_permission(request, Action.LIST):
        return None
    unbind(request)
    forget_names(view.site, request)
    return load_list(bound(view, request), request, session)


def load_list(
    view: ModelAdmin, request: Request, session: Session
) -> tuple[Listing, Page, dict[str, Tally]]:
    """Open the list and load the page; a view that can't be shown any more is no dead end."""
    listing = open_list(view, request, session)
    try:
        page = load_page(view, listing.request, session)
    except HTTPException as error:
        if error.status_code != HTTPStatus.BAD_REQUEST or not asks_for_view_alone(listing, request):
            raise
        listing = without_view(listing, error.detail)
        page = load_page(view, listing.request, session)
    return listing, page, asked_tallies(listing, request, session)


async def show_details(site: AdminSite, request: Request) -> Response:
    """Show one object."""
    view = site.view(request)
    opened = await site.read(partial(open_details, view, request))
    require(await view.check_can_view_details(request, opened.obj))
    context = {
        "title": opened.label,
        "view": view,
        "opened": opened,
        "can_edit": opened.may(Action.EDIT) and await view.check_can_edit(request, opened.obj),
        "can_delete": opened.may(Action.DELETE)
        and await view.check_can_delete(request, opened.obj),
        "actions": opened.allowed(view.allowed_actions(request, "details")),
        "reveal_path": reveal_path(view, request, opened),
    }
    extra = await view.details_context(request)
    response = await site.page(request, view.details_template, **{**extra, **context})
    if opened.seconds_left:
        # Masked again on the screen as well, without scripts.
        response.headers["Refresh"] = str(opened.seconds_left)
        response.headers["Cache-Control"] = "no-store"
    return response


def reveal_path(view: ModelAdmin, request: Request, opened: Opened) -> str:
    """Return where sensitive values of the object are asked for; "" for those who may not."""
    can_reveal = opened.may(REVEAL) and may_reveal(view, request, view.details_names)
    return key_path(request, "reveal", view.identity, opened.key) if can_reveal else ""


async def export(site: AdminSite, request: Request) -> Response:
    """Stream the list as a file."""
    view, export_type = site.view(request), request.path_params["export_type"]
    require(await view.check_can_list(request) and await view.check_can_export(request))
    if export_type not in view.export_types:
        raise HTTPException(404)
    table_name = table_of(view.mapper).name
    await site.write(lambda session: note(session, "export", export_type, table_name=table_name))
    return await exporting.export(view, await spelled_out(view, request), export_type)


async def look_up(site: AdminSite, request: Request) -> Response:
    """Answer an async picker."""
    view, name = site.view(request), request.query_params.get("name", "")
    if pickers.FOR_FILTER in request.query_params:
        require(await view.check_can_list(request))
        term = request.query_params.get("term", "").strip()
        offered = await pickers.look_up(view, request, name, term)
        return JSONResponse({"results": [choice.as_json() for choice in offered]})
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
    is_filter = any(path_of(filter_) == name for filter_ in view.filters)
    is_on_list = is_filter and await view.check_can_list(request)
    return is_on_list or await view.check_can_create(request)
