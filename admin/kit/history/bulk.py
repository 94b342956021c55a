"""Set-based writes that leave an entry for each row, in batches of bounded size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Table, delete, inspect, update

from admin.kit.history.journal import recorder_of
from admin.kit.history.recorder import Recorder, matches, table_of
from admin.kit.history.schema import key_columns, key_of_row

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Mapper, Session

    from admin.kit.history.recorder import Row


def recorded_update(
    session: Session, model: type, condition: ColumnElement[bool], values: Mapping[str, Any]
) -> int:
    """Set columns of all rows that match, and return how many these were.

    It runs batch by batch, each row locked before it is looked at, so that exactly the rows with an
    entry are changed; a value computed from other rows sees the batches before. Versions are
    counted up. The session forgets what it held. Raises `ValueError` for the columns of the key.
    """
    table = table_of(inspect(model))
    if not {column.name for column in key_columns(table)}.isdisjoint(values):
        raise ValueError("A key can't be changed by a set-based statement.")
    stmt = update(table).values({**next_version(table, model), **values})
    columns = [table.c[name] for name in values]
    count = 0
    for recorder, rows, these in batches(session, table, condition):
        key = key_columns(table)
        result = session.connection().execute(stmt.where(these).returning(*key, *columns))
        after = {key_of_row(table, row): row for row in map(dict, result.mappings())}
        for row in rows:
            new = after[key_of_row(table, row)]
            recorder.add_update(table, row, {name: new[name] for name in values})
        count += len(rows)
    return count


def recorded_delete(session: Session, model: type, condition: ColumnElement[bool]) -> int:
    """Delete all rows that match, and return how many these were.

    What the database takes along is recorded as well. The session forgets what it held.
    """
    table, count = table_of(inspect(model)), 0
    for recorder, rows, these in batches(session, table, condition):
        recorder.record_removed(session, table, these)
        session.connection().execute(delete(table).where(these))
        count += len(rows)
    return count


def batches(
    session: Session, table: Table, condition: ColumnElement[bool]
) -> Iterator[tuple[Recorder, Sequence[Row], ColumnElement[bool]]]:
    """Read and lock the rows that match, some at a time, each time with what picks just these."""
    session.flush()
    session.connection()
    recorder = recorder_of(session)
    if recorder is None or table.name not in recorder.schema.tables:
        raise ValueError(f"{table.name!r} has no history here.")
    recorder.begin_step()
    keys = key_columns(table)
    for rows in recorder.read_batches(session, table, condition):
        with recorder.working():
            yield recorder, rows, matches(keys, [[row[c.name] for c in keys] for row in rows])
            recorder.spill(session)
    session.expire_all()


def next_version(table: Table, model: type) -> dict[str, Any]:
    """Return what counts up the version of a row, so that forms opened before notice."""
    mapper: Mapper[Any] = inspect(model)
    version = mapper.version_id_col
    return {} if version is None else {version.name: table.c[version.name] + 1}
