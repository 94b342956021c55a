"""An index over every three characters of a text, which finds what stands anywhere in it.

PostgreSQL has pg_trgm for it. On SQLite a table of FTS5 does the same, kept by triggers.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Index, Table, event
from sqlalchemy.sql import quoted_name

EXTENSION = "CREATE EXTENSION IF NOT EXISTS pg_trgm"
HAS_EXTENSION = "SELECT count(*) FROM pg_extension WHERE extname = 'pg_trgm'"
CAN_HAVE_EXTENSION = "SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_trgm'"


def trigram_index(*columns: str) -> Index:
    """Declare the index of a table with one whole number as its key, once, for texts of it."""
    index = Index(
        None,
        *columns,
        postgresql_using="gin",
        postgresql_ops=dict.fromkeys(columns, "gin_trgm_ops"),
        info={"trigrams": True},
    )
    event.listen(index, "after_parent_attach", _give_name)
    return index.ddl_if(dialect="postgresql", callable_=_is_possible)  # type: ignore[arg-type]


def trigram_indexes(table: Table) -> Iterator[Index]:
    return (index for index in table.indexes if index.info.get("trigrams"))


def _give_name(index: Index, table: Table) -> None:
    index.name = quoted_name(index_name(table.name, index.columns.keys()), quote=None)
    index.info["trigrams"] = sqlite_name(table.name)


def index_name(table: str, columns: Sequence[str]) -> str:
    return f"ix_{table}_{'_'.join(columns)}_trigrams"


def sqlite_name(table: str) -> str:
    return f"{table}_trigrams"


def _is_possible(_ddl: Any, _index: Any, bind: Connection | None, **_options: Any) -> bool:
    return bind is None or bool(bind.exec_driver_sql(HAS_EXTENSION).scalar())


@event.listens_for(Table, "before_create")
def _get_ready(table: Table, connection: Connection, **_options: Any) -> None:
    """Install the extension for `create_all`, where there is one to install."""
    if connection.dialect.name != "postgresql" or not any(trigram_indexes(table)):
        return
    if connection.exec_driver_sql(CAN_HAVE_EXTENSION).scalar():
        connection.exec_driver_sql(EXTENSION)


@event.listens_for(Table, "after_create")
def _create_on_sqlite(table: Table, connection: Connection, **_options: Any) -> None:
    if connection.dialect.name == "sqlite":
        for index in trigram_indexes(table):
            for statement in sqlite_statements(table.name, index.columns.keys()):
                connection.exec_driver_sql(statement)


@event.listens_for(Table, "after_drop")
def _drop_on_sqlite(table: Table, connection: Connection, **_options: Any) -> None:
    if connection.dialect.name == "sqlite" and any(trigram_indexes(table)):
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {sqlite_name(table.name)}")


def sqlite_statements(table: str, columns: Sequence[str], key: str = "id") -> list[str]:
    """Return what makes the table of FTS5, its triggers, and its content from the rows there are.

    It keeps no text of its own, so a deletion must tell it what there was. Two marks before a
    text and one after it let three characters say that a text begins or ends there.
    """
    fts, names = sqlite_name(table), ", ".join(f'"{column}"' for column in columns)
    into = f"INSERT INTO {fts}"
    added = f"{into} (rowid, {names}) VALUES ({_texts(columns, key, 'new.')});"
    removed = f"{into} ({fts}, rowid, {names}) VALUES ('delete', {_texts(columns, key, 'old.')});"
    trigger = f"CREATE TRIGGER {fts}_{{}} AFTER {{}} ON {table} BEGIN {{}} END"
    return [
        f"CREATE VIRTUAL TABLE {fts} USING fts5({names}, content='', tokenize='trigram')",
        trigger.format("insert", "INSERT", added),
        trigger.format("delete", "DELETE", removed),
        trigger.format("update", f'UPDATE OF "{key}", {names}', f"{removed} {added}"),
        f"{into} (rowid, {names}) SELECT {_texts(columns, key, '')} FROM {table}",  # noqa: S608
    ]


def sqlite_triggers(table: str) -> list[str]:
    return [f"{sqlite_name(table)}_{when}" for when in ("insert", "delete", "update")]


def _texts(columns: Sequence[str], key: str, row: str) -> str:
    marked = (f'char(2, 2) || {row}"{column}" || char(3)' for column in columns)
    return ", ".join([f'{row}"{key}"', *marked])
