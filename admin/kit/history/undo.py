"""Taking a change set back: rows, keys, links and cascades, in one transaction, all or none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    Column,
    Table,
    UniqueConstraint,
    bindparam,
    delete,
    insert,
    select,
    update,
)

from admin.kit.history.images import SECRET, dump, image_of, is_lost, row_of, same
from admin.kit.history.journal import recorder_of
from admin.kit.history.recorder import CREATE, DELETE, UPDATE, matches
from admin.kit.history.schema import key_columns, key_of_row
from admin.kit.keys import key_after

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy.orm import Session

    from admin.kit.history.journal import Journal
    from admin.kit.history.recorder import Recorder

Row = Mapping[str, Any]
Key = tuple[Any, ...]
MOST_COLLISIONS = 100


@dataclass(frozen=True)
class Collision:
    """What keeps a row from being put back.

    `kind` is "changed" or "missing", by a later change; "taken", a key or unique value; "orphan",
    what it refers to is gone; "used", later rows refer to it; "secret", what it held isn't kept;
    "lost", its enumeration doesn't have what it held any more.
    """

    kind: str
    table_name: str
    key: str
    label: str
    columns: tuple[str, ...] = ()


@dataclass
class Undone:
    """How many rows were put back, and the first of those that can't be."""

    count: int = 0
    collisions: list[Collision] = field(default_factory=list)
    collided: int = 0

    def collide(self, collision: Collision) -> None:
        self.collided += 1
        if len(self.collisions) < MOST_COLLISIONS:
            self.collisions.append(collision)


class CollisionsError(Exception):
    """Later changes are in the way, so nothing was undone."""

    def __init__(self, undone: Undone) -> None:
        super().__init__("Later changes are in the way.")
        self.undone = undone


def undo(
    journal: Journal,
    session: Session,
    operation: Any,
    *,
    skip: bool = False,
    chosen: Callable[[Any], bool] | None = None,
) -> Undone:
    """Put back what the change set with this operation changed, as part of the present work.

    `chosen` picks some of its entries; it is asked in the order in which they are put back.

    What has been changed again since is left alone. Raises `CollisionsError` if there is any such
    row and it is not to be skipped, or if nothing is left to put back. The work is a change set of
    its own, so it can be undone, too. Rows are read and written a bounded number at a time.
    """
    session.connection()
    recorder = recorder_of(session)
    assert recorder is not None  # noqa: S101 - every session of a recorded database has one
    undoing = Undoing(journal, session, recorder)
    for batch in journal.batches(session, operation, backwards=True):
        entries = batch if chosen is None else list(filter(chosen, batch))
        for (action, table_name), some in groupby(entries, lambda e: (e.action, e.table_name)):
            undoing.put_back(action, table_name, list(some))
    undone = undoing.undone
    if undone.collided and (not skip or not undone.count):
        raise CollisionsError(undone)
    session.expire_all()
    return undone


