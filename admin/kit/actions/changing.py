"""The same change to many rows, in one transaction: by statement where no hook looks at a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Table, or_, update

from admin.kit.errors import require
from admin.kit.history import recorded_update
from admin.kit.history.bulk import next_version
from admin.kit.hooks import follow_up, wait_for
from admin.kit.keys import matches_keys
from admin.kit.lookups import find_chosen
from admin.kit.saving import assign, write
from admin.kit.scopes import require_within
from admin.kit.watched import all_allow, asks_about_rows, is_recorded, overrides, sees_no_row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from admin.kit.actions.declared import Work
    from admin.kit.model_admin import ModelAdmin
    from admin.kit.saving import Queries, Values
    from admin.kit.scopes import Asked
    from admin.kit.selection import Batch


async def change_rows(work: Work, values: Values, queries: Queries) -> int:
    """Set the values of all selected rows, or raise `Refused`; return how many were changed."""
    view, change = work.view, Change(work, values, queries)
    count: int = await write(view, change.run)
    for obj in change.changed:
        await follow_up(work.request, view.after_model_change(values, obj, False, work.request))
    return count


class Change:
    """One change, as a unit of work that may be repeated."""

    def __init__(self, work: Work, values: Values, queries: Queries) -> None:
        self.work = work
        self.view = work.view
        self.values = values
        self.queries = queries
        self.is_plain = sees_no_row(work.view, values)
        self.changed: list[Any] = []

    def run(self, session: Session) -> int:
        self.changed, count = [], 0
        columns = self.columns(session) if self.is_plain else {}
        batches = self.work.selection.batches(session, self.work.seen, self.work.progress)
        for batch in batches:
            objects = self.permitted(batch)
            if self.is_plain:
                count += update_rows(session, self.view, batch.keys, columns)
            else:
                count += self.change_objects(session, objects)
            require_within(self.view, self.work.request, session, batch.keys, self.rights)
            if not self.changed:
                session.expunge_all()
        return count

    @property
    def rights(self) -> Asked:
        """What is done to the rows: an action that asks for a right of its own edits as well."""
        return self.work.selection.action

    def permitted(self, batch: Batch) -> list[Any]:
        """Return the objects, if they are needed; refuse all if one may not be edited."""
        view, request = self.view, self.work.request
        if self.is_plain and not asks_about_rows(view, "check_can_edit"):
            require(wait_for(view.check_can_edit, request, None))
            return []
        objects = batch.objects()
        require(wait_for(all_allow, view.check_can_edit, request, objects))
        return objects

    def change_objects(self, session: Session, objects: Sequence[Any]) -> int:
        """Change them one by one, as a form would."""
        view, request, before = self.view, self.work.request, self.values
        for obj in objects:
            values = dict(before)
            with session.no_autoflush:
                wait_for(view.on_model_change, values, obj, False, request)
                assign(view, session, obj, values, self.queries)
        count = sum(session.is_modified(obj) for obj in objects)
        session.flush()
        if overrides(view, "after_model_change"):
            self.changed += objects
        return count

    def columns(self, session: Session) -> dict[str, Any]:
        """Return the values by column: of a relation those of its foreign key."""
        found: dict[str, Any] = {}
        for name, value in self.values.items():
            relation = self.view.mapper.relationships.get(name)
            if relation is None:
                column = self.view.mapper.columns[name]
                found[column.name] = empty_as_stored(self.view, name, value)
            else:
                other = find_chosen(session, self.queries[name], name, value)
                for ours, theirs in relation.local_remote_pairs or ():
                    key = relation.mapper.get_property_by_column(theirs).key
                    found[ours.name] = None if other is None else getattr(other, key)
        return found


def update_rows(
    session: Session, view: ModelAdmin, keys: Sequence[str], columns: dict[str, Any]
) -> int:
    """Set columns of the rows that hold something else, and return how many these were."""
    table = view.mapper.local_table
    assert isinstance(table, Table)  # noqa: S101 - `sees_no_row` takes no others
    differs = or_(*(table.c[name].is_distinct_from(value) for name, value in columns.items()))
    condition: ColumnElement[bool] = matches_keys(view.model, keys) & differs
    if is_recorded(session, table):
        return recorded_update(session, view.model, condition, columns)
    counted = {**next_version(table, view.model), **columns}
    stmt = update(table).where(condition).values(counted)
    return session.connection().execute(stmt).rowcount


def empty_as_stored(view: ModelAdmin, name: str, value: Any) -> Any:
    """Return an empty text as NULL where the column allows it."""
    column = view.mapper.columns.get(name)
    return None if value == "" and column is not None and column.nullable else value
