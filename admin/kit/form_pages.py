"""The pages that write: new objects, edited objects, deletions."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from sqladmin.authorization import Action
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from admin.kit import deletion, edit_page, messages
from admin.kit.errors import SENTENCES, ChangedMeanwhile, Refused, require
from admin.kit.formats import write_number
from admin.kit.forms import ZONE_FIELD, add_error, fill, fingerprint, posted, sent_data
from admin.kit.history import AlreadyDoneError, current_origin
from admin.kit.history.undoing import is_undone
from admin.kit.languages import gettext, in_sentence
from admin.kit.lookups import name_chosen
from admin.kit.naming import label_of
from admin.kit.once import find_stored, is_stored, stored_once
from admin.kit.opened import Opened, open_form
from admin.kit.progress import Progress, follow
from admin.kit.seen import ChangedSinceShown, Seen
from admin.kit.selection import Selection
from admin.kit.templating import path_for
from admin.kit.zones import find_zone, get_zone, set_zone

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from starlette.datastructures import FormData
    from starlette.requests import Request
    from wtforms import Form

    from admin.kit.edit_page import Attempt, Collision
    from admin.kit.merging import Merged
    from admin.kit.model_admin import ModelAdmin
    from admin.kit.site import AdminSite

# Whoever is overtaken that often is told so; each time it was someone else who got on.
MOST_ATTEMPTS = 100


async def create(site: AdminSite, request: Request) -> Response:
    """Show the form of a new object, and store it."""
    view = site.view(request, Action.CREATE)
    if request.method == "POST":
        stay_in_zone(await posted(request))
        repeat = partial(stored_before, view, request, "")
        return await stored_once(site, request, partial(store_new, view, request), repeat)
    require(await view.check_can_create(request))
    return await show(view, request, fill(await view.scaffold_form(view.create_rules), {}))


async def store_new(view: ModelAdmin, request: Request) -> Response:
    """Store a new object; if the form holds an error, show it again, with what was typed."""
    require(await view.check_can_create(request))
    sent = await posted(request)
    form = fill(await view.scaffold_form(view.create_rules), {}, sent)
    status = 400
    if form.validate():
        try:
            data = sent_data(form, sent)
            if question := await view.ask_first(request, None, data):
                return question
            obj = await view.insert_model(request, data)
        except Refused as refusal:
            add_error(form, refusal.field, refusal.sentence, view.label)
            status = refusal.status
        else:
            sentence = gettext("The %(name)s {} was added.", name=in_sentence(view.name))
            return saved(view, request, obj, sent, sentence)
    return await show(view, request, form, None, status)


async def edit(site: AdminSite, request: Request) -> Response:
    """Show the form of an object, and store what was changed."""
    view = site.view(request)
    if request.method == "POST":
        stay_in_zone(await posted(request))
        repeat = partial(stored_before, view, request, request.path_params["pk"])
        return await stored_once(site, request, partial(store_or_keep, view, request), repeat)
    opened = await site.read(partial(open_form, view, request))
    require(await view.check_can_edit(request, opened.obj))
    form = fill(await view.scaffold_form(view.edit_rules), opened.values)
    return await show(view, request, form, opened)


async def store_or_keep(view: ModelAdmin, request: Request) -> Response:
    """Store what was changed; of an object that is gone, keep what was typed."""
    try:
        return await store_changes(view, request)
    except HTTPException as error:
        if error.status_code != HTTPStatus.NOT_FOUND:
            raise
        title, gone = gettext("Error %(status)s", status=404), SENTENCES[404]
        kept = gettext(
            "What you sent is kept on this page: if the object is restored, send it again."
        )
        return await view.site.send_again_page(request, 404, title, f"{gone} {kept}")


async def store_changes(view: ModelAdmin, request: Request) -> Response:
    """Store what was changed over what others have stored by now, until nobody comes between."""
    for _ in range(MOST_ATTEMPTS):
        attempt = await edit_page.attempt(view, request)
        operation = current_origin().operation
        # Of those who came between, one may be the same request.
        if attempt.is_stale and operation and await is_stored(view.site, operation):
            raise AlreadyDoneError(operation)
        try:
            return await store_merged(view, request, attempt)
        except ChangedMeanwhile:
            continue
    return await show_overtaken(view, request, attempt)


async def store_merged(view: ModelAdmin, request: Request, attempt: Attempt) -> Response:
    """Store what can be merged; else show the form again, with what was typed."""
    form, status = attempt.fill(), 400
    is_valid, merged = form.validate(), attempt.merge(form)
    if merged.collisions:
        return await show_collisions(view, request, attempt, merged)
    if is_valid:
        if attempt.base is None:
            return await show_overtaken(view, request, attempt)
        try:
            data = attempt.data(form, merged)
            if question := await view.ask_first(request, attempt.opened.obj, data):
                return question
            obj = await view.update_model(request, attempt.opened.key, data)
        except ChangedMeanwhile:
            raise
        except Refused as refusal:
            add_error(form, refusal.field, refusal.sentence, view.label)
            status = refusal.status
        else:
            return saved(view, request, obj, attempt.sent, attempt.sentence(merged))
    attempt.keep_opened()
    return await show(view, request, form, attempt.opened, status)


async def show_collisions(
    view: ModelAdmin, request: Request, attempt: Attempt, merged: Merged
) -> Response:
    """Ask which version to keep of each field that others have changed as well."""
    form, collisions = await attempt.ask(request, merged)
    form.validate()
    form.form_errors.append(
        gettext(
            "Someone else changed some of the same fields after you opened them. Nothing is stored "
            "yet, and nothing you typed is lost: choose below what to keep, then save."
        )
    )
    for name in collisions:
        add_error(form, name, gettext("Choose which one to keep."), view.label)
    return await show(view, request, form, attempt.opened, HTTPStatus.CONFLICT, collisions)


async def show_overtaken(view: ModelAdmin, request: Request, attempt: Attempt) -> Response:
    """Show what was typed beside a version that it can't be merged with."""
    attempt.renew()
    form = fill(attempt.form_class, attempt.opened.values, attempt.sent)
    form.validate()
    add_error(form, None, ChangedMeanwhile().sentence, view.label)
    return await show(view, request, form, attempt.opened, HTTPStatus.CONFLICT)