class Undoing:
    """Puts rows back, group by group of the same table and action."""

    def __init__(self, journal: Journal, session: Session, recorder: Recorder) -> None:
        self.schema = journal.schema
        self.session = session
        self.recorder = recorder
        self.undone = Undone()
        self.inverse: dict[str, Callable[[Table, Sequence[Any]], None]] = {
            CREATE: self.remove,
            UPDATE: self.revert,
            DELETE: self.restore,
        }

    def put_back(self, action: str, table_name: str, entries: Sequence[Any]) -> None:
        """Do the opposite of these entries; what changed no row has none."""
        put_back, table = self.inverse.get(action), self.schema.tables.get(table_name)
        if put_back is None:
            return
        if table is None:
            for entry in entries:
                self.collide("missing", entry)
            return
        # Rows that refer to each other go and come one after the other.
        is_tree = any(other is table for other, _ in self.schema.references[table])
        for some in [[entry] for entry in entries] if is_tree else [entries]:
            self.recorder.begin_step()
            with self.recorder.working():
                put_back(table, some)
                self.recorder.spill(self.session)

    def collide(self, kind: str, entry: Any, columns: Sequence[str] = ()) -> None:
        collision = Collision(kind, entry.table_name, entry.key, entry.label, tuple(columns))
        self.undone.collide(collision)

    # What was created

    def remove(self, table: Table, entries: Sequence[Any]) -> None:
        """Delete the rows, unless they have changed since or others refer to them."""
        images = {entry.key: row_of(table, entry.after) for entry in entries}
        rows = self.current(table, [self.key(table, image) for image in images.values()])
        used = self.used(table, list(rows.values()))
        going = []
        for entry in entries:
            row = rows.get(entry.key)
            changed = row and self.differing(table, images[entry.key], row)
            if row is None:
                self.collide("missing", entry)
            elif changed:
                self.collide("changed", entry, changed)
            elif entry.key in used:
                self.collide("used", entry)
            else:
                going.append(row)
                before = dump(image_of(table, row))
                self.recorder.add(DELETE, table.name, entry.key, entry.label, before=before)
        if going:
            condition = matches(key_columns(table), [self.key(table, row) for row in going])
            self.session.connection().execute(delete(table).where(condition))
            self.undone.count += len(going)

    def used(self, table: Table, rows: Sequence[Row]) -> set[str]:
        """Return the keys of those rows to which others refer."""
        found = set()
        for other, constraint in self.schema.references[table]:
            columns = list(constraint.columns)
            referred = [element.column.name for element in constraint.elements]
            values = [tuple(row[name] for name in referred) for row in rows]
            taken = self.existing(other, columns, values)
            found |= {
                key_of_row(table, row)
                for row, value in zip(rows, values, strict=True)
                if value in taken
            }
        return found

    # What was changed

    def revert(self, table: Table, entries: Sequence[Any]) -> None:
        """Set the columns to what they held, unless they hold something else by now."""
        befores = {entry.key: row_of(table, entry.before) for entry in entries}
        afters = {entry.key: row_of(table, entry.after) for entry in entries}
        model = self.schema.mappers[table].class_
        keys = {entry.key: key_after(model, entry.key, afters[entry.key]) for entry in entries}
        rows = {self.key(table, row): row for row in self.current(table, keys.values()).values()}
        reverted: list[tuple[Any, Row, Row]] = []
        for entry in entries:
            row = rows.get(keys[entry.key])
            changed = row and self.differing(table, afters[entry.key], row)
            if row is None:
                self.collide("missing", entry)
            elif changed:
                self.collide("changed", entry, changed)
            elif gone := self.not_kept(table, entry, befores[entry.key]):
                self.collide(*gone)
            else:
                reverted.append((entry, row, {**row, **befores[entry.key]}))
        reverted = self.fitting(table, reverted)
        for entry, row, new in reverted:
            changes = {name: new[name] for name in befores[entry.key]}
            self.recorder.add_update(table, row, changes)
        self.send_updates(table, [(row, befores[entry.key]) for entry, row, _ in reverted])
        self.undone.count += len(reverted)

    def send_updates(self, table: Table, changes: Sequence[tuple[Row, Row]]) -> None:
        """Update the rows, those that change the same columns by one statement."""
        version, keys = self.schema.version_of(table), key_columns(table)
        by_columns: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        for row, new in changes:
            parameters = {f"old_{column.name}": row[column.name] for column in keys}
            by_columns.setdefault(tuple(sorted(new)), []).append({**new, **parameters})
        for names, many in by_columns.items():
            stmt = update(table).where(*(c == bindparam(f"old_{c.name}") for c in keys))
            stmt = stmt.values({name: bindparam(name) for name in names})
            if version is not None:
                stmt = stmt.values({version.name: version + 1})
            self.session.connection().execute(stmt, many)

    # What was deleted

    def restore(self, table: Table, entries: Sequence[Any]) -> None:
        """Insert the rows under their old keys, unless something took their place."""
        restored: list[tuple[Any, Row, Row]] = []
        taken = self.current(table, [self.key_of(table, entry) for entry in entries])
        for entry in entries:
            row = row_of(table, entry.before)
            if gone := self.not_kept(table, entry, row):
                self.collide(*gone)
            elif entry.key in taken:
                self.collide("taken", entry, [column.name for column in key_columns(table)])
            else:
                restored.append((entry, {}, self.next_version(table, row)))
        restored = self.fitting(table, restored)
        if restored:
            self.session.connection().execute(insert(table), [new for _, _, new in restored])
            self.undone.count += len(restored)
        for entry, _, new in restored:
            after = dump(image_of(table, new))
            self.recorder.add(CREATE, table.name, entry.key, entry.label, after=after)

    def next_version(self, table: Table, row: Row) -> dict[str, Any]:
        """Return the row with a version that nobody has seen."""
        version = self.schema.version_of(table)
        # The row may be older than the column that counts.
        return dict(row) if version is None else {**row, version.name: row.get(version.name, 0) + 1}

    # What both need

    def fitting(
        self, table: Table, changes: list[tuple[Any, Row, Row]]
    ) -> list[tuple[Any, Row, Row]]:
        """Leave out what unique columns or references of the table don't admit any more."""
        for columns in unique_columns(table):
            moved = [(e, old, new) for e, old, new in changes if is_moved(columns, old, new)]
            taken = self.existing(table, columns, [values_of(columns, new) for _, _, new in moved])
            changes = self.without(changes, "taken", columns, taken)
        for constraint in table.foreign_key_constraints:
            columns = list(constraint.columns)
            referred = [element.column for element in constraint.elements]
            values = {values_of(columns, new) for _, _, new in changes}
            values = {value for value in values if None not in value}
            lost = values - self.existing(referred[0].table, referred, list(values))
            changes = self.without(changes, "orphan", columns, lost)
        return changes

    def without(
        self,
        changes: list[tuple[Any, Row, Row]],
        kind: str,
        columns: Sequence[Column[Any]],
        bad: set[Key],
    ) -> list[tuple[Any, Row, Row]]:
        fit = []
        for entry, old, new in changes:
            if values_of(columns, new) in bad and is_moved(columns, old, new):
                self.collide(kind, entry, [column.name for column in columns])
            else:
                fit.append((entry, old, new))
        return fit

    def existing(
        self, table: Any, columns: Sequence[Column[Any]], values: Sequence[Key]
    ) -> set[Key]:
        """Return those values that rows of the table have."""
        values = [value for value in values if None not in value]
        if not values:
            return set()
        stmt = select(*columns).select_from(table).where(matches(columns, values)).distinct()
        return {tuple(row) for row in self.session.connection().execute(stmt)}

    def current(self, table: Table, keys: Any) -> dict[str, Row]:
        """Return the rows with these keys as they are now, locked."""
        stmt = select(table).where(matches(key_columns(table), keys)).with_for_update()
        rows = map(dict, self.session.connection().execute(stmt).mappings())
        return {key_of_row(table, row): row for row in rows}

    def not_kept(self, table: Table, entry: Any, image: Row) -> tuple[str, Any, list[str]] | None:
        """Return what collides if not all of an image can be put back."""
        secret = [name for name, value in image.items() if value is SECRET]
        lost = [name for name, value in image.items() if is_lost(table.c[name], value)]
        return ("secret" if secret else "lost", entry, secret or lost) if secret or lost else None

    def differing(self, table: Table, image: Row, row: Row) -> list[str]:
        """Return the columns that hold something else than the image says."""
        watched = [column.name for column in self.schema.watched[table] if column.name in image]
        held = [(name, image[name]) for name in watched if image[name] is not SECRET]
        return [name for name, value in held if value != row[name] and not same(value, row[name])]

    def key(self, table: Table, row: Row) -> Key:
        return tuple(row[column.name] for column in key_columns(table))

    def key_of(self, table: Table, entry: Any) -> Key:
        return self.key(table, row_of(table, entry.before))


def unique_columns(table: Table) -> Iterator[list[Column[Any]]]:
    """Return the sets of columns that no two rows share, beside the key."""
    for constraint in table.constraints:
        if isinstance(constraint, UniqueConstraint):
            yield list(constraint.columns)
    for index in table.indexes:
        if index.unique and len(index.columns) == len(index.expressions):
            yield list(index.columns)


def values_of(columns: Sequence[Column[Any]], row: Row) -> Key:
    return tuple(row.get(column.name) for column in columns)


def is_moved(columns: Sequence[Column[Any]], old: Row, new: Row) -> bool:
    return not old or values_of(columns, old) != values_of(columns, new)
