"""The pages on which lists are edited: one cell for a script, and a page of the list as a form."""

from __future__ import annotations

import secrets
from functools import partial
from typing import TYPE_CHECKING, Any

from sqladmin.authorization import Action
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from admin.kit import messages, saving
from admin.kit.cells.sent import only, read_rows
from admin.kit.cells.sheet import Sheet, SheetRow, find, open_again, open_page, open_row
from admin.kit.cells.storing import Forms, NotStoredError, Work, edited
from admin.kit.errors import Refused, require
from admin.kit.form_pages import stay_in_zone, undone_since
from admin.kit.formats import write_number
from admin.kit.forms import posted
from admin.kit.history import AlreadyDoneError, current_origin, set_origin
from admin.kit.history.undoing import is_undone
from admin.kit.keys import key_of
from admin.kit.languages import gettext, in_sentence
from admin.kit.lists.addresses import Address, numbers
from admin.kit.lists.views import spelled_out
from admin.kit.naming import label_of
from admin.kit.once import is_stored, stored_once
from admin.kit.templating import key_path
from admin.kit.zones import get_zone

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from sqlalchemy.orm import Session
    from starlette.datastructures import FormData
    from starlette.requests import Request

    from admin.kit.cells.sent import SentRow
    from admin.kit.cells.storing import Edit
    from admin.kit.model_admin import ModelAdmin
    from admin.kit.site import AdminSite

EDIT = "_edit"


# What both have in common


async def editable_view(site: AdminSite, request: Request) -> ModelAdmin:
    """Return the view that the address names, if this operator may edit its list."""
    view = site.view(request)
    require(await view.check_can_list(request) and view.may_edit_list(request))
    return view


async def forms_of(view: ModelAdmin, names: Sequence[str]) -> Forms:
    whole = await view.scaffold_form(view.edit_rules)
    return Forms(whole, only(whole, names))


def most_rows(view: ModelAdmin) -> int:
    return max(view.page_size, *view.page_size_options)


async def store(
    view: ModelAdmin, request: Request, forms: Forms, rows: Sequence[SentRow]
) -> list[Edit]:
    """Store what was changed in these rows and return it; raise `NotStoredError` for any doubt."""
    operation = current_origin().operation
    names = {name: None for edit in edited(forms, rows) for name in edit.touched}
    queries = await saving.lookup_queries(view, request, names)
    try:
        edits: list[Edit] = await saving.write(view, Work(view, request, forms, queries, rows))
    except Refused as refusal:
        # The database may object as late as when all is stored.
        edits = edited(forms, rows)
        edits[0].add_error(refusal.field, refusal.sentence, view)
        raise NotStoredError(edits, refusal.status) from refusal
    # What it asks for is there already; perhaps the same request has just stored it.
    if not edits and await is_stored(view.site, operation):
        raise AlreadyDoneError(operation)  # type: ignore[arg-type]  # what is stored has one
    for edit in edits:
        await saving.after_change(view, request, edit.obj, edit.values, is_created=False)
    return edits


def say_changed(view: ModelAdmin, request: Request, edits: Sequence[Edit]) -> None:
    if len(edits) == 1:
        obj = edits[0].obj
        path = key_path(request, "edit", view.identity, key_of(obj))
        sentence = gettext("The %(name)s {} was changed.", name=in_sentence(view.name))
        messages.success(request, sentence, label=label_of(obj), url=path)
    elif edits:
        count, names = write_number(len(edits)), in_sentence(view.name_plural)
        sentence = gettext("%(count)s %(names)s were changed.", count=count, names=names)
        messages.success(request, sentence)
    else:
        messages.success(request, gettext("Nothing was changed."))


def say_stored_before(request: Request) -> None:
    messages.success(request, gettext("This was stored before; it was not stored again."))


# A page of the list


async def show_sheet(site: AdminSite, request: Request) -> Response:
    """Show a page of the list with inputs in its cells."""
    view = await editable_view(site, request)
    request = await spelled_out(view, request)
    forms = await forms_of(view, view.editable_names)
    sheet = await site.read(partial(open_page, view, request, forms.cells))
    return await show(view, request, sheet)


async def show(view: ModelAdmin, request: Request, sheet: Sheet, status: int = 200) -> Response:
    await sheet.name_chosen(view, request)
    address = Address.of(request)
    context: dict[str, Any] = {
        "title": gettext("Edit %(names)s", names=in_sentence(view.name_plural)),
        "view": view,
        "sheet": sheet,
        "page": sheet.page,
        "address": address,
        "page_numbers": numbers(sheet.page, address) if sheet.page else [],
        "back": request.url.remove_query_params(EDIT).query,
        "zone_key": get_zone().key,
    }
    return await view.site.page(request, "sqladmin/cells.html", status, **context)


