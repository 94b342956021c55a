"""A connection that migrations may rely on: direct, patient and alone."""

import logging
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from alembic.util import CommandError
from sqlalchemy import URL, Connection, Engine, event, exc, func, select
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from admin.settings import Settings, without_pooler
from models.database import is_transient, make_engine

ADVISORY_LOCK = 0x61646D696E  # "admin"
LOCK_WAIT = 120.0  # seconds for another process to finish
LOCK_NOT_AVAILABLE = "55P03"
TRIES = 20
LIMITS = {
    # Waiting for a table's lock blocks all who come after us: give up soon, and try again.
    "lock_timeout": "3s",
    "statement_timeout": "15min",
    "idle_in_transaction_session_timeout": "5min",
}

log = logging.getLogger("alembic.runtime.migration")


def with_connection(settings: Settings, work: Callable[[Connection], None]) -> None:
    """Call `work` with a connection, while no other process migrates the same database."""
    url = settings.database_url_unpooled
    refuse_pooler(url)
    engine = make_engine(url, wait=settings.db_wait)
    try:
        if engine.dialect.name == "sqlite":
            _on_sqlite(engine, work)
        else:
            with engine.connect():
                pass  # A wrong address fails here, once.
            _persistently(lambda: _on_postgresql(engine, work))
    finally:
        engine.dispose()


def refuse_pooler(url: URL) -> None:
    """Refuse Neon's pooled address: its connections keep neither a lock nor a setting."""
    if without_pooler(url) != url:
        raise CommandError(
            "DATABASE_URL_UNPOOLED must name the direct host, the one without -pooler, to migrate."
        )


def _on_sqlite(engine: Engine, work: Callable[[Connection], None]) -> None:
    """Run all migrations in one transaction, whose write lock keeps other processes out.

    To change a table SQLite often has to copy and drop it; with foreign keys enforced, that
    would delete the rows that refer to it. So they are checked at the end instead.
    """
    event.listen(engine, "connect", _prepare_to_copy)
    with engine.begin() as connection:
        work(connection)
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
        if broken is not None:
            raise CommandError(f"Rows of {broken.table} would refer to {broken.parent} in vain.")


def _prepare_to_copy(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    """Check no foreign keys, and keep what is copied or indexed in 64 MiB of memory."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys=OFF")
    cursor.execute("PRAGMA cache_size=-65536")
    cursor.close()


def _on_postgresql(engine: Engine, work: Callable[[Connection], None]) -> None:
    with _alone(engine), engine.connect() as connection:
        for name, value in LIMITS.items():
            connection.exec_driver_sql(f"SET {name} = '{value}'")
        connection.commit()
        work(connection)


@contextmanager
def _alone(engine: Engine) -> Iterator[None]:
    """Hold the lock on a connection of its own.

    It is polled in AUTOCOMMIT: one who waits inside `pg_advisory_lock` holds a snapshot, and
    CREATE INDEX CONCURRENTLY waits for all snapshots, so that both would wait for ever.
    """
    deadline = time.monotonic() + LOCK_WAIT
    lock = select(func.pg_try_advisory_lock(ADVISORY_LOCK))
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.detach()  # closing it, rather than pooling it, releases the lock
        while not connection.scalar(lock):
            if time.monotonic() > deadline:
                raise CommandError(
                    f"Another process has been migrating this database for {LOCK_WAIT:.0f} seconds."
                )
            time.sleep(random.uniform(0.1, 0.3))  # noqa: S311 - jitter, not a secret
        yield


def _persistently(migrate: Callable[[], None]) -> None:
    """Try again when a table was locked or the server went away.

    Each migration is committed together with its revision, so the next try resumes there.
    """
    for tries_left in reversed(range(TRIES)):
        try:
            return migrate()
        except exc.DBAPIError as error:
            if not tries_left or not _may_pass(error):
                raise
            log.warning("Trying again: %s", error.orig)
        time.sleep(random.uniform(0.5, 1.5))  # noqa: S311 - jitter, not a secret
    return None


def _may_pass(error: exc.DBAPIError) -> bool:
    return is_transient(error) or getattr(error.orig, "sqlstate", None) == LOCK_NOT_AVAILABLE
