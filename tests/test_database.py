"""The database: what reads and writes promise, also when the server goes away."""

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from threading import Barrier, Thread
from typing import Any, NoReturn

import psycopg
import pytest
from sqlalchemy import Executable, delete, event, exc, func, insert, inspect, select, text, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from models import Operator, Post, User
from models.database import (
    Database,
    WriteInReadError,
    connect,
    is_transient,
    make_engine,
    retry,
)
from tests.databases import Postgresql, Sqlite, statements


def ed(**values: Any) -> User:
    return User(**{"name": "Ed", "email": "ed@example.org"} | values)


def add_ed(session: Session) -> int:
    session.add(user := ed())
    session.flush()
    return user.id


def count_users(session: Session) -> int | None:
    return session.scalar(select(func.count()).select_from(User))


@pytest.fixture
def real_postgresql(postgresql: Postgresql) -> Iterator[Database]:
    database = postgresql.open(postgresql.migrated())
    yield database
    database.dispose()
    postgresql.drop(database.writer.engine.url)


@pytest.fixture
def real_sqlite(sqlite: Sqlite) -> Iterator[Database]:
    database = sqlite.open(sqlite.migrated())
    yield database
    database.dispose()
    sqlite.drop(database.writer.engine.url)


# Reading and writing


def test_a_write_is_kept_and_its_result_returned(real_database: Database) -> None:
    id_ = real_database.write(add_ed)
    assert real_database.read(lambda session: session.get_one(User, id_)).name == "Ed"


def test_a_write_that_raises_keeps_nothing(real_database: Database) -> None:
    def work(session: Session) -> NoReturn:
        add_ed(session)
        raise LookupError

    with pytest.raises(LookupError):
        real_database.write(work)
    assert real_database.read(count_users) == 0


def test_a_write_that_the_database_refuses_keeps_nothing(real_database: Database) -> None:
    def add_twice(session: Session) -> None:
        session.add_all([ed(), ed(email="other@example.org")])
        session.flush()
        session.add(ed())

    with pytest.raises(exc.IntegrityError):
        real_database.write(add_twice)
    assert real_database.read(count_users) == 0


def test_a_read_can_not_write(database: Database) -> None:
    with pytest.raises(WriteInReadError):
        database.read(add_ed)
    assert database.read(count_users) == 0


def test_a_read_can_not_write_by_changing_what_it_read(database: Database) -> None:
    id_ = database.write(add_ed)

    def rename(session: Session) -> None:
        session.get_one(User, id_).name = "Changed"
        session.scalars(select(User)).all()

    with pytest.raises(WriteInReadError):
        database.read(rename)
    assert database.read(lambda session: session.get_one(User, id_)).name == "Ed"


def test_a_pooled_connection_goes_from_reads_to_writes_and_back(real_database: Database) -> None:
    """A read leaves no AUTOCOMMIT behind: the write after it is undone as a whole."""

    def fail(session: Session) -> NoReturn:
        session.execute(delete(User))
        raise LookupError

    real_database.write(add_ed)
    assert real_database.read(count_users) == 1
    with pytest.raises(LookupError):
        real_database.write(fail)
    assert real_database.read(count_users) == 1


def test_a_statement_is_all_a_read_costs(real_database: Database) -> None:
    with statements(real_database) as seen:
        real_database.read(count_users)
    assert len(seen) == 1


@pytest.mark.parametrize(
    "statement",
    [
        update(User).values(name=""),
        delete(User),
        insert(User).values(name="Ed", email="ed@example.org"),
        update(inspect(User).local_table).values(name=""),  # type: ignore[arg-type]
        select(User).from_statement(insert(User).values(name="Ed", email="e").returning(User)),
    ],
    ids=str,
)
def test_a_read_can_not_write_by_a_statement(database: Database, statement: Executable) -> None:
    with pytest.raises(WriteInReadError):
        database.read(lambda session: session.execute(statement))


def test_a_read_can_not_write_in_bulk(database: Database) -> None:
    with pytest.raises(WriteInReadError):
        database.read(lambda session: session.bulk_save_objects([ed()]))


# Retries


def test_a_read_survives_a_restart_of_the_server(
    postgresql: Postgresql, real_postgresql: Database
) -> None:
    real_postgresql.read(count_users)
    postgresql.disconnect_all(real_postgresql.writer.engine.url)
    assert real_postgresql.read(count_users) == 0


def test_a_write_cut_off_before_its_commit_is_done_once(
    postgresql: Postgresql, real_postgresql: Database
) -> None:
    runs = []

    def work(session: Session) -> None:
        add_ed(session)
        runs.append(session)
        if len(runs) == 1:
            postgresql.disconnect_all(real_postgresql.writer.engine.url)
            session.execute(text("SELECT 1"))

    real_postgresql.write(work)
    assert len(runs) == 2
    assert real_postgresql.read(count_users) == 1


