"""The object of a page: as it is, or as it was when it was deleted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup
from sqladmin.authorization import Action
from sqlalchemy import and_, or_, select

from admin.kit.display import empty
from admin.kit.errors import require
from admin.kit.history.images import row_of
from admin.kit.history.recorder import table_of
from admin.kit.history.schema import name_of
from admin.kit.history.sight import table_name
from admin.kit.history.trash import last_deletion
from admin.kit.hooks import wait_for
from admin.kit.languages import gettext
from admin.kit.reading import may_be_called
from admin.kit.scopes import Reach

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from sqlalchemy import Select
    from sqlalchemy.orm import Session
    from starlette.requests import Request

    from admin.kit.history.journal import Journal
    from admin.kit.history.links import Side
    from admin.kit.model_admin import ModelAdmin

    Check = Callable[[Request, Any], Awaitable[bool]]


def not_kept() -> Markup:
    """Return what stands where a secret was."""
    return Markup("<em>{}</em>").format(gettext("secret, not kept"))


@dataclass
class Subject:
    """The object of a page: as it is, or, if it is gone, as it was when it was deleted.

    `since` is the change set before its present life, or 0 where all of its history may be seen.
    """

    obj: Any
    key: str
    label: str
    is_gone: bool
    may_edit: bool
    since: int = 0
    version: str = ""


def open_subject(view: ModelAdmin, request: Request, session: Session) -> Subject:
    """Find the object of a page; raise a 404 or a 403 as its details page does.

    An object that is gone is judged by how it was; where the view hides rows, by nothing at all.
    """
    key, journal = request.path_params["pk"], view.site.recorded
    reach = Reach.of(view, request, Action.DETAILS, {"edit": Action.EDIT, "reveal": "reveal"})
    stmt = view.object_query(request, key, Action.DETAILS).add_columns(*reach.columns.values())
    row = session.execute(stmt).first()
    obj = None if row is None else row[0]
    denied = frozenset[str]() if row is None else reach.denied(row[1:])
    deletion = last_deletion(journal, view, key, session)
    hides_rows = view.hides_rows(request, Action.DETAILS)
    if obj is None and (deletion is None or hides_rows):
        view.missing(request, session, key)
    is_gone = obj is None
    if is_gone:
        obj = ghost(view, row_of(table_of(view.mapper), deletion.before))
    require(wait_for(allows, view.check_can_view_details, request, obj, is_gone))
    may_edit = wait_for(allows, view.check_can_edit, request, obj, is_gone)
    may_edit = may_edit and "edit" not in denied
    label = deletion.label if is_gone else name_of(obj)
    label = label if may_be_called(view.model) else ""
    since = deletion.id if deletion is not None and hides_rows else 0
    version = "" if is_gone else view.version_of(obj)
    return Subject(obj, key, label or key, is_gone, may_edit, since, version)


async def allows(check: Check, request: Request, obj: Any, is_gone: bool) -> bool:
    """Ask the view; what it can't say of a row that is gone, it doesn't allow."""
    try:
        return bool(await check(request, obj))
    except Exception:
        if is_gone:
            return False
        raise


def ghost(view: ModelAdmin, values: dict[str, Any]) -> Any:
    """Return an object with these columns that no session knows."""
    return view.site.recorded.schema.ghost(table_of(view.mapper), values)


def entries(
    journal: Journal, view: ModelAdmin, subject: Subject, sides: Sequence[Side] = ()
) -> Select[Any]:
    """Return the entries about an object and its links, newest first."""
    sets, changes = journal.change_sets, journal.changes
    mine = and_(changes.table_name == table_name(view), changes.key == subject.key)
    about = or_(mine, *(side.condition(changes, subject.obj) for side in sides))
    return (
        select(
            *(sets.id, sets.at, sets.operator_name, sets.source, sets.reason),
            *(changes.position, changes.action, changes.table_name, changes.key),
            *(changes.before, changes.after),
        )
        .join(changes, changes.operation == sets.operation)
        .where(about, sets.id > subject.since)
        .order_by(sets.id.desc(), changes.position.desc())
    )


def shown_field(view: ModelAdmin, obj: Any, name: str, request: Request) -> Markup:
    """Return one field of an object that is in no session; a formatter may fail at that."""
    try:
        return view.page_columns[name].draw(obj, request)
    except Exception:  # noqa: BLE001 - the view's own code, made for rows that are there
        return empty()
