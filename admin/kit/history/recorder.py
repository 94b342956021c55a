"""What one unit of work changes, row by row, as the session sends it to the database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Column, Select, Table, inspect, literal, select, tuple_
from sqlalchemy.orm import PassiveFlag, attributes
from sqlalchemy.sql import ClauseElement

from admin.kit.history.chain import store_entries
from admin.kit.history.images import dump, image_of, kept
from admin.kit.history.schema import Dependents, key_columns, key_of_row, name_of

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Mapper, RelationshipProperty, Session, SessionTransaction

    from admin.kit.history.journal import Journal

Item = TypeVar("Item")
Name = tuple[str, str]
Links = dict[tuple[str, str, str], dict[str, Any]]
Row = Mapping[str, Any]
Values = dict[str, Any]

CREATE, UPDATE, DELETE = "create", "update", "delete"
PRUNE = "prune"  # of the history itself
BATCH = 1000  # rows that are held in memory at a time
LONGEST_LABEL = 200
# A step is a flush, or a set-based statement; within it deletions come last, as they do in SQL, and
# those of links before those of what they link.
STEP, DELETIONS, LINKS = 1 << 40, 1 << 39, 1 << 38


@dataclass(frozen=True)
class Entry:
    """What happened to one row; the images are JSON."""

    position: int
    action: str
    table_name: str
    key: str
    label: str
    before: str | None = None
    after: str | None = None


class Recorder:
    """Collects the entries of one unit of work, and sends them to the database batch by batch."""

    def __init__(self, journal: Journal, operation: UUID) -> None:
        self.journal = journal
        self.schema = journal.schema
        self.operation = operation
        self.is_active = True
        self.entries: list[Entry] = []
        self.label = ""
        self.counts: Counter[Name] = Counter()
        self.is_spilled = False
        self.is_working = False
        self.step = 0
        self.in_step = 0
        self.gone: set[Name] = set()
        self.savepoints: dict[SessionTransaction, dict[str, Any]] = {}
        # What attributes held before the flush that don't know it afterwards.
        self.overwritten: dict[Any, Values] = {}
        self.deleted: list[Any] = []

    @property
    def is_empty(self) -> bool:
        return not self.counts

    @contextmanager
    def working(self) -> Iterator[None]:
        """Let through what is written meanwhile: it is being recorded."""
        was_working, self.is_working = self.is_working, True
        try:
            yield
        finally:
            self.is_working = was_working

    def begin_step(self) -> None:
        self.step += 1

    def add(
        self,
        action: str,
        table_name: str = "",
        key: str = "",
        label: str = "",
        before: str | None = None,
        after: str | None = None,
    ) -> None:
        """Add an entry to the present step."""
        self.in_step += 1
        last = LINKS if self.schema.is_link(table_name) else DELETIONS
        position = self.step * STEP + (last if action == DELETE else 0) + self.in_step
        label = label[:LONGEST_LABEL]
        # The whole is called by what came first; what a deletion takes along comes before it.
        if action == DELETE or not self.label:
            self.label = label
        self.entries.append(Entry(position, action, table_name, key, label, before, after))
        self.counts[table_name, action] += 1

    def spill(self, session: Session, *, at: int = BATCH) -> None:
        """Send the entries, once there are `at`, so that any number takes the same memory."""
        if len(self.entries) >= at:
            with self.working():
                connection = session.connection()
                store_entries(connection, self.journal, self.operation, self.entries)
            self.entries.clear()
            self.is_spilled = True

    def state(self) -> dict[str, Any]:
        """Return what `go_back` needs; what is sent from now on would be taken back, too."""
        names = ("entries", "counts", "gone")
        copies = {name: getattr(self, name).copy() for name in names}
        return {**copies, "is_spilled": self.is_spilled, "label": self.label}

    def go_back(self, state: dict[str, Any]) -> None:
        vars(self).update(state)

    # Flushes

    def before_flush(self, session: Session) -> None:
        """Look at what the flush is about to overwrite."""
        self.begin_step()
        with session.no_autoflush:
            self._remember_overwritten(session)

    def after_flush(self, session: Session) -> None:
        """Record what was sent; the session still knows what each value was before."""
        changed: dict[int, list[Any]] = {}
        for obj in (*session.new, *session.dirty):
            mapper = self.schema.mapper_of(obj)
            if mapper is not None:
                rank = self.schema.rank[table_of(mapper).name]
                changed.setdefault(rank, []).append(obj)
        links: Links = {}
        for rank in sorted(changed):
            for obj in sorted(changed[rank], key=lambda obj: inspect(obj).insert_order or 0):
                self._record_flushed(session, obj, is_new=obj in session.new)
                links |= self._links_of(obj)
                self.spill(session)
        for obj in self.deleted:
            links |= self._links_of(obj, is_deleted=True)
        self.deleted.clear()
        for (action, table_name, key), row in links.items():
            image = dump(row)
            images = {"before": image} if action == DELETE else {"after": image}
            if (table_name, key) not in self.gone:
                self.add(action, table_name, key, **images)
        self.overwritten.clear()

    def _remember_overwritten(self, session: Session) -> None:
        """Keep what is replaced without having been loaded, or by what the database computes."""
        for obj in session.dirty:
            mapper = self.schema.mapper_of(obj)
            forgotten = mapper and [c for c in self._columns(mapper) if forgets(mapper, obj, c)]
            if mapper and forgotten:
                row = self._read_row(session, mapper, inspect(obj).identity or ())
                self.overwritten[obj] = {column.name: row[column.name] for column in forgotten}

    def _columns(self, mapper: Mapper[Any]) -> list[Column[Any]]:
        return self.schema.watched[table_of(mapper)]

    def _record_flushed(self, session: Session, obj: Any, *, is_new: bool) -> None:
        mapper: Mapper[Any] = obj.__mapper__
        table = table_of(mapper)
        if is_new:
            row = self._row(session, mapper, obj)
            after = dump(image_of(table, row))
            self.add(CREATE, table.name, key_of_row(table, row), name_of(obj), after=after)
            return
        key = key_of_identity(mapper, obj)
        changes = self._changes(session, mapper, obj)
        if changes and (table.name, key) not in self.gone:
            before = dump({column.name: kept(column, old) for column, old, _ in changes})
            after = dump({column.name: kept(column, new) for column, _, new in changes})
            self.add(UPDATE, table.name, key, name_of(obj), before, after)

    def _changes(
        self, session: Session, mapper: Mapper[Any], obj: Any
    ) -> list[tuple[Column[Any], Any, Any]]:
        """Return the columns that were changed, each with its value before and after."""
        old = self.overwritten.get(obj, {})
        key = mapper.primary_key_from_instance(obj)
        row = self._read_row(session, mapper, key) if old else {}
        found: list[tuple[Column[Any], Any, Any]] = []
        for column in self._columns(mapper):
            history = history_of(mapper, obj, column)
            if column.name in old:
                found.append((column, old[column.name], row[column.name]))
            elif history.added:
                found.append((column, *history.deleted, *history.added))
        return [(column, before, after) for column, before, after in found if before != after]

    def _row(self, session: Session, mapper: Mapper[Any], obj: Any) -> Row:
        """Return the row of a new object, read again if the database filled some of it."""
        names = {c.name: mapper.get_property_by_column(c).key for c in table_of(mapper).columns}
        held = obj.__dict__
        if all(name in held and not is_clause(held[name]) for name in names.values()):
            return {column: held[name] for column, name in names.items()}
        return self._read_row(session, mapper, mapper.primary_key_from_instance(obj))

    def _read_row(self, session: Session, mapper: Mapper[Any], key: Sequence[Any]) -> Row:
        stmt = select(*table_of(mapper).columns).where(
            matches(key_columns(table_of(mapper)), [key])
        )
        return dict(session.connection().execute(stmt).mappings().one())

    def _links_of(self, obj: Any, *, is_deleted: bool = False) -> Links:
        """Return the rows of many-to-many tables that the flush wrote for an object."""
        found = {}
        for relationship in obj.__mapper__.relationships:
            if relationship.secondary in self.schema.links and not relationship.viewonly:
                name, passive = relationship.key, PassiveFlag.PASSIVE_NO_INITIALIZE
                history = attributes.get_history(obj, name, passive)
                cut = history.non_added() if is_deleted else history.deleted
                for action, others in ((CREATE, history.added), (DELETE, cut)):
                    for other in others or ():
                        row = link_row(relationship, obj, other)
                        table = relationship.secondary
                        found[action, table.name, key_of_row(table, row)] = row
        return found

    # Deletions

    def before_delete(self, session: Session, obj: Any) -> None:
        """Record an object just before it goes, and all others of its kind that go with it.

        What the flush saves has been sent by now, so what still depends on it goes as well.
        """
        mapper = self.schema.mapper_of(obj)
        if mapper is None:
            return
        self.deleted.append(obj)
        table = table_of(mapper)
        if (table.name, key_of_identity(mapper, obj)) not in self.gone:
            others = [other for other in session.deleted if type(other) is type(obj)]
            for some in in_batches([inspect(other).identity for other in {obj, *others}]):
                self.record_removed(session, table, matches(key_columns(table), some))

    def record_removed(self, session: Session, table: Table, condition: ColumnElement[bool]) -> int:
        """Record these rows and all that the database takes with them, and lock them until then.

        Whoever refers to a row locks it first, so that nothing new can come to depend on it.
        """
        count = 0
        for rows in self.read_batches(session, table, condition):
            new = [row for row in rows if (table.name, key_of_row(table, row)) not in self.gone]
            self.gone.update((table.name, key_of_row(table, row)) for row in new)
            for dependents in self.schema.dependents[table]:
                self._record_dependents(session, dependents, new)
            for row in new:
                key, label = key_of_row(table, row), self.schema.label(table, row)
                self.add(DELETE, table.name, key, label, before=dump(image_of(table, row)))
            count += len(new)
            self.spill(session)
        return count

    def _record_dependents(
        self, session: Session, dependents: Dependents, rows: Sequence[Row]
    ) -> None:
        values = [tuple(row[column.name] for column in dependents.referred) for row in rows]
        if not values:
            return
        condition = matches(dependents.columns, values)
        if dependents.is_removed:
            self.record_removed(session, dependents.table, condition)
            return
        nothing = dict.fromkeys((column.name for column in dependents.columns), None)
        for some in self.read_batches(session, dependents.table, condition):
            for row in some:
                self.add_update(dependents.table, row, nothing)

    def add_update(self, table: Table, row: Row, changes: Values) -> None:
        """Add an entry for a row whose columns get these values."""
        columns = [column for column in self.schema.watched[table] if column.name in changes]
        changed = [column for column in columns if row[column.name] != changes[column.name]]
        if changed:
            before = dump({column.name: kept(column, row[column.name]) for column in changed})
            after = dump({column.name: kept(column, changes[column.name]) for column in changed})
            label = self.schema.label(table, {**row, **changes})
            self.add(UPDATE, table.name, key_of_row(table, row), label, before, after)

    def read_batches(
        self, session: Session, table: Table, condition: ColumnElement[bool]
    ) -> Iterator[Sequence[Row]]:
        """Read and lock the rows, in the order of their keys, a bounded number at a time."""
        columns = key_columns(table)
        rows: Select[Any] = select(*table.columns).where(condition).order_by(*columns)
        stmt = rows.limit(BATCH).with_for_update()
        while True:
            found = [dict(row) for row in session.connection().execute(stmt).mappings()]
            if found:
                yield found
            if len(found) < BATCH:
                return
            last = [literal(found[-1][column.name], column.type) for column in columns]
            stmt = rows.where(tuple_(*columns) > tuple_(*last)).limit(BATCH).with_for_update()


def table_of(mapper: Mapper[Any]) -> Table:
    assert isinstance(mapper.local_table, Table)  # noqa: S101 - the schema takes no others
    return mapper.local_table


def key_of_identity(mapper: Mapper[Any], obj: Any) -> str:
    """Return the key that the row has in the database, whatever the object's is now."""
    identity = inspect(obj).identity or mapper.primary_key_from_instance(obj)
    row = {c.name: value for c, value in zip(mapper.primary_key, identity, strict=True)}
    return key_of_row(table_of(mapper), row)


