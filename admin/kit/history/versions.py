"""One object as it was at any time, and the way back to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm.attributes import set_committed_value
from starlette.exceptions import HTTPException

from admin.kit.history.images import SECRET, row_of
from admin.kit.history.recorder import BATCH, CREATE, DELETE, table_of
from admin.kit.history.sight import visible_columns
from admin.kit.history.subjects import Subject, entries, ghost, not_kept, open_subject, shown_field
from admin.kit.keys import join, matches_keys
from admin.kit.languages import gettext

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup
    from sqlalchemy.orm import RelationshipProperty, Session
    from starlette.requests import Request

    from admin.kit.history.journal import Journal
    from admin.kit.model_admin import ModelAdmin


@dataclass(frozen=True)
class Version:
    """The object as it was after a change set."""

    subject: Subject
    id: int
    fields: Sequence[tuple[str, Markup]]
    values: dict[str, Any] = field(default_factory=dict)


def read_version(view: ModelAdmin, request: Request, number: int, session: Session) -> Version:
    """Read the object as it was after a change set; raise a 404 if it wasn't there."""
    subject = open_subject(view, request, session)
    oldest, newest = bounds(view.site.recorded, session)
    if not max(subject.since, oldest) <= number <= newest:
        raise HTTPException(404)
    now = current(view, subject, session)
    then = state_at(view, subject, number, now, session)
    if then is None:
        sentence = gettext("It did not exist after change %(number)s.", number=number)
        raise HTTPException(404, sentence)
    obj = ghost(view, then)
    names = list(dict.fromkeys(visible_columns(view, may_edit=subject.may_edit).values()))
    for name in names:
        load_related(view, obj, name, then, session)
    fields = [(view.label(name), version_field(view, obj, name, then, request)) for name in names]
    return Version(subject, number, fields, changes_to(view, now, then) if now else {})


def bounds(journal: Journal, session: Session) -> tuple[int, int]:
    """Return the numbers between which it is known how things were.

    Of an earlier one it isn't: what happened between it and the first that is kept was removed.
    """
    newest = select(func.max(journal.change_sets.id)).scalar_subquery()
    pruned, last = session.execute(select(journal.heads.pruned_through, newest)).one()
    return pruned or 0, last or 0


def version_field(
    view: ModelAdmin, obj: Any, name: str, then: dict[str, Any], request: Request
) -> Markup:
    column = view.mapper.columns.get(name)
    if column is not None and then.get(column.name) is SECRET:
        return not_kept()
    return shown_field(view, obj, name, request)


def current(view: ModelAdmin, subject: Subject, session: Session) -> dict[str, Any] | None:
    """Return the row as it is now, or None."""
    stmt = select(table_of(view.mapper)).where(matches_keys(view.model, [subject.key]))
    row = session.execute(stmt).mappings().first()
    return dict(row) if row is not None else None


def state_at(
    view: ModelAdmin,
    subject: Subject,
    number: int,
    now: dict[str, Any] | None,
    session: Session,
) -> dict[str, Any] | None:
    """Go back from what is there now, change by change, and return what was there then."""
    journal = view.site.recorded
    sets, changes = journal.change_sets, journal.changes
    state = None if now is None else dict(now)
    stmt = entries(journal, view, subject).where(sets.id > number)
    while True:
        rows = session.execute(stmt.limit(BATCH)).all()
        for row in rows:
            before = row_of(table_of(view.mapper), row.before)
            if row.action == CREATE:
                state = None
            elif row.action == DELETE:
                state = before
            elif state is not None:
                state |= before
        if len(rows) < BATCH:
            return state
        last = (rows[-1].id, rows[-1].position)
        stmt = stmt.where(tuple_(sets.id, changes.position) < last)


def to_one(view: ModelAdmin, name: str) -> RelationshipProperty[Any] | None:
    """Return the relation of that name, if the row itself says what it refers to by its key."""
    relationship = view.mapper.relationships.get(name)
    if relationship is None or relationship.uselist:
        return None
    remote = [column for _, column in relationship.local_remote_pairs or ()]
    is_key = remote == list(relationship.mapper.primary_key)
    return relationship if is_key and relationship.direction.name == "MANYTOONE" else None


def load_related(
    view: ModelAdmin, obj: Any, name: str, then: dict[str, Any], session: Session
) -> None:
    relationship = to_one(view, name)
    if relationship is not None:
        key = tuple(then.get(c.name) for c, _ in relationship.local_remote_pairs or ())
        model, limit = relationship.mapper.class_, view.limits.get(relationship.mapper.class_)
        stmt = select(model).where(matches_keys(model, [join(key)])) if None not in key else None
        if stmt is not None and limit is not None:
            stmt = stmt.where(limit)
        related = None if stmt is None else session.scalar(stmt)
        set_committed_value(obj, name, related)


def changes_to(view: ModelAdmin, now: dict[str, Any], then: dict[str, Any]) -> dict[str, Any]:
    """Return what an edit form would send to make the row what it was; secrets stay as they are."""
    data: dict[str, Any] = {}
    for name in view.form_names:
        relationship, column = to_one(view, name), view.mapper.columns.get(name)
        if relationship is not None and name in view.pickers:
            pairs = relationship.local_remote_pairs or []
            values = [then.get(column.name) for column, _ in pairs]
            if SECRET not in values and values != [now[column.name] for column, _ in pairs]:
                data[name] = None if None in values else join(values)
        elif column is not None and column.name in then:
            value = then[column.name]
            if value is not SECRET and value != now[column.name]:
                data[name] = value
    return data
