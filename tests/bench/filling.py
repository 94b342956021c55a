"""Filling empty tables as fast as the database can, and leaving them as if they had grown.

Indexes and triggers go first and come back afterwards, whatever the migrations made of them: many
rows at once are sorted into an index quicker than one by one.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from typing import Any

import psycopg
from sqlalchemy import URL

from migrations.trigrams import searched
from models import Base
from models.trigrams import sqlite_statements
from tests.bench import data

BUILDERS = 2  # indexes built at once
MEMORY = "1GB"  # for each of them

# Of each index: how to drop it, and how to build it again.
INDEXES = """
SELECT format('DROP INDEX %I.%I', schemaname, indexname), indexdef
FROM pg_indexes
WHERE tablename IN ('users', 'posts') AND indexname NOT IN (SELECT conname FROM pg_constraint)
UNION ALL
SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname),
    format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname,
        pg_get_constraintdef(oid))
FROM pg_constraint
WHERE contype = 'u' AND conrelid IN ('users'::regclass, 'posts'::regclass)
"""
ON_SQLITE = """
SELECT type, name, sql FROM sqlite_master
WHERE tbl_name IN ('users', 'posts') AND type IN ('index', 'trigger') AND sql IS NOT NULL
"""


def fill(url: URL, users: int, posts: int) -> None:
    """Fill the empty tables of a migrated database."""
    if url.get_backend_name() == "sqlite":
        fill_sqlite(str(url.database), users, posts)
    else:
        fill_postgresql(url, users, posts)


def tables(users: int, posts: int) -> Iterator[tuple[str, Sequence[str], Iterable[Any]]]:
    """Yield each table, its columns and its rows."""
    yield "users", data.USER_COLUMNS, data.users(users)
    yield "posts", data.POST_COLUMNS, data.posts(posts, users)


def fill_postgresql(url: URL, users: int, posts: int) -> None:
    """Leave the tables as autovacuum would."""
    with connect(url) as connection:
        # No triggers: neither those that look up each author, nor a search's.
        connection.execute("SET session_replication_role = replica")
        connection.execute("SET TimeZone = 'UTC'")
        with indexes_aside(connection, url):
            for table, columns, rows in tables(users, posts):
                copy_in(connection, table, columns, rows)
        connection.execute("VACUUM ANALYZE users, posts")


def copy_in(
    connection: psycopg.Connection, table: str, columns: Sequence[str], rows: Iterable[Any]
) -> None:
    sql = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(sql.encode()) as copy:
        for row in rows:
            copy.write_row(row)
    # The next row gets the next key.
    last = f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"
    connection.execute(last.encode())


@contextmanager
def indexes_aside(connection: psycopg.Connection, url: URL) -> Iterator[None]:
    """Drop the indexes meanwhile; keys stay, because rows come in their order."""
    found = connection.execute(INDEXES).fetchall()
    for drop, _ in found:
        connection.execute(drop.encode())
    yield
    with ThreadPoolExecutor(BUILDERS) as builders:
        list(builders.map(partial(build, url), (sql for _, sql in found)))


def build(url: URL, sql: str) -> None:
    with connect(url) as connection:
        connection.execute(f"SET maintenance_work_mem = '{MEMORY}'".encode())
        connection.execute(sql.encode())


def fill_sqlite(path: str, users: int, posts: int) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-1000000"):
            connection.execute(f"PRAGMA {pragma}")
        found = connection.execute(ON_SQLITE).fetchall()
        for kind, name, _ in found:
            connection.execute(f'DROP {kind} "{name}"')
        connection.execute("BEGIN")
        for table, columns, rows in tables(users, posts):
            marks = ", ".join("?" * len(columns))
            sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"
            connection.executemany(sql, rows)
        for table, columns in searched(Base.metadata).items():
            *_, index_all = sqlite_statements(table, columns)
            connection.execute(index_all)
        for _, _, sql in found:
            connection.execute(sql)
        connection.execute("COMMIT")


def connect(url: URL) -> psycopg.Connection:
    """Connect without the ORM, and without prepared plans that forget the term searched for."""
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(address, autocommit=True, prepare_threshold=None)
