"""The pages that write: new objects, edited objects, deletions."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from admin.kit import deletion, messages
from admin.kit.choice_fields import RelatedField
from admin.kit.errors import Refused, require
from admin.kit.formats import write_number
from admin.kit.forms import VERSION_FIELD, ZONE_FIELD, add_error, fill, posted, sent_data
from admin.kit.keys import selected_keys
from admin.kit.languages import gettext, in_sentence
from admin.kit.lookups import Found, find_chosen
from admin.kit.opened import Opened, open_form
from admin.kit.templating import path_for
from admin.kit.zones import find_zone, get_zone, set_zone

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.datastructures import FormData
    from starlette.requests import Request
    from wtforms import Form

    from admin.kit.model_admin import ModelAdmin
    from admin.kit.site import AdminSite


async def create(site: AdminSite, request: Request) -> Response:
    """Show the form of a new object, and store it."""
    view = site.view(request)
    require(await view.check_can_create(request))
    form_class = await view.scaffold_form(view.create_rules)
    if request.method != "POST":
        return await show(view, request, fill(form_class, {}))
    sent = await posted(request)
    stay_in_zone(sent)
    form = fill(form_class, {}, sent)
    save = partial(view.insert_model, request, sent_data(form, sent))
    return await store(view, request, form, save)


async def edit(site: AdminSite, request: Request) -> Response:
    """Show the form of an object, and store what was changed."""
    view = site.view(request)
    if request.method == "POST":
        stay_in_zone(await posted(request))
    opened = await site.read(partial(open_form, view, request))
    require(await view.check_can_edit(request, opened.obj))
    form_class = await view.scaffold_form(view.edit_rules)
    if request.method != "POST":
        return await show(view, request, fill(form_class, opened.values), opened)
    sent = await posted(request)
    form = fill(form_class, opened.values, sent)
    data = sent_data(form, sent)
    if view.version_name and VERSION_FIELD in sent:
        data[view.version_name] = str(sent[VERSION_FIELD])
    save = partial(view.update_model, request, opened.key, data)
    return await store(view, request, form, save, opened)


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
) -> Response:
    """Show the form of an object, or of a new one."""
    context = {
        "title": opened.label if opened else gettext("New %(name)s", name=in_sentence(view.name)),
        "view": view,
        "form": form,
        "opened": opened,
        "zone_key": get_zone().key,
        "can_create": await view.check_can_create(request),
        "can_view": opened and await view.check_can_view_details(request, opened.obj),
        "can_delete": opened and await view.check_can_delete(request, opened.obj),
    }
    extra = await (view.edit_context(request) if opened else view.create_context(request))
    template = view.edit_template if opened else view.create_template
    return await view.site.page(request, template, status, **{**extra, **context})


async def store(
    view: ModelAdmin,
    request: Request,
    form: Form,
    save: Callable[[], Awaitable[Any]],
    opened: Opened | None = None,
) -> Response:
    """Save a form that holds no error; else show it again, with what was typed."""
    status, sent = 400, await posted(request)
    if form.validate():
        try:
            obj = await save()
        except Refused as refusal:
            add_error(form, refusal.field, refusal.sentence, view.label)
            status = refusal.status
        else:
            return saved(view, request, obj, sent, is_new=opened is None)
    if opened and status != HTTPStatus.CONFLICT:
        # Another mistake must not make the form forget at which version it was opened.
        opened.version = str(sent.get(VERSION_FIELD, opened.version))
    for field in form:
        if isinstance(field, RelatedField):
            await name_chosen(view, request, field)
    return await show(view, request, form, opened, status)


async def name_chosen(view: ModelAdmin, request: Request, field: RelatedField) -> None:
    """Let a picker that is shown again call what was chosen by its name, not by its key."""
    if not field.data or field.chosen:
        return
    query = await view.lookup_query(request, field.name)
    find = partial(find_chosen, query=query, field=field.name, key=field.data)
    with suppress(Refused):
        field.chosen = await view.site.read(lambda session: Found.of(find(session)).text)


def saved(
    view: ModelAdmin, request: Request, obj: Any, sent: FormData, *, is_new: bool
) -> Response:
    """Say what was stored and go where the button leads."""
    path = view.site.object_path(request, "edit", view, obj)
    added, changed = gettext("The %(name)s {} was added."), gettext("The %(name)s {} was changed.")
    sentence = (added if is_new else changed) % {"name": in_sentence(view.name)}
    messages.success(request, sentence, label=str(obj), url=path)
    answer = getattr(request.state, "after_change_response", None)
    if isinstance(answer, Response):
        return answer
    button = sent.get("save")
    if button == "Save and continue editing":
        return RedirectResponse(path, 302)
    if button == "Save and add another":
        return RedirectResponse(path_for(request, "create", identity=view.identity), 302)
    return view.site.back_to_list(request, view, request.url.query)


async def delete(site: AdminSite, request: Request) -> Response:
    """Show what a deletion takes with it, and delete."""
    view = site.view(request)
    require(view.can_delete and view.has_permission(request, "delete"))
    sent = await posted(request) if request.method == "POST" else request.query_params
    keys, back = selected_keys(view.model, sent), str(sent.get("_back", ""))
    if not keys:
        messages.warning(request, gettext("Nothing was selected, so nothing was deleted."))
        return site.back_to_list(request, view, back)
    if request.method != "POST":
        going = await site.read(partial(deletion.objects_to_delete, view, request, keys))
        context = {"title": gettext("Are you sure?"), "view": view, "keys": keys, "back": back}
        return await site.page(request, view.delete_template, going=going, **context)
    say_deleted(view, request, await deletion.delete(view, request, keys))
    return site.back_to_list(request, view, back)


def say_deleted(view: ModelAdmin, request: Request, labels: list[str]) -> None:
    if len(labels) == 1:
        name = in_sentence(view.name)
        sentence = gettext("The %(name)s {} was deleted.", name=name)
        messages.success(request, sentence, label=labels[0])
    else:
        count, names = write_number(len(labels)), in_sentence(view.name_plural)
        sentence = gettext("%(count)s %(names)s were deleted.", count=count, names=names)
        messages.success(request, sentence)
