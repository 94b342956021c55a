"""Running actions: by POST only, for those who may, after a page that shows what will happen."""

from __future__ import annotations

import json
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from sqladmin.authentication import login_required
from sqlalchemy import select
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from admin.kit import messages
from admin.kit.actions.declared import Work, action_of
from admin.kit.actions.set_values import SetValues
from admin.kit.authentication import safe_next
from admin.kit.errors import Refused, require
from admin.kit.form_pages import stay_in_zone, undone_since
from admin.kit.formats import write_number
from admin.kit.forms import posted
from admin.kit.history import current_origin, origin
from admin.kit.history.recorder import UPDATE, table_of
from admin.kit.history.undoing import is_undone
from admin.kit.languages import gettext, in_sentence, ngettext, untranslated
from admin.kit.lookups import name_chosen
from admin.kit.once import keep_key, reason_in, stored_once
from admin.kit.progress import Progress, follow
from admin.kit.seen import ChangedSinceShown, Seen
from admin.kit.selection import BACK_FIELD, Selection
from admin.kit.templating import path_for
from admin.kit.withheld import bound
from admin.kit.zones import get_zone

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from sqlalchemy.orm import Session
    from starlette.datastructures import FormData
    from starlette.requests import Request

    from admin.kit.actions.declared import Action, Example, Question
    from admin.kit.model_admin import ModelAdmin
    from admin.kit.selection import Shown
    from admin.kit.site import AdminSite

# The page that an action was begun on, if it was none of a list.
FROM_FIELD = "_from"


def post_only(route: BaseRoute, method: Any, view: ModelAdmin) -> Route:
    """Return SQLAdmin's route for an action with our endpoint, which answers to POST alone."""
    assert isinstance(route, Route)  # noqa: S101 - SQLAdmin has just added it
    action = action_of(method)
    view.method_actions[action.slug] = action
    endpoint = partial(run_at, view, slug=action.slug)
    return Route(route.path, endpoint, methods=["POST"], name=route.name)


async def run(site: AdminSite, request: Request) -> Response:
    """Answer for all actions of all views."""
    slug = request.path_params["slug"]
    response: Response = await run_at(site.view(request), request, slug=slug)
    return response


@login_required
async def run_at(view: ModelAdmin, request: Request, *, slug: str) -> Response:
    """Check, ask, run the action, and go back to the list unless it answers by itself."""
    require(view.is_accessible(request))
    view = bound(view, request)
    action = view.find_actions().get(slug)
    if action is None:
        raise HTTPException(404)
    require(action.is_allowed(view, request))
    sent = await posted(request)
    stay_in_zone(sent)
    selection = Selection.read(view, request, sent, action.rights)
    request.state.action_rights = action.rights
    if not selection:
        messages.warning(request, gettext("Nothing was selected, so nothing was changed."))
        return await back(view, request)
    question = await action.ask(view, request, sent)
    is_due = question.is_answered or not action.must_ask(selection)
    if not (is_due and question.is_valid):
        keep_key(request, sent)
        return await ask(action, selection, question)
    progress = Progress()
    seen = Seen.read(sent) if question.is_answered else None
    work = Work(view, request, selection, question.data, seen, progress)
    answer = partial(run_once, action, work, question)
    once = partial(stored_once, view.site, request, answer, partial(done_before, action, work))
    return await (
        follow(view, request, once, progress, str(action.label)) if action.is_long else once()
    )


async def ask(
    action: Action, selection: Selection, question: Question, changes: Sequence[str] = ()
) -> Response:
    """Show what will happen; `changes` says what differs from the time before."""
    view, request = selection.view, selection.request

    def work(session: Session) -> tuple[Shown, list[Example]]:
        shown = selection.show(session)
        return shown, action.examples(view, request, session, shown.objects, question)

    try:
        shown, examples = await view.site.read(work)
    except Refused as refusal:
        question.is_valid, question.error = False, refusal.sentence
        shown, examples = await view.site.read(work)
    for field in question.fields:
        await name_chosen(view, request, field)
    is_wrong = not question.is_valid and (question.error or any(f.errors for f in question.fields))
    status = HTTPStatus.CONFLICT if changes else 400 if is_wrong else HTTPStatus.OK
    sent = await posted(request)
    request.state.reason = reason_in(sent)
    return await view.site.page(
        request,
        "sqladmin/confirm.html",
        status,
        title=str(action.label).removesuffix("…"),
        view=view,
        action=action,
        question=question,
        shown=shown,
        examples=examples,
        selection=selection,
        back=selection.back,
        came_from=place_in(request, sent),
        zone_key=get_zone().key,
        changes=changes,
    )


