"""Engines and sessions for SQLite and PostgreSQL, and the two ways to use them: read and write."""

import copy
import random
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar
from uuid import UUID, uuid4

from sqlalchemy import (
    URL,
    ClauseElement,
    Connection,
    Engine,
    UpdateBase,
    create_engine,
    event,
    exc,
)
from sqlalchemy.engine.interfaces import DBAPIConnection, Dialect
from sqlalchemy.orm import FromStatement, Session, UOWTransaction, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection, QueuePool

from models.statement_limit import StatementLimit

Result = TypeVar("Result")

# Seconds a pooled connection may idle before it is tried out; Neon suspends after five minutes.
IDLE_BEFORE_PING = 20
# Shutting down, starting up, too many connections, serialization failure, deadlock, idle timeout.
TRANSIENT_STATES = {"57P01", "57P02", "57P03", "57P05", "53300", "40001", "40P01", "25P03"}
# What libpq says, without an SQLSTATE, about mistakes that no waiting mends.
PERMANENT_REFUSALS = (
    "password authentication failed",
    "no pg_hba.conf entry",
    "channel binding",
    "unsupported startup parameter",
    "endpoint ID is not specified",
    "does not exist",
)


class WriteInReadError(Exception):
    """Work handed to `Database.read` tried to change a row."""


class Journal(Protocol):
    """Keeps what units of work do, in their own transactions."""

    def attach(self, sessions: sessionmaker[Session]) -> None: ...

    def begin(self, session: Session, operation: UUID) -> None: ...

    def finish(self, session: Session) -> bool:
        """Store what the session did; return whether it did anything."""

    def holds(self, session: Session, operation: UUID) -> bool:
        """Say whether the operation was stored."""


class Database:
    """Runs units of work: `read` without a transaction, `write` in exactly one.

    Work is repeated, for at most `wait` seconds, when the server went away before it could have
    taken effect, so it must be free of effects outside the session.
    """

    def __init__(
        self,
        writer: Engine | Connection,
        reader: Engine | Connection,
        *,
        wait: float = 20.0,
        **session_options: Any,
    ) -> None:
        self.writer = writer
        self.wait = wait
        self.journal: Journal | None = None
        self.sessions = sessionmaker(writer, expire_on_commit=False, **session_options)
        self.read_sessions = sessionmaker(
            reader, class_=ReadSession, expire_on_commit=False, **session_options
        )

    def read(self, work: Callable[[Session], Result]) -> Result:
        """Return what `work` makes of a session that can't write."""

        def once() -> Result:
            with self.read_sessions() as session:
                return work(session)

        return retry(once, seconds=self.wait)

    def recorded_by(self, journal: Journal) -> "Database":
        """Return the same database, with a journal of all that is written through it."""
        recorded = copy.copy(self)
        recorded.sessions = sessionmaker(**self.sessions.kw)
        recorded.journal = journal
        journal.attach(recorded.sessions)
        return recorded

    def write(self, work: Callable[[Session], Result], *, operation: UUID | None = None) -> Result:
        """Return what `work` made, all of it committed; if it raises, nothing of it is.

        When the answer to COMMIT is lost, recorded work is repeated unless the journal holds it:
        it is done exactly once. Other work is not repeated, because it may have been stored.
        `operation` is a key of the caller's that recorded work is known by.
        """
        operation, deadline = operation or uuid4(), time.monotonic() + self.wait
        attempt = partial(self._until_commit, work, operation)
        session, result, is_recorded = retry(attempt, seconds=self.wait)
        while True:
            try:
                with session:
                    session.commit()
            except exc.DBAPIError as error:
                if not is_recorded or not is_transient(error) or time.monotonic() > deadline:
                    raise
            else:
                return result
            if self._holds(operation):
                return result
            try:
                session, result, again = retry(attempt, seconds=self.wait)
                is_recorded = is_recorded or again
            except Exception:
                # The first COMMIT was still on its way, and arrived before the repetition.
                if not self._holds(operation):
                    raise
                return result

    def _until_commit(
        self, work: Callable[[Session], Result], operation: UUID
    ) -> tuple[Session, Result, bool]:
        session = self.sessions()
        try:
            if self.journal is not None:
                self.journal.begin(session, operation)
            result = work(session)
            session.flush()
            is_recorded = self.journal is not None and self.journal.finish(session)
        except BaseException:
            session.close()
            raise
        return session, result, is_recorded

    def _holds(self, operation: UUID) -> bool:
        journal = self.journal
        return journal is not None and self.read(lambda session: journal.holds(session, operation))

    def dispose(self) -> None:
        """Close all pooled connections."""
        self.writer.engine.dispose()


class ReadSession(Session):
    """Refuses to write, so that a page that is read can't change what it shows."""

    def get_bind(
        self, mapper: Any = None, *, clause: ClauseElement | None = None, **options: Any
    ) -> Engine | Connection:
        """Return where a statement runs: a session asks that of each, which an event would slow."""
        writes = clause.element if isinstance(clause, FromStatement) else clause
        # Where rows are written in bulk, the session names their model and no statement.
        if isinstance(writes, UpdateBase) or (clause is None and mapper is not None):
            raise WriteInReadError
        return super().get_bind(mapper, clause=clause, **options)


@event.listens_for(ReadSession, "before_flush")
def _refuse_flush(session: Session, _context: UOWTransaction, _instances: object) -> None:
    if session.new or session.dirty or session.deleted:
        raise WriteInReadError


