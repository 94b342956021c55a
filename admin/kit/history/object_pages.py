"""The pages of one object's history, of its versions, and of the trash."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from admin.kit import messages
from admin.kit.errors import Refused, require
from admin.kit.formats import write_number
from admin.kit.forms import VERSION_FIELD, posted
from admin.kit.history import objects, trash, undoing, versions
from admin.kit.history.obstacles import may_open, object_path, told
from admin.kit.history.origin import origin
from admin.kit.history.sight import is_recorded
from admin.kit.history.timeline import parse_number
from admin.kit.history.undo import CollisionsError
from admin.kit.history.wording import quoted
from admin.kit.languages import gettext, in_sentence, ngettext
from admin.kit.reading import may_be_called
from admin.kit.templating import key_path, path_for

if TYPE_CHECKING:
    from starlette.requests import Request

    from admin.kit.history.subjects import Subject
    from admin.kit.model_admin import ModelAdmin
    from admin.kit.site import AdminSite


async def object_page(site: AdminSite, request: Request) -> Response:
    """Show what happened to an object, or how it was; make it that way again."""
    view = recorded_view(site, request)
    at = request.query_params.get("at", "")
    if not at and request.method == "POST":
        raise HTTPException(400, gettext("Say which version to restore."))
    if not at:
        return await show_object(view, request)
    number = parse_number(at)
    if number is None:
        raise HTTPException(404)
    version = await site.read(partial(versions.read_version, view, request, number))
    if request.method == "POST":
        return await site.confirm(request) or await restore_version(view, request, version)
    return await show_version(view, request, version)


def recorded_view(site: AdminSite, request: Request) -> ModelAdmin:
    view = site.view(request)
    if not is_recorded(site.journal, view):
        raise HTTPException(404)
    return view


async def show_object(view: ModelAdmin, request: Request) -> Response:
    before = trash.read_cursor(request.query_params.get("before", ""))
    found = await view.site.read(partial(objects.read_history, view, request, before))
    return await view.site.page(
        request,
        "sqladmin/history_object.html",
        title=gettext("History of %(name)s", name=found.subject.label),
        view=view,
        found=found,
        is_first=before is None,
        page_url=await page_url(view, request, found.subject),
        trash_url=trash_path(view, request) if found.subject.is_gone else "",
    )


async def page_url(view: ModelAdmin, request: Request, subject: Subject) -> str:
    """Return where the object itself is opened, or ""."""
    if subject.is_gone:
        return ""
    page = "edit" if subject.may_edit else "details"
    return key_path(request, page, view.identity, subject.key)


async def show_version(
    view: ModelAdmin,
    request: Request,
    version: versions.Version,
    status: int = 200,
    error: str = "",
) -> Response:
    subject = version.subject
    title = gettext("%(name)s after change %(number)s", name=subject.label, number=version.id)
    can_restore = view.can_undo and subject.may_edit and not subject.is_gone
    return await view.site.page(
        request,
        "sqladmin/history_version.html",
        status,
        title=title,
        view=view,
        version=version,
        error=error,
        history_url=object_path(request, view, subject.key),
        can_restore=can_restore and bool(version.values),
    )


async def restore_version(
    view: ModelAdmin, request: Request, version: versions.Version
) -> Response:
    """Store an earlier version as an ordinary edit."""
    subject, sent = version.subject, await posted(request)
    if subject.is_gone:
        raise HTTPException(404, gettext("It was deleted: restore it from the trash first."))
    require(subject.may_edit and view.can_undo)
    back = RedirectResponse(object_path(request, view, subject.key), 302)
    if not version.values:
        sentence = gettext("It is as it was then, so nothing was changed.")
        messages.warning(request, sentence)
        return back
    data = dict(version.values)
    if view.version_name and VERSION_FIELD in sent:
        data[view.version_name] = str(sent[VERSION_FIELD])
    try:
        # Stored as it is for everyone; `wording.reason` translates it.
        with origin(source="restore", reason=f"As after change {version.id}"):
            await view.update_model(request, subject.key, data)
    except Refused as refusal:
        return await show_version(view, request, version, refusal.status, refusal.sentence)
    sentence = gettext("The %(name)s {} is as it was after change %(number)s.")
    sentence %= {"name": in_sentence(view.name), "number": version.id}
    messages.success(request, sentence, label=subject.label, url=str(back.headers["location"]))
    return back


# The trash


def has_trash(view: ModelAdmin, request: Request) -> bool:
    """Say whether the operator may see what was deleted of a view, and put it back.

    Where a view hides rows, it can't say who was to see one that is gone, so there is no trash.
    """
    is_kept = is_recorded(view.site.journal, view) and view.can_undo
    return is_kept and not view.hides_rows(request) and view.may_create(request)


def trash_path(view: ModelAdmin, request: Request) -> str:
    return path_for(request, "trash", identity=view.identity) if has_trash(view, request) else ""


async def trash_page(site: AdminSite, request: Request) -> Response:
    """Show what was deleted of one model, and put it back."""
    view = recorded_view(site, request)
    require(await view.check_can_list(request) and await view.check_can_create(request))
    if view.hides_rows(request) or not view.can_undo:
        raise HTTPException(404)
    if request.method == "POST":
        return await site.confirm(request) or await restore(view, request)
    before = trash.read_cursor(request.query_params.get("before", ""))
    found = await site.read(partial(trash.read_trash, site.recorded, view, before))
    return await show_trash(view, request, found)


async def show_trash(view: ModelAdmin, request: Request, found: trash.Trash) -> Response:
    return await view.site.page(
        request,
        "sqladmin/history_trash.html",
        title=gettext("Deleted %(names)s", names=in_sentence(view.name_plural)),
        view=view,
        found=found,
        is_first=not request.query_params.get("before"),
        can_open=may_open(view, request),
    )


async def restore(view: ModelAdmin, request: Request) -> Response:
    """Put a deleted row back, with all that went along with it."""
    site, key = view.site, str((await posted(request)).get("pks", ""))
    back = RedirectResponse(path_for(request, "trash", identity=view.identity), 302)
    try:
        found = await site.read(partial(trash.find_trashed, site.recorded, view, key))
        undone = await undoing.restore_tree(site, request, found)
    except CollisionsError as error:
        first = told(site, request, error.undone.collisions[0])
        before, _, after = first["sentence"].partition("{}")
        return not_restored(request, back, f"{before}{quoted(first['label'])}{after}")
    except Refused as refusal:
        return not_restored(request, back, refusal.sentence)
    sentence = restored(in_sentence(view.name), undone.count - 1)
    path = key_path(request, "details", view.identity, key)
    label = found.label if may_be_called(view.model) else ""
    messages.success(request, sentence, label=label or key, url=path)
    return back


def not_restored(request: Request, back: Response, sentence: str) -> Response:
    nothing = gettext("Nothing was restored.")
    messages.warning(request, f"{nothing} {sentence}")
    return back


def restored(name: str, count: int) -> str:
    """Say that a row is back, with how many others."""
    if not count:
        return gettext("The %(name)s {} was restored.", name=name)
    return ngettext(
        "The %(name)s {} was restored, with %(count)s that went along.",
        "The %(name)s {} was restored, with %(count)s that went along.",
        count,
        name=name,
        count=write_number(count),
    )