def test_a_lost_answer_to_commit_is_not_repeated(
    postgresql: Postgresql, real_postgresql: Database
) -> None:
    runs = []

    def work(session: Session) -> None:
        runs.append(add_ed(session))
        event.listen(session, "before_commit", cut_off)

    def cut_off(_session: Session) -> None:
        postgresql.disconnect_all(real_postgresql.writer.engine.url)

    with pytest.raises(exc.DBAPIError) as raised:
        real_postgresql.write(work)
    assert is_transient(raised.value)
    assert len(runs) == 1


def test_a_write_gives_its_connection_back_when_commit_fails(real_postgresql: Database) -> None:
    def work(session: Session) -> None:
        session.execute(text("SET CONSTRAINTS ALL DEFERRED"))
        event.listen(session, "before_commit", refuse)

    def refuse(_session: Session) -> NoReturn:
        raise LookupError

    with pytest.raises(LookupError):
        real_postgresql.write(work)
    assert real_postgresql.writer.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


class Failing:
    """Work that raises an error, as psycopg would, and counts how often it is called."""

    def __init__(self, error: Exception) -> None:
        self.error = exc.DBAPIError.instance("SELECT 1", None, error, Exception)
        self.calls = 0

    def __call__(self) -> NoReturn:
        self.calls += 1
        raise self.error


@pytest.mark.parametrize(
    "error",
    [
        psycopg.errors.AdminShutdown(),
        psycopg.errors.SerializationFailure(),
        psycopg.errors.DeadlockDetected(),
        psycopg.errors.TooManyConnections(),
        psycopg.errors.ProtocolViolation("server login has been failing"),
        psycopg.OperationalError("server closed the connection unexpectedly"),
        psycopg.InternalError("received 2 results from command 'BEGIN'"),
    ],
    ids=repr,
)
def test_what_may_pass_is_tried_again(error: Exception) -> None:
    failing = Failing(error)
    with pytest.raises(exc.DBAPIError):
        retry(failing, seconds=0.2)
    assert failing.calls > 1


@pytest.mark.parametrize(
    "error",
    [
        psycopg.errors.UniqueViolation(),
        psycopg.errors.UndefinedTable(),
        psycopg.errors.LockNotAvailable(),
        psycopg.errors.InvalidPassword(),
        psycopg.OperationalError("password authentication failed for user"),
        psycopg.OperationalError("ERROR: endpoint ID is not specified"),
        psycopg.ProgrammingError("the query has 1 placeholder but 2 parameters were passed"),
        sqlite3.OperationalError("no such table: users"),
    ],
    ids=repr,
)
def test_what_will_not_pass_is_raised_at_once(error: Exception) -> None:
    failing = Failing(error)
    with pytest.raises(exc.DBAPIError):
        retry(failing, seconds=5)
    assert failing.calls == 1


def test_a_refused_connection_is_waited_for_no_longer_than_told(postgresql: Postgresql) -> None:
    nowhere = postgresql.server.set(port=1)
    database = connect(nowhere, wait=0.2)
    with pytest.raises(exc.OperationalError):
        database.read(count_users)


def test_connections_used_at_once_are_kept_for_the_next_pages(real_database: Database) -> None:
    opened: list[object] = []
    event.listen(real_database.writer.engine, "connect", lambda *args: opened.append(args))
    for _ in range(2):
        everybody = Barrier(8)

        def read(session: Session, everybody: Barrier = everybody) -> None:
            session.connection()
            everybody.wait(10)

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(real_database.read, [read] * 8))
    assert len(opened) == 8


def test_a_full_pool_is_not_waited_for_again(postgresql: Postgresql) -> None:
    engine = make_engine(postgresql.shared.url, pool_size=1, max_overflow=0)
    engine.pool._timeout = 0.01  # type: ignore[attr-defined]
    database = Database(engine, engine)
    with engine.connect(), pytest.raises(exc.TimeoutError) as raised:
        database.read(count_users)
    assert not is_transient(raised.value)
    database.dispose()