def history_of(mapper: Mapper[Any], obj: Any, column: Column[Any]) -> attributes.History:
    name = mapper.get_property_by_column(column).key
    return attributes.get_history(obj, name, PassiveFlag.PASSIVE_NO_INITIALIZE)


def forgets(mapper: Mapper[Any], obj: Any, column: Column[Any]) -> bool:
    """Say whether the attribute won't know after the flush what it held before."""
    if column.onupdate is not None or column.server_onupdate is not None:
        return True
    history = history_of(mapper, obj, column)
    return bool(history.added) and (not history.deleted or any(map(is_clause, history.added)))


def is_clause(value: Any) -> bool:
    return isinstance(value, ClauseElement) or hasattr(value, "__clause_element__")


def matches(columns: Sequence[Column[Any]], values: Iterable[Sequence[Any]]) -> ColumnElement[bool]:
    """Return the condition that picks the rows with one of these keys."""
    if len(columns) == 1:
        return columns[0].in_([value for (value,) in values])
    return tuple_(*columns).in_([tuple(value) for value in values])


def link_row(relationship: RelationshipProperty[Any], obj: Any, other: Any) -> Values:
    """Return the row that links two objects."""
    row = {}
    ends = (
        (obj, relationship.synchronize_pairs),
        (other, relationship.secondary_synchronize_pairs),
    )
    for end, pairs in ends:
        for ours, theirs in pairs or ():
            row[theirs.name] = getattr(end, end.__mapper__.get_property_by_column(ours).key)
    return row


def in_batches(items: Sequence[Item], size: int = BATCH) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