async def run_once(action: Action, work: Work, question: Question) -> Response:
    """Run the action, unless the rows are no longer as they were when it asked."""
    view, request = work.view, work.request

    try:
        # Setting values looks for itself, once the rows are locked.
        if not isinstance(action, SetValues):
            await view.site.read(partial(look_again, work))
        label = untranslated(action.label).removesuffix("…")
        with origin(source="action", reason=current_origin().reason or label):
            result = await action.run(work)
    except ChangedSinceShown as changed:
        return await ask(action, work.selection, question, changed.changes)
    if isinstance(result, Response):
        return result
    if isinstance(result, int):
        say_changed(view, request, result)
    elif isinstance(result, str):
        messages.success(request, result)
    return await back(view, request)


def look_again(work: Work, session: Session) -> None:
    """Raise `ChangedSinceShown` if the rows are not as the page showed them, or `Refused`."""
    shown = work.selection.show(session)
    if work.seen is None:
        return
    if work.selection.is_all:
        names = in_sentence(work.view.name_plural)
        work.seen.require_same_rows(shown.seen.text, names)
    else:
        objects = work.selection.objects(session, work.selection.keys, lock=False)
        work.seen.require_same(work.view, session, objects)


def say_changed(view: ModelAdmin, request: Request, count: int) -> None:
    if not count:
        messages.warning(request, gettext("All of it was so already: nothing was changed."))
        return
    messages.success(request, changed_sentence(view, count))


def changed_sentence(view: ModelAdmin, count: int) -> str:
    names = in_sentence(view.name if count == 1 else view.name_plural)
    return ngettext(
        "%(count)s %(names)s was changed.",
        "%(count)s %(names)s were changed.",
        count,
        count=write_number(count),
        names=names,
    )


async def done_before(action: Action, work: Work, operation: UUID) -> Response:
    """Say what the first request has done that sent the same."""
    view, request = work.view, work.request
    if view.site.journal is not None and await is_undone(view.site, operation):
        return undone_since(view, request, work.selection.back)
    is_counted = isinstance(action, SetValues) and view.site.journal is not None
    find = partial(stored_count, view, operation)
    count = await view.site.read(find) if is_counted else 0
    messages.warning(request, done_sentence(view, count))
    return await back(view, request)


def stored_count(view: ModelAdmin, operation: UUID, session: Session) -> int:
    """Return how many rows of the view an operation has updated."""
    sets, name = view.site.recorded.change_sets, table_of(view.mapper).name
    told = session.scalar(select(sets.summary).where(sets.operation == operation))
    counts = {(table, done): int(count) for table, done, count in json.loads(told or "[]")}
    return counts.get((name, UPDATE), 0)


def done_sentence(view: ModelAdmin, count: int) -> str:
    if not count:
        return gettext("This was done before; it was not done again.")
    names = in_sentence(view.name if count == 1 else view.name_plural)
    return ngettext(
        "%(count)s %(names)s was changed before; it was not done again.",
        "%(count)s %(names)s were changed before; it was not done again.",
        count,
        count=write_number(count),
        names=names,
    )


async def back(view: ModelAdmin, request: Request) -> Response:
    """Lead to the page that the action was begun on."""
    sent = await posted(request)
    place = place_in(request, sent)
    if place:
        return RedirectResponse(place, 302)
    return view.site.back_to_list(request, view, str(sent.get(BACK_FIELD, "")))


def place_in(request: Request, sent: FormData) -> str:
    """Return the page that a form says it came from, if it is one of the admin's."""
    place = str(sent.get(FROM_FIELD, ""))
    return place if place and place == safe_next(path_for(request, "index"), place) else ""
