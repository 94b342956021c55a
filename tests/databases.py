"""Databases for tests: made by the migrations once, then copied."""

import re
import secrets
import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from sqlalchemy import URL, Connection, Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor, ExecutionContext
from sqlalchemy.pool import ConnectionPoolEntry

from admin.settings import Settings
from migrations.schema import upgrade
from models.database import Database, connect

# A pooler lends a connection for one transaction: what outlives that would reach other people.
SESSION_STATE = re.compile(
    r"^\s*(SET\s+(?!LOCAL|TRANSACTION|CONSTRAINTS)|RESET|LISTEN|PREPARE|LOAD|CREATE\s+TEMP)"
    r"|pg_(try_)?advisory_lock",
    re.IGNORECASE,
)
READS_NOTHING = re.compile(r"EXPLAIN|(BEGIN|SAVEPOINT|RELEASE|ROLLBACK)\b")


def settings_for(url: URL, **changes: Any) -> Settings:
    """Return settings for an application on the database at `url`."""
    return Settings(
        secret_key="a secret of the tests, long enough",
        allowed_hosts=("testserver",),
        database_url=url,
        database_url_unpooled=url,
        **changes,
    )


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """Collect the SQL that `database` executes meanwhile, without BEGIN, savepoints and plans."""
    seen: list[str] = []

    def collect(_connection: Connection, _cursor: DBAPICursor, sql: str, *_rest: object) -> None:
        if not READS_NOTHING.match(sql):
            seen.append(sql)

    engine = database.writer.engine
    event.listen(engine, "before_cursor_execute", collect)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", collect)


class Backend(ABC):
    """Creates and drops databases of one kind."""

    @abstractmethod
    def empty(self) -> URL:
        """Create a database without tables."""

    @abstractmethod
    def migrated(self) -> URL:
        """Create a database with the schema of the newest migration."""

    @abstractmethod
    def drop(self, url: URL) -> None: ...

    def open(self, url: URL) -> Database:
        return connect(url, wait=10.0)

    @cached_property
    def shared(self) -> Engine:
        """The migrated database of this process, in which nobody commits."""
        return self.open(self.migrated()).writer.engine

    def close(self) -> None:
        """Drop the shared database, if a test asked for it."""
        if "shared" in vars(self):
            self.shared.dispose()
            self.drop(self.shared.url)


class Sqlite(Backend):
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def empty(self) -> URL:
        return URL.create("sqlite", database=str(self.folder / f"{secrets.token_hex(8)}.db"))

    def migrated(self) -> URL:
        url = self.empty()
        shutil.copy(self._template, str(url.database))
        return url

    def open(self, url: URL) -> Database:
        database = super().open(url)
        event.listen(database.writer.engine, "connect", _wait_for_no_disk)
        return database

    def drop(self, url: URL) -> None:
        for path in self.folder.glob(f"{Path(str(url.database)).name}*"):
            path.unlink()

    @cached_property
    def _template(self) -> Path:
        url = self.empty()
        upgrade(settings_for(url))
        return Path(str(url.database))


class Postgresql(Backend):
    """Names its databases after the run, to find them again when the server outlives it."""

    def __init__(self, server: URL, run: str) -> None:
        self.server = server
        self.run = run
        self.template = f"{run}_template"

    def empty(self) -> URL:
        return self._create("template0")

    def migrated(self) -> URL:
        with self._connect() as connection:
            # Only one process of the run makes the template, the others wait for it.
            connection.execute("SELECT pg_advisory_lock(hashtext(%s))", [self.template])
            if self.template not in self._names(connection):
                self._create_template(connection)
        return self._create(self.template)

    def drop(self, url: URL) -> None:
        with self._connect() as connection:
            _execute(connection, 'DROP DATABASE "{}" WITH (FORCE)', str(url.database))

    def drop_all(self) -> None:
        with self._connect() as connection:
            for name in self._names(connection):
                _execute(connection, 'DROP DATABASE "{}" WITH (FORCE)', name)

    def open(self, url: URL) -> Database:
        database = super().open(url)
        event.listen(database.writer.engine, "before_cursor_execute", _refuse_session_state)
        return database

    def disconnect_all(self, url: URL) -> None:
        """End all connections to a database, as a restart of its server does."""
        terminate = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
        with self._connect() as connection:
            connection.execute(terminate, [url.database])

    def _connect(self) -> psycopg.Connection:
        url = self.server.set(drivername="postgresql").render_as_string(hide_password=False)
        return psycopg.connect(url, autocommit=True)

    def _names(self, connection: psycopg.Connection) -> list[str]:
        mine = "SELECT datname FROM pg_database WHERE starts_with(datname, %s)"
        return [name for (name,) in connection.execute(mine, [self.run])]

    def _create(self, template: str) -> URL:
        name = f"{self.run}_{secrets.token_hex(8)}"
        with self._connect() as connection:
            _execute(connection, 'CREATE DATABASE "{}" TEMPLATE "{}"', name, template)
        return self.server.set(database=name)

    def _create_template(self, connection: psycopg.Connection) -> None:
        url = self.empty()
        upgrade(settings_for(url))
        rename = 'ALTER DATABASE "{}" RENAME TO "{}"'
        _execute(connection, rename, str(url.database), self.template)


def _execute(connection: psycopg.Connection, statement: LiteralString, *names: str) -> None:
    connection.execute(statement.format(*names).encode())


def _wait_for_no_disk(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    """Nothing of it survives the run, so nothing needs to be safe on the disk."""
    connection.cursor().execute("PRAGMA synchronous=OFF")


def _refuse_session_state(
    _connection: Connection,
    _cursor: DBAPICursor,
    sql: str,
    _parameters: object,
    _context: ExecutionContext,
    _many: bool,
) -> None:
    assert not SESSION_STATE.search(sql), f"This would outlive its transaction: {sql}"