def stay_in_zone(sent: FormData) -> None:
    """Read the form in the zone it was shown in, whatever another tab has chosen since."""
    if ZONE_FIELD in sent:
        zone = find_zone(str(sent[ZONE_FIELD]))
        if zone is None:
            raise HTTPException(400, gettext("There is no such time zone."))
        set_zone(zone)


async def show(
    view: ModelAdmin,
    request: Request,
    form: Form,
    opened: Opened | None = None,
    status: int = HTTPStatus.OK,
    collisions: dict[str, Collision] | None = None,
) -> Response:
    """Show the form of an object, or of a new one."""
    for field in form:
        await name_chosen(view, request, field)
    context = {
        "title": opened.label if opened else gettext("New %(name)s", name=in_sentence(view.name)),
        "view": view,
        "form": form,
        "opened": opened,
        "zone_key": get_zone().key,
        "shown": opened and (opened.shown or fingerprint(form)),
        "collisions": collisions or {},
        "can_create": await view.check_can_create(request),
        "can_view": opened
        and opened.may(Action.DETAILS)
        and await view.check_can_view_details(request, opened.obj),
        "can_delete": opened
        and opened.may(Action.DELETE)
        and await view.check_can_delete(request, opened.obj),
        "actions": opened.allowed(view.allowed_actions(request, "form")) if opened else [],
    }
    extra = await (view.edit_context(request) if opened else view.create_context(request))
    template = view.edit_template if opened else view.create_template
    return await view.site.page(request, template, status, **{**extra, **context})


def saved(view: ModelAdmin, request: Request, obj: Any, sent: FormData, sentence: str) -> Response:
    """Say what was stored and go where the button leads."""
    path = view.site.object_path(request, "edit", view, obj)
    messages.success(request, sentence, label=label_of(obj), url=path)
    answer = getattr(request.state, "after_change_response", None)
    if isinstance(answer, Response):
        return answer
    button = sent.get("save")
    if button == "Save and continue editing":
        return RedirectResponse(path, 302)
    if button == "Save and add another":
        path = path_for(request, "create", identity=view.identity)
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"{path}{query}", 302)
    return view.site.back_to_list(request, view, request.url.query)