def connect(
    url: URL, *, wait: float = 20.0, statement_seconds: float = 0, **options: Any
) -> Database:
    """Return the database at `url`; nothing is opened before the first use.

    On both databases reads run on the same pool in AUTOCOMMIT, which spares them the two round
    trips of BEGIN and ROLLBACK. A statement that reads may take `statement_seconds`, 0 is for ever.
    """
    engine = make_engine(url, wait=wait, **options)
    reader = engine.execution_options(isolation_level="AUTOCOMMIT")
    if statement_seconds:
        StatementLimit(reader, statement_seconds)
    return Database(engine, reader, wait=wait)


def make_engine(
    url: URL,
    *,
    wait: float = 20.0,
    pool_size: int = 10,
    max_overflow: int = 5,
    prepared: bool = False,
) -> Engine:
    """Return an engine for a SQLite or PostgreSQL URL.

    `pool_size` connections are kept once they were needed, `max_overflow` more are closed after
    use. `prepared` lets PostgreSQL prepare statements.
    """
    pool = {"poolclass": QueuePool, "pool_size": pool_size, "max_overflow": max_overflow}
    if url.get_backend_name() == "sqlite":
        return _sqlite_engine(url, pool)
    return _postgresql_engine(url, pool, wait=wait, prepared=prepared)


def is_transient(error: BaseException) -> bool:
    """Say whether the same work may succeed once the server is back.

    A full pool is not transient: waiting longer would only pile up more requests.
    """
    if not isinstance(error, exc.DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return state in TRANSIENT_STATES or state.startswith("08")
    return _is_lost_connection(error)


def retry(
    work: Callable[[], Result],
    *,
    seconds: float,
    may_pass: Callable[[Exception], bool] = is_transient,
) -> Result:
    """Call `work` until no error is raised that may pass, backing off, for at most `seconds`."""
    deadline, delay = time.monotonic() + seconds, 0.05
    while True:
        try:
            return work()
        except Exception as error:
            if not may_pass(error) or time.monotonic() + delay > deadline:
                raise
        time.sleep(random.uniform(delay / 2, delay))  # noqa: S311 - jitter, not a secret
        delay = min(delay * 2, 1.0)


def _is_lost_connection(error: exc.DBAPIError) -> bool:
    """Recognise failures of libpq itself, which carry no SQLSTATE."""
    kinds = (exc.OperationalError, exc.InternalError, exc.InterfaceError)
    from_psycopg = type(error.orig).__module__.startswith("psycopg")
    return from_psycopg and isinstance(error, kinds) and not _is_permanent(error.orig)


def _is_permanent(error: BaseException | None) -> bool:
    return any(refusal in str(error) for refusal in PERMANENT_REFUSALS)


def _sqlite_engine(url: URL, pool: dict[str, Any]) -> Engine:
    engine = create_engine(url, connect_args={"timeout": 15}, hide_parameters=True, **pool)
    event.listen(engine, "do_connect", _make_folder)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_immediate)
    return engine


def _make_folder(
    _dialect: Dialect, _record: ConnectionPoolEntry, cargs: list[str], _cparams: object
) -> None:
    if cargs[0] and cargs[0] != ":memory:":
        Path(cargs[0]).parent.mkdir(parents=True, exist_ok=True)


def _prepare_sqlite(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    """Take the write lock first: a transaction that reads and then writes would lose updates."""
    if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _postgresql_engine(url: URL, pool: dict[str, Any], *, wait: float, prepared: bool) -> Engine:
    arguments: dict[str, Any] = {
        "connect_timeout": 10,
        "application_name": "admin",
        "keepalives": 1,
        "keepalives_idle": 30,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        # In milliseconds; with the keepalives it ends a query whose server fell silent.
        "tcp_user_timeout": 15000,
    }
    arguments = {name: value for name, value in arguments.items() if name not in url.query}
    # Prepared statements return wrong rows behind a pooler that doesn't know of them.
    arguments["prepare_threshold"] = 5 if prepared else None
    engine = create_engine(
        url,
        pool_timeout=10,
        pool_recycle=1800,
        pool_use_lifo=True,
        connect_args=arguments,
        hide_parameters=True,
        **pool,
    )
    _wait_for_server(engine, wait)
    _ping_idle_connections(engine)
    return engine


def _wait_for_server(engine: Engine, seconds: float) -> None:
    """Keep trying to connect while the server wakes up, restarts or refuses."""

    @event.listens_for(engine, "do_connect")
    def connect_patiently(
        dialect: Dialect, _record: ConnectionPoolEntry, cargs: Any, cparams: Any
    ) -> DBAPIConnection:
        def may_pass(error: Exception) -> bool:
            is_refusal = isinstance(error, dialect.loaded_dbapi.OperationalError)
            return is_refusal and not _is_permanent(error)

        connect = partial(dialect.connect, *cargs, **cparams)
        return retry(connect, seconds=seconds, may_pass=may_pass)


def _ping_idle_connections(engine: Engine) -> None:
    """Try out a connection that idled; one round trip, only when it may well be dead."""

    @event.listens_for(engine, "checkin")
    def remember_idle(_connection: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
        record.info["idle_since"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def ping_if_idle(
        connection: DBAPIConnection, record: ConnectionPoolEntry, _proxy: PoolProxiedConnection
    ) -> None:
        idle_since = record.info.get("idle_since", time.monotonic())
        if time.monotonic() - idle_since < IDLE_BEFORE_PING:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise exc.InvalidatePoolError("The connection went stale.") from error