def test_a_connection_that_idled_is_tried_out_first(
    postgresql: Postgresql, real_postgresql: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.database.IDLE_BEFORE_PING", 0)
    real_postgresql.read(count_users)
    postgresql.disconnect_all(real_postgresql.writer.engine.url)
    with real_postgresql.writer.engine.connect() as connection:
        assert connection.scalar(text("SELECT 1")) == 1


# SQLite


def test_a_read_on_sqlite_begins_no_transaction(real_sqlite: Database) -> None:
    seen: list[str] = []

    def read(session: Session) -> None:
        connection: Any = session.connection().connection.driver_connection
        connection.set_trace_callback(seen.append)
        session.scalars(select(User)).all()
        connection.set_trace_callback(None)

    real_sqlite.read(read)
    assert [sql.split()[0] for sql in seen] == ["SELECT"]


def test_a_read_on_sqlite_does_not_wait_for_a_writer(real_sqlite: Database) -> None:
    def write(session: Session) -> int | None:
        add_ed(session)
        return real_sqlite.read(count_users)

    assert real_sqlite.write(write) == 0
    assert real_sqlite.read(count_users) == 1


def test_concurrent_updates_lose_nothing(real_sqlite: Database) -> None:
    id_ = real_sqlite.write(add_ed)

    def increment(session: Session) -> None:
        value = session.scalar(select(User.version).where(User.id == id_)) or 0
        session.execute(update(User).where(User.id == id_).values(version=value + 1))

    with ThreadPoolExecutor(8) as threads:
        for done in [threads.submit(real_sqlite.write, increment) for _ in range(80)]:
            done.result()
    assert real_sqlite.read(lambda session: session.get_one(User, id_)).version == 81


# Rows


def test_times_come_back_in_utc_with_microseconds(database: Database) -> None:
    before = datetime.now(UTC)
    id_ = database.write(add_ed)
    noon = datetime(2026, 1, 2, 12, 30, 0, 123456, tzinfo=timezone(timedelta(hours=2)))

    def publish(session: Session) -> None:
        session.add(Post(title="", content="", user_id=id_, published_at=noon))

    database.write(publish)
    user = database.read(lambda session: session.get_one(User, id_))
    post = database.read(lambda session: session.scalars(select(Post)).one())
    assert before <= user.created_at <= datetime.now(UTC)
    assert user.created_at.tzinfo is UTC
    assert post.published_at == noon
    assert post.published_at.isoformat() == "2026-01-02T10:30:00.123456+00:00"


def test_rows_written_without_the_orm_have_their_time_in_utc(database: Database) -> None:
    before = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)
    sql = "INSERT INTO users (name, email) VALUES ('Ed', 'ed@example.org')"
    database.write(lambda session: session.execute(text(sql)))
    user = database.read(lambda session: session.scalars(select(User)).one())
    assert before <= user.created_at <= datetime.now(UTC)
    assert user.is_active
    assert user.version == 1


def test_a_time_without_a_zone_is_refused(database: Database) -> None:
    naive = datetime(2026, 1, 2)  # noqa: DTZ001 - the mistake under test
    with pytest.raises(exc.StatementError, match="time zone"):
        database.write(lambda session: session.add(ed(created_at=naive)))


def test_a_post_needs_its_author(database: Database) -> None:
    with pytest.raises(exc.IntegrityError):
        database.write(lambda session: session.add(Post(title="", content="", user_id=7)))


def test_posts_go_with_their_author_by_the_databases_own_cascade(database: Database) -> None:
    def add_with_post(session: Session) -> int:
        session.add(user := ed(posts=[Post(title="", content="")]))
        session.flush()
        return user.id

    id_ = database.write(add_with_post)
    with statements(database) as seen:
        database.write(lambda session: session.delete(session.get_one(User, id_)))
    assert database.read(lambda session: session.scalars(select(Post)).all()) == []
    assert [sql for sql in seen if "posts" in sql] == []


def test_a_stale_version_is_refused(real_database: Database) -> None:
    id_ = real_database.write(add_ed)

    def overtaken(session: Session) -> None:
        user = session.get_one(User, id_)
        session.execute(text("UPDATE users SET version = version + 1"))
        user.name = "Late"

    with pytest.raises(StaleDataError):
        real_database.write(overtaken)
    assert real_database.read(lambda session: session.get_one(User, id_)).name == "Ed"


def test_usernames_and_emails_are_unique(database: Database) -> None:
    def twice(model: type[Any], **values: object) -> Callable[[Session], object]:
        return lambda session: session.execute(insert(model), [values, values])

    with pytest.raises(exc.IntegrityError):
        database.write(twice(User, name="Ed", email="ed@example.org"))
    with pytest.raises(exc.IntegrityError):
        database.write(twice(Operator, username="olga", password_hash=""))


# The fixtures themselves


def test_the_database_of_a_test_starts_empty_and_may_commit(database: Database) -> None:
    assert database.read(count_users) == 0
    database.write(add_ed)
    assert database.read(count_users) == 1


def test_the_next_test_sees_nothing_of_it(database: Database) -> None:
    assert database.read(count_users) == 0


def test_the_database_of_a_test_serves_other_threads(database: Database) -> None:
    for _ in range(3):
        thread = Thread(target=database.write, args=[lambda session: session.add(ed())])
        database.write(lambda session: session.execute(delete(User)))
        thread.start()
        thread.join()
    assert database.read(count_users) == 1


@pytest.mark.parametrize(
    "sql",
    [
        "SET lock_timeout = '1s'",
        "set session time zone 'UTC'",
        "LISTEN changes",
        "PREPARE p AS SELECT 1",
        "SELECT pg_advisory_lock(1)",
        "SELECT pg_try_advisory_lock(1)",
        "CREATE TEMP TABLE t (id int)",
    ],
)
def test_session_state_fails_a_test(postgresql: Postgresql, sql: str) -> None:
    refused = pytest.raises(AssertionError, match="would outlive its transaction")
    with postgresql.shared.connect() as connection, refused:
        connection.execute(text(sql))


def test_the_state_of_a_transaction_is_fine(postgresql: Postgresql) -> None:
    with postgresql.shared.connect() as connection:
        connection.execute(text("SET LOCAL lock_timeout = '1s'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(1)"))
