"""The history of a database: every unit of work leaves a change set in its own transaction."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, event, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapper, Session, object_session

from admin.kit.history.chain import content_hash, seal, sealing_statement
from admin.kit.history.origin import current_origin, note_recorded
from admin.kit.history.recorder import BATCH, Recorder
from admin.kit.history.schema import RecordedSchema

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from sqlalchemy import TextClause
    from sqlalchemy.engine.interfaces import DBAPICursor, ExecutionContext
    from sqlalchemy.orm import SessionTransaction, UOWTransaction, registry, sessionmaker

    Guard = Callable[[Session, "Written"], None]

JOURNAL, RECORDER = "journal", "recorder"
WRITES = re.compile(
    r"\b(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM|TRUNCATE(?:\s+TABLE)?|MERGE\s+INTO|REPLACE\s+INTO)"
    r'\s+(?:ONLY\s+)?(?:"?\w+"?\.)?"?(\w+)',
    re.IGNORECASE,
)


class UnrecordedWriteError(Exception):
    """A statement would change rows without leaving an entry in the history."""

    def __init__(self, table_name: str) -> None:
        super().__init__(
            f"This statement changes {table_name!r} unseen by its history. Change the objects, or "
            "use `recorded_update` or `recorded_delete`; if it is to leave no trace, say so with "
            "`execution_options(unrecorded=True)`."
        )


class AlreadyDoneError(Exception):
    """Work that bears this key was done before, so it was not done again."""

    def __init__(self, operation: UUID) -> None:
        super().__init__("This was done before.")
        self.operation = operation


class Written:
    """What a unit of work has written, as its guard sees it."""

    def __init__(self, journal: Journal, session: Session, recorder: Recorder) -> None:
        self.journal = journal
        self.session = session
        self.recorder = recorder

    @property
    def tables(self) -> set[str]:
        """The names of the tables that were written."""
        return {name for name, _ in self.recorder.counts}

    def entries(self, table_names: Collection[str]) -> list[Any]:
        """Return the entries about rows of these tables, in their order."""
        recorder = self.recorder
        stored = self.journal.entries(self.session, recorder.operation)
        sent = [*stored] if recorder.is_spilled else []
        return [entry for entry in (*sent, *recorder.entries) if entry.table_name in table_names]

    def lock(self) -> None:
        """Wait for units of work that are about to be stored, and let others wait for this one."""
        self.session.execute(select(self.journal.heads.id).with_for_update())


class Journal:
    """Writes the history of the models of a registry into three tables of the application.

    `change_sets`, `changes` and `heads` are model classes; `models.history` shows what they hold.
    `guard` looks at all that a unit of work has written before it is stored, whichever page or
    command wrote it; what it raises takes back all of it.
    """

    def __init__(
        self,
        models: registry,
        *,
        change_sets: type,
        changes: type,
        heads: type,
        guard: Guard | None = None,
    ) -> None:
        self.schema = RecordedSchema(models)
        self.change_sets: Any = change_sets
        self.changes: Any = changes
        self.heads: Any = heads
        self.guard = guard

    @cached_property
    def sealing(self) -> TextClause:
        return sealing_statement(self)

    def attach(self, sessions: sessionmaker[Session]) -> None:
        """Watch what these sessions do."""
        sessions.configure(info={JOURNAL: self})
        for name, listener in SESSION_EVENTS.items():
            event.listen(sessions, name, listener)

    def begin(self, session: Session, operation: UUID) -> None:
        """Record what this session does from now on, as one change set."""
        session.info[RECORDER] = Recorder(self, operation)

    def finish(self, session: Session) -> bool:
        """Store the change set, at the end of the transaction; return whether there is one.

        Raises `AlreadyDoneError` if the operation was stored before.
        """
        recorder = recorder_of(session)
        if recorder is None or recorder.is_empty:
            return False
        recorder.entries.sort(key=lambda entry: entry.position)
        if self.guard is not None:
            self.guard(session, Written(self, session, recorder))
        session.info.pop(RECORDER)
        change_set = self._change_set(recorder)
        try:
            with recorder.working():
                self._store(session, recorder, change_set)
        except IntegrityError as error:
            session.rollback()
            if self.holds(session, recorder.operation):
                raise AlreadyDoneError(recorder.operation) from error
            raise
        finally:
            recorder.is_active = False
        note_recorded(recorder.operation, recorder.counts)
        return True

    def holds(self, session: Session, operation: UUID) -> bool:
        """Say whether the operation was stored."""
        stmt = select(self.change_sets.id).where(self.change_sets.operation == operation)
        return session.scalar(stmt) is not None

    def _change_set(self, recorder: Recorder) -> Any:
        origin = current_origin()
        counts = [[*name, count] for name, count in sorted(recorder.counts.items())]
        return self.change_sets(
            operation=recorder.operation,
            at=datetime.now(UTC),
            operator_id=origin.operator_id,
            operator_name=origin.operator_name,
            source=origin.source,
            request_id=origin.request_id,
            address=origin.address,
            reason=origin.reason,
            undoes=origin.undoes,
            summary=json.dumps(counts, separators=(",", ":")),
            label=recorder.label,
        )

    def _store(self, session: Session, recorder: Recorder, change_set: Any) -> None:
        if recorder.is_spilled:
            recorder.spill(session, at=1)
            entries: Iterable[Any] = self.entries(session, recorder.operation)
        else:
            entries = recorder.entries
        change_set.content_hash = content_hash(change_set, entries)
        seal(session.connection(), self, change_set, recorder.entries)

    def entries(self, session: Session, operation: UUID) -> Iterator[Any]:
        """Read the entries of a change set in their order, a bounded number at a time."""
        for batch in self.batches(session, operation):
            yield from batch

    def batches(
        self, session: Session, operation: UUID, *, backwards: bool = False
    ) -> Iterator[Sequence[Any]]:
        """Read the entries of a change set in their order, or last one first, some at a time."""
        table = self.changes.__table__
        place = table.c.position
        rows = select(table).where(table.c.operation == operation)
        rows = rows.order_by(place.desc() if backwards else place).limit(BATCH)
        found = session.execute(rows).all()
        while found:
            yield found
            last = found[-1].position
            rest = rows.where(place < last if backwards else place > last)
            found = session.execute(rest).all() if len(found) == BATCH else []


def note(
    session: Session, action: str, label: str = "", *, table_name: str = "", key: str = ""
) -> None:
    """Add an entry about something that changes no row, such as a sign-in or an export.

    With the `key` of a row of the table it is told in the row's own history, too.

    Without a history it does nothing.
    """
    recorder = recording(session) if JOURNAL in session.info else None
    if recorder is not None:
        recorder.begin_step()
        # What was asked for may hold anything; no text of PostgreSQL holds a NUL.
        recorder.add(
            action, table_name, key, label=label.replace("\0", "\N{REPLACEMENT CHARACTER}")
        )


def recorder_of(session: Session | None) -> Recorder | None:
    return session.info.get(RECORDER) if session is not None else None


def recording(session: Session) -> Recorder:
    """Return the session's recorder, a new one if it began work by itself."""
    if recorder_of(session) is None:
        session.info[JOURNAL].begin(session, uuid4())
    recorder: Recorder = session.info[RECORDER]
    return recorder


