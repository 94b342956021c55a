"""Storing what a form, or other code, asks for: one transaction, checked inside of it."""

from __future__ import annotations

import copy
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqladmin.authorization import Action
from sqlalchemy import inspect

from admin.kit import messages
from admin.kit.errors import ChangedMeanwhile, Refused, refusal_from, require
from admin.kit.forms import posted
from admin.kit.history import AlreadyDoneError, current_origin
from admin.kit.hooks import follow_up, wait_for
from admin.kit.keys import key_of
from admin.kit.languages import gettext
from admin.kit.lookups import find_chosen
from admin.kit.naming import label_of
from admin.kit.once import claim_next, is_stored
from admin.kit.scopes import require_mine, require_within
from admin.kit.seen import Seen
from admin.kit.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Select
    from sqlalchemy.orm import Session
    from starlette.requests import Request

    from admin.kit.model_admin import ModelAdmin

Values = dict[str, Any]
Queries = dict[str, "Select[Any]"]


async def insert(view: ModelAdmin, request: Request, data: Values) -> Any:
    """Store a new object with these values and return it."""
    queries = await lookup_queries(view, request, data)

    def work(session: Session) -> tuple[Any, Values]:
        obj, values = view.model(), copy.copy(data)
        session.add(obj)
        with session.no_autoflush:
            wait_for(view.on_model_change, values, obj, True, request)
            assign(view, session, obj, without_defaults(view, values), queries)
        flushed(session, obj)
        require_within(view, request, session, [key_of(obj)], Action.CREATE)
        return obj, values

    obj, values = await write(view, work)
    await after_change(view, request, obj, values, is_created=True)
    return obj


async def update(view: ModelAdmin, request: Request, key: str, data: Values) -> Any:
    """Change one object and return it; a version in the data must still be the stored one."""
    queries = await lookup_queries(view, request, data)

    def work(session: Session) -> tuple[Any, Values]:
        obj = session.scalar(view.object_query(request, key, Action.EDIT))
        if obj is None:
            view.missing(request, session, key)
        values = copy.copy(data)
        return change_one(view, request, session, obj, values, queries)

    obj, values = await write(view, work)
    await after_change(view, request, obj, values, is_created=False)
    return obj


def change_one(
    view: ModelAdmin,
    request: Request,
    session: Session,
    obj: Any,
    values: Values,
    queries: Queries,
) -> tuple[Any, Values]:
    """Change one object within a unit of work; return it with what the hooks made of the values."""
    require(wait_for(view.check_can_edit, request, obj))
    version = str(values.pop(view.version_name, ""))
    if version and version != view.version_of(obj):
        raise ChangedMeanwhile
    with session.no_autoflush:
        wait_for(view.on_model_change, values, obj, False, request)
        assign(view, session, obj, values, queries)
    flushed(session, obj)
    require_within(view, request, session, [key_of(obj)], Action.EDIT)
    return obj, values


async def change_selected(
    view: ModelAdmin, request: Request, change: Callable[[Session, list[Any]], Any]
) -> int:
    """Hand the selected objects to `change` in one transaction and return how many they were."""
    sent = await posted(request)
    # What it changes, it edits, whatever right the action itself asks for.
    rights = getattr(request.state, "action_rights", Action.EDIT)
    selection, seen = Selection.read(view, request, sent, rights), Seen.read(sent)

    def work(session: Session) -> int:
        count = 0
        for batch in selection.batches(session, seen):
            objects = batch.objects()
            require_mine(view, request, session, batch.keys, Action.EDIT)
            for obj in objects:
                require(wait_for(view.check_can_edit, request, obj))
            change(session, objects)
            session.flush()
            require_within(view, request, session, kept_keys(objects), rights)
            count += len(objects)
            if selection.is_all:
                session.expunge_all()
        return count

    operation = current_origin().operation
    try:
        count: int = await write(view, work)
    except (Refused, AlreadyDoneError) as error:
        if not isinstance(error, AlreadyDoneError) and not await is_stored(view.site, operation):
            raise
        claim_next()
        messages.warning(request, gettext("This was done before; it was not done again."))
        return len(selection.keys)
    return count


def kept_keys(objects: list[Any]) -> list[str]:
    """Return the keys of those objects that are still there."""
    return [key_of(obj) for obj in objects if inspect(obj).persistent]


async def write(view: ModelAdmin, work: Callable[[Session], Any]) -> Any:
    """Run the work in one transaction; raise `Refused` for what the operator can mend."""
    with in_words(lambda _error: view):
        return await view.site.write(work)


@contextmanager
def in_words(blamed: Callable[[Exception], ModelAdmin | None]) -> Iterator[None]:
    """Raise `Refused` for an error that the operator can mend, in the words of the view blamed."""
    try:
        yield
    except Exception as error:
        view = blamed(error)
        refusal = refusal_from(error, view.mapper, view.name, view.label) if view else None
        if refusal is None or refusal is error:
            raise
        raise refusal from error


def flushed(session: Session, obj: Any) -> Any:
    """Send the changes, and load what the object's name needs while it can be loaded."""
    session.flush()
    label_of(obj)
    return obj


async def lookup_queries(view: ModelAdmin, request: Request, data: Values) -> Queries:
    """Return, for each relation that the data sets, which objects may be chosen."""
    names = [name for name in data if name in view.pickers]
    return {name: await view.lookup_query(request, name) for name in names}


def assign(view: ModelAdmin, session: Session, obj: Any, values: Values, queries: Queries) -> None:
    """Set the attributes; an unchanged relation is left alone, a changed one must be offered."""
    for name, value in values.items():
        if name in queries and (value is None or isinstance(value, str)):
            related = getattr(obj, name)
            if value != (None if related is None else key_of(related)):
                setattr(obj, name, find_chosen(session, queries[name], name, value))
        else:
            view.set_value(session, obj, name, empty_as_null(view, obj, name, value))


def empty_as_null(view: ModelAdmin, obj: Any, name: str, value: Any) -> Any:
    """Store an empty text as NULL where the column allows it, unless it was stored as such."""
    column = view.mapper.columns.get(name)
    is_nullable = column is not None and column.nullable
    return None if value == "" and is_nullable and getattr(obj, name) != "" else value


def without_defaults(view: ModelAdmin, values: Values) -> Values:
    """Leave out what is empty in a new object and has a default in the model or the database."""
    columns = view.mapper.columns
    return {
        name: value
        for name, value in values.items()
        if value is not None or name not in columns or not has_default(columns[name])
    }


def has_default(column: Any) -> bool:
    return not column.nullable and (column.default or column.server_default) is not None


async def after_change(
    view: ModelAdmin, request: Request, obj: Any, values: Values, *, is_created: bool
) -> None:
    """Call `after_model_change` and keep the answer it may give instead of the usual redirect."""
    hook = view.after_model_change(values, obj, is_created, request)
    request.state.after_change_response = await follow_up(request, hook)
