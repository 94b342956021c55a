"""What others did to a row while it was on an operator's page, read from the history."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from admin.kit.formats import join_words
from admin.kit.history.images import row_of
from admin.kit.history.recorder import UPDATE, table_of
from admin.kit.history.sight import visible_columns
from admin.kit.keys import key_of
from admin.kit.languages import gettext
from admin.kit.naming import label_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import RelationshipProperty, Session

    from admin.kit.model_admin import ModelAdmin

# How far back a row is followed; a form that is older than that is merged by nobody.
MOST_CHANGES = 200
Authors = dict[str, list[str]]


@dataclass(frozen=True)
class Base:
    """What a form held when it was opened, and who changed which attributes since."""

    values: dict[str, Any]
    authors: Authors = field(default_factory=dict)

    def authors_of(self, names: Iterable[str]) -> list[str]:
        """Return who changed these attributes, each once."""
        return list(dict.fromkeys(a for name in names for a in self.authors.get(name, ())))


def base_of(
    view: ModelAdmin, session: Session, obj: Any, is_base: Callable[[dict[str, Any]], bool]
) -> Base | None:
    """Go back through the history of an object to the values that a form was opened with.

    They are told by what the form showed, not by counting: not every new version leaves an entry.
    Returns None where the history doesn't reach that far, or doesn't know.
    """
    values, authors = view.form_values(obj), Authors()
    if is_base(values):
        return Base(values)
    past = copied(view, obj)
    for entry in entries_of(view, session, obj, MOST_CHANGES):
        if entry.action != UPDATE:
            return None
        for name in put_back(view, session, past, entry):
            authors.setdefault(name, []).append(entry.operator_name or gettext("someone"))
        values = view.form_values(past)
        if is_base(values):
            return Base(values, authors)
    return None


def entries_of(view: ModelAdmin, session: Session, obj: Any, most: int) -> Sequence[Any]:
    """Return the newest entries about an object, the last one first, with who made them."""
    journal = view.site.database.journal
    if journal is None or view.mapper.local_table not in journal.schema.mappers:
        return []
    changes, sets = journal.changes.__table__, journal.change_sets.__table__
    stmt = (
        select(changes.c.action, changes.c.before, sets.c.operator_name)
        .join(sets, sets.c.operation == changes.c.operation)
        .where(changes.c.table_name == table_of(view.mapper).name, changes.c.key == key_of(obj))
        .order_by(sets.c.id.desc(), changes.c.position.desc())
        .limit(most)
    )
    return session.execute(stmt).all()


def author_of(view: ModelAdmin, session: Session, obj: Any, name: str) -> str:
    """Return who gave an attribute the value it has, or "" where the history doesn't say."""
    past = copied(view, obj)
    for entry in entries_of(view, session, obj, MOST_CHANGES):
        if entry.action != UPDATE:
            break
        if name in put_back(view, session, past, entry):
            return entry.operator_name or gettext("someone")
    return ""


def copied(view: ModelAdmin, obj: Any) -> Any:
    """Return a copy that belongs to no session, with all that is loaded."""
    copy = view.mapper.class_manager.new_instance()
    names = view.mapper.attrs.keys()
    # Not `setattr`: an event or a validator of the model must not run.
    copy.__dict__.update({name: obj.__dict__[name] for name in names if name in obj.__dict__})
    return copy


def put_back(view: ModelAdmin, session: Session, past: Any, entry: Any) -> list[str]:
    """Give a copy the values it had before a change; return the names of the attributes."""
    table, names = table_of(view.mapper), []
    for column_name, value in row_of(table, entry.before).items():
        name = view.mapper.get_property_by_column(table.c[column_name]).key
        past.__dict__[name] = value
        names.append(name)
    for relationship in view.mapper.relationships:
        if relationship.key in view.form_names and is_about(relationship, names):
            limit = view.limits.get(relationship.mapper.class_)
            past.__dict__[relationship.key] = related(session, relationship, past, limit)
            names.append(relationship.key)
    return names


def is_about(relationship: RelationshipProperty[Any], names: Iterable[str]) -> bool:
    """Say whether the relation starts from one of these columns."""
    own = {relationship.parent.get_property_by_column(c).key for c in relationship.local_columns}
    return not own.isdisjoint(names)


def related(
    session: Session,
    relationship: RelationshipProperty[Any],
    past: Any,
    limit: ColumnElement[bool] | None,
) -> Any:
    """Return the object that a to-one relation led to, if it is still there, and to be seen."""
    stmt = select(relationship.mapper.class_)
    stmt = stmt if limit is None else stmt.where(limit)
    for local, remote in relationship.local_remote_pairs or ():
        value = past.__dict__[relationship.parent.get_property_by_column(local).key]
        if value is None:
            return None
        stmt = stmt.where(remote == value)
    return session.scalar(stmt)


def said_since(view: ModelAdmin, session: Session, obj: Any, version: str) -> str:
    """Say in a sentence what has changed since an object had this version."""
    called = label_of(obj)
    changed = gettext("“%(label)s” was changed.", label=called)
    now = view.version_of(obj)
    # What is longer is no earlier one; Python refuses to read very long numbers.
    is_number = version.isdecimal() and now.isdecimal() and len(version) <= len(now)
    if not (is_number and int(version) < int(now)):
        return changed
    most = min(int(now) - int(version), MOST_CHANGES)
    authors = Authors()
    for entry in entries_of(view, session, obj, most):
        for name in put_back(view, session, copied(view, obj), entry):
            authors.setdefault(name, []).append(entry.operator_name or gettext("someone"))
    seen = [name for name in authors if name in visible_columns(view, may_edit=True).values()]
    if not seen:
        return changed
    return gettext(
        "“%(label)s” was changed by %(authors)s: %(fields)s.",
        label=called,
        authors=join_words(Base({}, authors).authors_of(authors)),
        fields=join_words(map(view.label, seen)),
    )