def before_flush(session: Session, _context: UOWTransaction, _instances: object) -> None:
    recorder = recording(session)
    with recorder.working():
        recorder.before_flush(session)
    recorder.is_working = True


def after_flush(session: Session, _context: UOWTransaction) -> None:
    recorder = recorder_of(session)
    if recorder is not None:
        recorder.after_flush(session)
        recorder.is_working = False


def after_begin(session: Session, _transaction: SessionTransaction, connection: Connection) -> None:
    """Record from the first statement on, and let the guard know for whom the connection works."""
    connection.info[RECORDER] = recording(session)
    if not event.contains(connection.engine, "before_cursor_execute", refuse_unrecorded):
        event.listen(connection.engine, "before_cursor_execute", refuse_unrecorded)


def before_commit(session: Session) -> None:
    """Finish a unit of work that commits by itself."""
    if not session.in_nested_transaction():
        session.flush()
        session.info[JOURNAL].finish(session)


def after_transaction_end(session: Session, transaction: SessionTransaction) -> None:
    """Forget what was not committed."""
    recorder = recorder_of(session)
    if recorder is not None and transaction.parent is None:
        recorder.is_active = False
        del session.info[RECORDER]


def after_transaction_create(session: Session, transaction: SessionTransaction) -> None:
    """Remember what was recorded before a savepoint, to which the work may go back."""
    recorder = recorder_of(session)
    if recorder is not None and transaction.nested:
        recorder.savepoints[transaction] = recorder.state()


def after_soft_rollback(session: Session, transaction: SessionTransaction) -> None:
    recorder = recorder_of(session)
    if recorder is not None and transaction in recorder.savepoints:
        recorder.go_back(recorder.savepoints.pop(transaction))


def refuse_unrecorded(
    connection: Connection,
    _cursor: DBAPICursor,
    statement: str,
    _parameters: Any,
    context: ExecutionContext,
    _many: bool,
) -> None:
    """Refuse what would change recorded rows past the recorder."""
    recorder: Recorder | None = connection.info.get(RECORDER)
    if recorder is None or not recorder.is_active or recorder.is_working:
        return
    if context.execution_options.get("unrecorded"):
        return
    for name in WRITES.findall(statement):
        if name in recorder.schema.tables:
            raise UnrecordedWriteError(name)


SESSION_EVENTS: dict[str, Callable[..., None]] = {
    "before_flush": before_flush,
    "after_flush": after_flush,
    "after_begin": after_begin,
    "before_commit": before_commit,
    "after_transaction_end": after_transaction_end,
    "after_transaction_create": after_transaction_create,
    "after_soft_rollback": after_soft_rollback,
}


@event.listens_for(Mapper, "before_delete")
def before_delete(_mapper: Mapper[Any], _connection: Connection, obj: Any) -> None:
    session = object_session(obj)
    recorder = recorder_of(session)
    if session is not None and recorder is not None:
        with session.no_autoflush:
            recorder.before_delete(session, obj)