async def save_sheet(site: AdminSite, request: Request) -> Response:
    """Store what was changed on a page of the list, all of it or nothing."""
    view = await editable_view(site, request)
    stay_in_zone(await posted(request))
    repeat = partial(sheet_stored_before, view, request)
    return await stored_once(site, request, partial(store_sheet, view, request), repeat)


async def store_sheet(view: ModelAdmin, request: Request) -> Response:
    """Store the rows; if one of them can't be, show them all again, with what was typed."""
    set_origin(source="cell")
    sent = await posted(request)
    forms = await forms_of(view, view.editable_names)
    rows = read_rows(sent, view.editable_names, most_rows(view))
    try:
        edits = await store(view, request, forms, rows)
    except NotStoredError as error:
        again = partial(open_again, view, request, forms.cells, rows, error.edits)
        return await show(view, request, await view.site.read(again), error.status)
    say_changed(view, request, edits)
    return to_list(view, request, sent)


async def sheet_stored_before(view: ModelAdmin, request: Request, operation: UUID) -> Response:
    """Lead where the first request led that stored the same."""
    if await is_undone(view.site, operation):
        return undone_since(view, request, request.url.remove_query_params(EDIT).query)
    say_stored_before(request)
    return to_list(view, request, await posted(request))


def to_list(view: ModelAdmin, request: Request, sent: FormData) -> Response:
    """Return to the place in the list; whoever stays goes on editing it."""
    url = request.url.remove_query_params(EDIT)
    if sent.get("save") == "Save and continue editing":
        url = url.include_query_params(**{EDIT: 1})
    return view.site.back_to_list(request, view, url.query)


# One cell


async def edit_cell(site: AdminSite, request: Request) -> Response:
    """Answer the script that edits one cell: with its inputs, or with what was stored."""
    view = await editable_view(site, request)
    name = request.query_params.get("name", "")
    if name not in view.editable_names:
        raise HTTPException(400, gettext("This column can't be edited in the list."))
    if request.method == "POST":
        stay_in_zone(await posted(request))
        repeat = partial(cell_stored_before, view, request)
        return await stored_once(site, request, partial(store_cell, view, request, name), repeat)
    forms = await forms_of(view, [name])
    row = await site.read(partial(open_cell, view, request, forms))
    return await show_cell(view, request, row)


def open_cell(view: ModelAdmin, request: Request, forms: Forms, session: Session) -> SheetRow:
    """Read the row that the address names, and give it an input under a name of its own."""
    key = request.path_params["pk"]
    obj = find(view, request, session, [key], Action.EDIT).get(key)
    if obj is None:
        view.missing(request, session, key)
    prefix = secrets.token_hex(4)
    row = open_row(view, request, forms.cells, prefix, obj, view.row(obj, request))
    require(bool(row.fields))
    return row


async def show_cell(
    view: ModelAdmin, request: Request, row: SheetRow, status: int = 200
) -> Response:
    await Sheet([row]).name_chosen(view, request)
    context = {"view": view, "row": row, "zone_key": get_zone().key}
    page = await view.site.page(request, "sqladmin/lists/cell.html", **context)
    return JSONResponse({"editor": bytes(page.body).decode()}, status)


async def store_cell(view: ModelAdmin, request: Request, name: str) -> Response:
    """Store one cell; if it can't be, answer with its inputs again, and what was typed."""
    set_origin(source="cell")
    key = request.path_params["pk"]
    forms = await forms_of(view, [name])
    rows = read_rows(await posted(request), [name], 1)
    if [row.key for row in rows] != [key]:
        raise HTTPException(400)
    try:
        edits = await store(view, request, forms, rows)
    except NotStoredError as error:
        again = partial(open_again, view, request, forms.cells, rows, error.edits)
        (row,) = (await view.site.read(again)).rows
        return await show_cell(view, request, row, error.status)
    if edits:
        say_changed(view, request, edits)
    return await show_row(view, request, key)


async def cell_stored_before(view: ModelAdmin, request: Request, operation: UUID) -> Response:
    if await is_undone(view.site, operation):
        undone_since(view, request, "")
    else:
        say_stored_before(request)
    return await show_row(view, request, request.path_params["pk"])


async def show_row(view: ModelAdmin, request: Request, key: str) -> Response:
    """Answer with the cells of a row as the list shows them now, and with what is to be said."""

    def work(session: Session) -> dict[str, str]:
        obj = find(view, request, session, [key], Action.LIST).get(key)
        # Stored, it may have left what the operator may see.
        cells = [] if obj is None else view.row(obj, request).cells
        return dict(zip(view.list_names, map(str, cells), strict=False))

    cells = await view.site.read(work)
    said = await view.site.page(request, "sqladmin/lists/messages.html", view=view)
    return JSONResponse({"cells": cells, "messages": bytes(said.body).decode()})
