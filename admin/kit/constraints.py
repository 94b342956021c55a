"""Which rule of the schema a change would break, read from the database's own words."""

import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import MetaData
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapper

# PostgreSQL's SQLSTATE and the start of SQLite's message.
KINDS = {
    "23502": "not null",
    "23503": "foreign key",
    "23505": "unique",
    "23514": "check",
    "NOT NULL": "not null",
    "FOREIGN KEY": "foreign key",
    "UNIQUE": "unique",
    "CHECK": "check",
}


@dataclass(frozen=True)
class BrokenRule:
    """`table` is where the rule stands, if the database says so; `columns` is what it is about."""

    kind: str
    table: str | None = None
    columns: tuple[str, ...] = ()


def broken_rule(error: IntegrityError, metadata: MetaData) -> BrokenRule:
    """Read the rule from psycopg's diagnosis, else from SQLite's message."""
    diagnosis = getattr(error.orig, "diag", None)
    if diagnosis is None:
        return from_message(str(error.orig))
    columns: tuple[str, ...] = (diagnosis.column_name,) if diagnosis.column_name else ()
    if diagnosis.constraint_name:
        columns = columns_of(diagnosis.constraint_name, diagnosis.table_name, metadata)
    return BrokenRule(KINDS.get(diagnosis.sqlstate, "other"), diagnosis.table_name, columns)


def from_message(message: str) -> BrokenRule:
    """Read `UNIQUE constraint failed: users.email` and its like."""
    kind, _, subject = message.partition(" constraint failed")
    places = re.findall(r"(\w+)\.(\w+)", subject)
    table = places[0][0] if places else None
    return BrokenRule(KINDS.get(kind, "other"), table, tuple(column for _, column in places))


def columns_of(name: str, table_name: str, metadata: MetaData) -> tuple[str, ...]:
    """Return the columns of the constraint or unique index of that name."""
    table = metadata.tables.get(table_name)
    rules: list[Any] = [*table.constraints, *table.indexes] if table is not None else []
    for rule in rules:
        if rule.name == name:
            return tuple(column.name for column in rule.columns)
    return ()


def field_of(mapper: Mapper[Any], columns: tuple[str, ...]) -> str | None:
    """Return the form field where an error about these columns belongs: a relation, or a column."""
    for relationship in mapper.relationships:
        foreign_keys = {column.name for column in relationship.local_columns if column.foreign_keys}
        if foreign_keys and foreign_keys <= set(columns):
            return relationship.key
    return next((p.key for p in mapper.column_attrs if p.columns[0].name in columns), None)
