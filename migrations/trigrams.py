"""Indexes over trigrams: built where the database can have them, and mended where they got lost.

They hold nothing that the tables don't, so what they are made of may change with the models.
"""

import logging
from collections.abc import Mapping, Sequence
from contextlib import nullcontext

from alembic import op
from sqlalchemy import Connection, MetaData, exc, inspect

from migrations.online import may_commit
from models.trigrams import (
    EXTENSION,
    HAS_EXTENSION,
    index_name,
    sqlite_name,
    sqlite_statements,
    sqlite_triggers,
    trigram_indexes,
)

SCHEMA = """
SELECT quote_ident(nspname) FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace
WHERE extname = 'pg_trgm'
"""
VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)"
TRIGGERS = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?"

log = logging.getLogger("alembic.runtime.migration")


def build_trigrams(indexes: Mapping[str, Sequence[str]]) -> None:
    """Index columns of tables; on PostgreSQL nobody waits for it.

    Where the extension can't be had, the log says so; a later run builds what is missing.
    """
    context = op.get_context()
    if context.as_sql:
        for statement in _statements(context.dialect.name, indexes):
            op.execute(statement)
    elif may_commit():
        with context.autocommit_block():
            _build(op.get_bind(), indexes, concurrently=True)
    else:
        _build(op.get_bind(), indexes, concurrently=False)


def drop_trigrams(indexes: Mapping[str, Sequence[str]]) -> None:
    for table, columns in indexes.items():
        if op.get_context().dialect.name == "postgresql":
            op.execute(f"DROP INDEX IF EXISTS {index_name(table, columns)}")
            continue
        for trigger in sqlite_triggers(table):
            op.execute(f"DROP TRIGGER IF EXISTS {trigger}")
        op.execute(f"DROP TABLE IF EXISTS {sqlite_name(table)}")


def searched(metadata: MetaData) -> dict[str, list[str]]:
    """Return the tables that are declared to have such an index, with its columns."""
    return {
        table.name: index.columns.keys()
        for table in metadata.sorted_tables
        for index in trigram_indexes(table)
    }


def mend_copies(connection: Connection, metadata: MetaData) -> None:
    """Index anew a table that SQLite has copied to change it: the copy has no triggers."""
    there = set(inspect(connection).get_table_names())
    for table, columns in searched(metadata).items():
        triggers = connection.exec_driver_sql(TRIGGERS, (table,)).scalars()
        if sqlite_name(table) in there and not set(triggers).issuperset(sqlite_triggers(table)):
            _build(connection, {table: columns}, concurrently=False)


def missing(connection: Connection, metadata: MetaData) -> dict[str, list[str]]:
    """Return what PostgreSQL was not able to have when it was migrated."""
    return {
        table: columns
        for table, columns in searched(metadata).items()
        if not connection.exec_driver_sql(VALID, (index_name(table, columns),)).scalar()
    }


def build_missing(connection: Connection, metadata: MetaData) -> None:
    """Build it now, if the extension can be had by now."""
    if connection.dialect.name != "postgresql":
        return
    lacking = missing(connection, metadata)
    connection.commit()
    if lacking:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        _build(connection, lacking, concurrently=True)


def _build(
    connection: Connection, indexes: Mapping[str, Sequence[str]], *, concurrently: bool
) -> None:
    if connection.dialect.name == "postgresql":
        _build_on_postgresql(connection, indexes, concurrently=concurrently)
        return
    for table, columns in indexes.items():
        for trigger in sqlite_triggers(table):
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {trigger}")
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {sqlite_name(table)}")
        for statement in sqlite_statements(table, columns):
            connection.exec_driver_sql(statement)


def _build_on_postgresql(
    connection: Connection, indexes: Mapping[str, Sequence[str]], *, concurrently: bool
) -> None:
    if not _has_extension(connection, is_alone=concurrently):
        return
    schema = connection.exec_driver_sql(SCHEMA).scalar_one()
    how = "CONCURRENTLY" if concurrently else ""
    for table, columns in indexes.items():
        # What a build that failed left behind is invalid, and in the way of the next.
        name = index_name(table, columns)
        connection.exec_driver_sql(f"DROP INDEX {how} IF EXISTS {name}")
        connection.exec_driver_sql(_create(table, columns, f"{schema}.", how))


def _has_extension(connection: Connection, *, is_alone: bool) -> bool:
    """Install the extension if need be; say whether it is there."""
    if connection.exec_driver_sql(HAS_EXTENSION).scalar():
        return True
    try:
        # In a transaction of somebody else's, a refusal must not undo what came before.
        with nullcontext() if is_alone else connection.begin_nested():
            connection.exec_driver_sql(EXTENSION)
    except exc.DBAPIError as error:
        reason = str(error.orig).partition("\n")[0]
        log.warning("Searches stay slow, because pg_trgm can't be installed: %s", reason)
        return False
    return True


def _statements(dialect: str, indexes: Mapping[str, Sequence[str]]) -> list[str]:
    """Return all that has to be run, for who runs it by hand."""
    if dialect == "postgresql":
        return [EXTENSION, *(_create(table, columns) for table, columns in indexes.items())]
    return [s for table, columns in indexes.items() for s in sqlite_statements(table, columns)]


def _create(table: str, columns: Sequence[str], schema: str = "", how: str = "") -> str:
    keys = ", ".join(f"{column} {schema}gin_trgm_ops" for column in columns)
    return f"CREATE INDEX {how} {index_name(table, columns)} ON {table} USING gin ({keys})"
