"""The seal on a change set: a hash of its content, and one that binds it to all before it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, insert, select, text, update

from admin.kit.history.images import to_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from uuid import UUID

    from sqlalchemy import Connection, TextClause

    from admin.kit.history.journal import Journal
    from admin.kit.history.recorder import Entry

SEALED = (
    "operation",
    "at",
    "operator_id",
    "operator_name",
    "source",
    "request_id",
    "address",
    "reason",
    "undoes",
    "summary",
    "label",
)
ENTRY = ("position", "action", "table_name", "key", "label", "before", "after")


def content_hash(change_set: Any, entries: Iterable[Any]) -> str:
    """Return the hash (SHA-256, hexadecimal) of what a change set says, entry by entry."""
    digest = hashlib.sha256()
    digest.update(line(change_set, SEALED))
    for entry in entries:
        digest.update(line(entry, ENTRY))
    return digest.hexdigest()


def line(record: Any, names: Iterable[str]) -> bytes:
    """Return the fields as a line that no other fields have."""
    values = [getattr(record, name) for name in names]
    texts = [value if isinstance(value, int | None) else str(value) for value in values]
    return to_json(texts).encode() + b"\n"


def chained(previous: str, number: int, content: str) -> str:
    """Return the hash that binds a change set to the one before; the database computes it too."""
    return hashlib.sha256(f"{previous}:{number}:{content}".encode()).hexdigest()


# One round trip. The head is locked until the end of the transaction, so that change sets are
# chained in the order in which they are committed.
SEAL = """
WITH head AS (
  UPDATE {heads} SET position = position + 1, previous_hash = hash, hash = encode(sha256(convert_to(
    concat(hash, ':', position + 1, ':', CAST(:content_hash AS text)), 'UTF8')), 'hex')
  WHERE id = 1 RETURNING position, previous_hash, hash
), sealed AS (
  INSERT INTO {change_sets} (id, previous_hash, hash, content_hash, {names})
  SELECT position, previous_hash, hash, :content_hash, {values} FROM head
)
{insert_entries}
"""
# A batch is one parameter, which is several times as fast as a statement for each row.
INSERT_ENTRIES = """
INSERT INTO {changes} (operation, {entry})
SELECT :operation, {entry} FROM json_to_recordset(CAST(:entries AS json)) AS entries(
  position bigint, action text, table_name text, key text, label text, before text, after text)
"""


def seal(
    connection: Connection, journal: Journal, change_set: Any, entries: Sequence[Entry]
) -> None:
    """Store a change set and these entries of it as the next link of the chain."""
    if connection.dialect.name == "postgresql":
        seal_at_once(connection, journal, change_set, entries)
    else:
        seal_in_steps(connection, journal, change_set, entries)


def seal_at_once(
    connection: Connection, journal: Journal, change_set: Any, entries: Sequence[Entry]
) -> None:
    values = {name: getattr(change_set, name) for name in (*SEALED, "content_hash")}
    values["entries"] = to_json(list(map(vars, entries)))
    connection.execute(journal.sealing, values)


def sealing_statement(journal: Journal) -> TextClause:
    """Return the statement that seals a change set on PostgreSQL."""
    columns = journal.change_sets.__table__.c
    stmt = text(
        SEAL.format(
            heads=journal.heads.__tablename__,
            change_sets=journal.change_sets.__tablename__,
            changes=journal.changes.__tablename__,
            names=", ".join(SEALED),
            values=", ".join(f":{name}" for name in SEALED),
            insert_entries=insert_entries(journal),
        )
    )
    return stmt.bindparams(*(bindparam(name, type_=columns[name].type) for name in SEALED))


def insert_entries(journal: Journal) -> str:
    """Return the statement that stores a batch of entries on PostgreSQL."""
    return INSERT_ENTRIES.format(changes=journal.changes.__tablename__, entry=", ".join(ENTRY))


def store_entries(
    connection: Connection, journal: Journal, operation: UUID, entries: Sequence[Entry]
) -> None:
    """Store a batch of the entries of a change set that is not there yet."""
    table = journal.changes.__table__
    if connection.dialect.name == "postgresql":
        stmt = text(insert_entries(journal)).bindparams(
            bindparam("operation", type_=table.c.operation.type)
        )
        connection.execute(
            stmt, {"operation": operation, "entries": to_json(list(map(vars, entries)))}
        )
    else:
        rows = [{"operation": operation, **vars(entry)} for entry in entries]
        connection.execute(insert(table), rows)


def seal_in_steps(
    connection: Connection, journal: Journal, change_set: Any, entries: Sequence[Entry]
) -> None:
    heads = journal.heads.__table__
    head = connection.execute(select(heads).with_for_update()).one()
    number, content = head.position + 1, change_set.content_hash
    links = {"previous_hash": head.hash, "hash": chained(head.hash, number, content)}
    values = {name: getattr(change_set, name) for name in (*SEALED, "content_hash")}
    connection.execute(insert(journal.change_sets.__table__).values(id=number, **links, **values))
    if entries:
        store_entries(connection, journal, change_set.operation, entries)
    connection.execute(update(heads).values(position=number, **links))
