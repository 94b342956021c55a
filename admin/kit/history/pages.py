"""The pages of the history: what was done, to what, and the way back."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqladmin.authorization import Action
from sqlalchemy import func, literal, select
from sqlalchemy.orm import aliased
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from admin.kit import messages
from admin.kit.errors import require
from admin.kit.formats import write_number
from admin.kit.forms import posted
from admin.kit.history import undoing
from admin.kit.history.images import load
from admin.kit.history.object_pages import object_page, trash_page
from admin.kit.history.obstacles import may_open, object_path, told
from admin.kit.history.sight import (
    Sight,
    is_recorded,
    may_undo,
    must_confirm,
    visible_columns,
)
from admin.kit.history.timeline import (
    Timeline,
    Told,
    models_of,
    parse_number,
    read_query,
    summary,
    visible,
)
from admin.kit.history.undo import CollisionsError, Undone
from admin.kit.history.wording import (
    ACTIONS,
    ANY_SIGN_IN,
    DONE,
    SIGN_INS,
    SOURCES,
    action_word,
    reason,
    source_word,
    words,
)
from admin.kit.languages import gettext, ngettext
from admin.kit.routing import route
from admin.kit.templating import path_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Select
    from sqlalchemy.orm import Session
    from starlette.requests import Request
    from starlette.routing import Route

    from admin.kit.site import AdminSite


PAGE = 100
MOST_UNCONFIRMED = 100  # rows that are put back without asking who is there


def routes(site: AdminSite) -> list[Route]:
    """Return the routes of a site that keeps a history."""
    either = ("GET", "POST")
    return [
        route("/history", site, show_timeline, "history"),
        route("/history/{id}", site, show_set, "history_set"),
        route("/history/{id}/undo", site, undo, "history_undo", "POST"),
        route("/{identity}/history/{pk:path}", site, object_page, "object_history", *either),
        route("/{identity}/trash", site, trash_page, "trash", *either),
    ]


# All change sets


def path(site: AdminSite, request: Request) -> str:
    """Return where the whole history is, or "" for those who may see none of it."""
    for view in site.model_views(request):
        may_see = view.is_accessible(request) and view.has_permission(request, Action.LIST)
        if may_see and is_recorded(site.journal, view):
            return path_for(request, "history")
    return ""


async def show_timeline(site: AdminSite, request: Request) -> Response:
    """Show what was done, newest first."""
    sight = await Sight.of(site, request)
    require(bool(sight.views))
    models = models_of(sight)
    asked = read_query(request.query_params, models)
    page = await site.read(Timeline(site, sight, asked).page)
    context = {"models": models, "actions": ACTIONS, "sources": SOURCES, "page": page}
    context["sign_ins"] = ANY_SIGN_IN
    title = gettext("History")
    return await site.page(request, "sqladmin/history.html", title=title, **context)


# One change set


@dataclass(frozen=True)
class Line:
    """One row of a change set; `url` is its history, for those who may see it."""

    what: str
    model: str
    label: str
    fields: Sequence[str]
    url: str


@dataclass(frozen=True)
class OpenedSet:
    told: Told
    operation: UUID
    lines: Sequence[Line]
    older: int | None
    is_undone: bool


async def find_set(site: AdminSite, request: Request) -> Any:
    """Return the change set which the address names by its number or operation; raise a 404."""
    text, sets = request.path_params["id"], site.recorded.change_sets
    number = parse_number(text)
    operation = None if number else parse_operation(text)
    if number is None and operation is None:
        raise HTTPException(404)
    undoing_sets = aliased(sets)
    undone = select(func.max(undoing_sets.id)).where(undoing_sets.undoes == sets.id)
    stmt = select(*sets.__table__.columns, undone.scalar_subquery().label("undone_by"))
    stmt = stmt.where(sets.id == number if number else sets.operation == operation)
    found = await site.read(lambda session: session.execute(stmt).first())
    if found is None:
        raise HTTPException(404)
    return found


def parse_operation(text: str) -> UUID | None:
    try:
        found = UUID(text)
    except ValueError:
        return None
    return found if text == found.hex else None


async def show_set(site: AdminSite, request: Request) -> Response:
    """Show one change set, and the way back."""
    sight = await Sight.of(site, request)
    require(bool(sight.views))
    found = await find_set(site, request)
    after = request.query_params.get("after", "")
    position = parse_number(after) if after else 0
    if position is None:
        raise HTTPException(400, gettext("This is not a place in this change."))
    opened = await site.read(partial(open_set, sight, found, position))
    return await site.page(
        request,
        "sqladmin/history_set.html",
        title=gettext("Change %(number)s", number=opened.told.id),
        opened_set=opened,
        can_undo=not opened.is_undone and may_undo(site, request, summary(found)),
    )


def open_set(sight: Sight, found: Any, position: int, session: Session) -> OpenedSet:
    """Read a page of a change set; raise a 404 if the operator may see nothing of it."""
    rows = session.execute(rows_of(sight, found, position).limit(PAGE + 1)).all()
    whole = sight.whole_of(found)
    seen, counts = sight.seen(session, rows[:PAGE], whole), visible(found, whole)
    if not seen and not counts:
        raise HTTPException(404)
    return OpenedSet(
        told=tell(sight, found, seen),
        operation=found.operation,
        lines=[line(sight, entry) for entry in seen],
        older=rows[PAGE - 1].position if len(rows) > PAGE else None,
        is_undone=undoing.undone_by(sight.site.recorded, session, found) is not None,
    )


def rows_of(sight: Sight, found: Any, position: int) -> Select[Any]:
    """Return the rows of a change set after a place in it, of the tables that may be seen."""
    changes, tables = sight.site.recorded.changes, sight.whole_of(found) | sight.scoped
    return (
        select(literal(found.id).label("id"), *changes.__table__.columns)
        .where(changes.operation == found.operation, changes.position > position)
        .where(changes.table_name.in_(tables))
        .order_by(changes.position)
    )


def tell(sight: Sight, found: Any, seen: Sequence[Any]) -> Told:
    """Say what a change set did; where a view hides rows, how many there are is not told."""
    counts = visible(found, sight.whole_of(found))
    label = found.label if len(counts) == len(summary(found)) else ""
    label = label if all(sight.label(name, label) for name, _ in counts) else ""
    who, source, why = found.operator_name, source_word(found.source), reason(found)
    text = words(sight, counts, label) if counts else words_of_seen(sight, seen)
    address = found.address if any(action in SIGN_INS for _, action in counts) else ""
    return Told(found.id, found.at, who, source, text, why, found.undoes, found.undone_by, address)


def words_of_seen(sight: Sight, entries: Sequence[Any]) -> str:
    counts = Counter((entry.table_name, entry.action) for entry in entries)
    label = sight.label(entries[0].table_name, entries[0].label) if len(entries) == 1 else ""
    return words(sight, counts, label)


def line(sight: Sight, entry: Any) -> Line:
    view = sight.views.get(entry.table_name)
    what = action_word(entry.action)
    if entry.action not in DONE:
        label = entry.label.upper() if entry.action == "export" else entry.label
        return Line(what, view.name if view else "", label or "–", (), "")
    if view is None:
        return Line(what, gettext("Link"), entry.key, (), "")
    columns = visible_columns(view, may_edit=False)
    image = load(entry.after) if entry.action == "update" else {}
    fields = [view.label(attribute) for name, attribute in columns.items() if name in image]
    url = object_path(sight.request, view, entry.key) if may_open(view, sight.request) else ""
    label = sight.label(entry.table_name, entry.label)
    return Line(what, view.name, label or entry.key, fields, url)


# Undo


async def undo(site: AdminSite, request: Request) -> Response:
    """Take a change set back, or show what keeps it from being taken back."""
    found = await find_set(site, request)
    require(may_undo(site, request, summary(found)))
    is_much = sum(summary(found).values()) > MOST_UNCONFIRMED
    if is_much or must_confirm(site, summary(found)):
        asked = await site.authentication_backend.confirm(request)
        if asked is not None:
            return asked
    skip = (await posted(request)).get("skip") == "1"
    try:
        undone = await undoing.undo_set(site, request, found, skip=skip)
    except undoing.UndoneBeforeError as error:
        messages.warning(request, error.sentence)
        return RedirectResponse(path_for(request, "history_set", id=str(found.id)), 302)
    except CollisionsError as error:
        return await show_collisions(site, request, found, error.undone)
    say_undone(request, undone)
    back = site.list_before(request) or path_for(request, "history_set", id=str(found.id))
    return RedirectResponse(back, 302)


def say_undone(request: Request, undone: Undone) -> None:
    sentence = ngettext(
        "Undone: %(count)s row was put back.",
        "Undone: %(count)s rows were put back.",
        undone.count,
        count=write_number(undone.count),
    )
    left = f" {left_alone(undone.collided)}" if undone.collided else ""
    messages.success(request, sentence + left)


def left_alone(count: int) -> str:
    return ngettext(
        "%(count)s row was left as it is.",
        "%(count)s rows were left as they are.",
        count,
        count=write_number(count),
    )


async def show_collisions(
    site: AdminSite, request: Request, found: Any, undone: Undone
) -> Response:
    """List what is in the way; nothing was changed."""
    total = sum(summary(found).values())
    return await site.page(
        request,
        "sqladmin/history_collisions.html",
        409,
        title=gettext("This can't be undone as it is"),
        number=found.id,
        collisions=[told(site, request, collision) for collision in undone.collisions],
        more=undone.collided - len(undone.collisions),
        free=min(undone.count, total),
    )