async def stored_before(view: ModelAdmin, request: Request, key: str, operation: UUID) -> Response:
    """Lead where the first request led that sent the same; `key` is the object's, if it had one."""
    if await is_undone(view.site, operation):
        return undone_since(view, request, request.url.query)
    find = partial(find_stored, view, request, operation, key)
    label, obj = await view.site.read(find)
    sentence = gettext("{} was stored before; it was not stored again.")
    if obj is not None:
        return saved(view, request, obj, await posted(request), sentence)
    nameless = gettext("This was stored before; it was not stored again.")
    messages.success(request, sentence if label else nameless, label=label)
    return view.site.back_to_list(request, view, request.url.query)


async def delete(site: AdminSite, request: Request) -> Response:
    """Show what a deletion takes with it, and delete."""
    view = site.view(request)
    require(view.can_delete and view.has_permission(request, "delete"))
    if request.method == "POST":
        progress, repeat = Progress(), partial(deleted_before, view, request)
        delete_now = partial(delete_selected, view, request, progress)
        once = partial(stored_once, site, request, delete_now, repeat)
        return await follow(view, request, once, progress, gettext("Delete"))
    return await ask_to_delete(Selection.read(view, request, request.query_params, Action.DELETE))


async def ask_to_delete(selection: Selection, changes: Sequence[str] = ()) -> Response:
    """Show what a deletion takes with it; `changes` says what differs from the time before."""
    view, request, back = selection.view, selection.request, selection.back
    if not selection:
        return nothing_selected(view, request, back)
    going = await view.site.read(partial(deletion.objects_to_delete, selection))
    context = {
        "title": gettext("Are you sure?"),
        "view": view,
        "selection": selection,
        "keys": selection.keys,
        "back": back,
    }
    status = HTTPStatus.CONFLICT if changes else HTTPStatus.OK
    context |= await view.delete_context(request, selection.keys)
    return await view.site.page(
        request, view.delete_template, status, going=going, changes=changes, **context
    )


async def delete_selected(view: ModelAdmin, request: Request, progress: Progress) -> Response:
    """Delete what was shown, or show it again if it has changed since."""
    sent = await posted(request)
    selection = Selection.read(view, request, sent, Action.DELETE)
    if not selection:
        return nothing_selected(view, request, selection.back)
    try:
        deleted = await deletion.delete(selection, Seen.read(sent), progress)
    except ChangedSinceShown as changed:
        return await ask_to_delete(selection, changed.changes)
    say_deleted(view, request, deleted)
    return view.site.back_to_list(request, view, selection.back)


async def deleted_before(view: ModelAdmin, request: Request, operation: UUID) -> Response:
    """Lead where the first request led that deleted the same."""
    back = str((await posted(request)).get("_back", ""))
    if await is_undone(view.site, operation):
        return undone_since(view, request, back)
    messages.success(request, gettext("This was deleted before; nothing more was deleted."))
    return view.site.back_to_list(request, view, back)


def undone_since(view: ModelAdmin, request: Request, back: str) -> Response:
    """Say that a form was sent again from an old page: what it asks for is not how things are."""
    sentence = gettext(
        "This was done before and undone since. It was not done again: open the form anew to do so."
    )
    messages.warning(request, sentence)
    return view.site.back_to_list(request, view, back)


def nothing_selected(view: ModelAdmin, request: Request, back: str) -> Response:
    messages.warning(request, gettext("Nothing was selected, so nothing was deleted."))
    return view.site.back_to_list(request, view, back)


def say_deleted(view: ModelAdmin, request: Request, deleted: deletion.Deleted) -> None:
    if deleted.label:
        sentence = gettext("The %(name)s {} was deleted.", name=in_sentence(view.name))
        messages.success(request, sentence, label=deleted.label)
    elif not deleted.count:
        messages.warning(request, gettext("Nothing was selected, so nothing was deleted."))
    else:
        count, names = write_number(deleted.count), in_sentence(view.name_plural)
        sentence = gettext("%(count)s %(names)s were deleted.", count=count, names=names)
        messages.success(request, sentence)
