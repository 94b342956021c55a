"""The toy library with a history."""

from functools import cache
from typing import Any

from sqlalchemy import Engine, insert, text
from starlette.applications import Starlette

from admin.kit import ModelAdmin
from admin.kit.history import Journal
from models import Change, ChangeSet, HistoryHead
from models.database import Database
from tests.kit.app import Base, make_app

JOURNAL = Journal(Base.registry, change_sets=ChangeSet, changes=Change, heads=HistoryHead)
TABLES = [model.__table__ for model in (ChangeSet, Change, HistoryHead)]


def begin_history(library: Database) -> Database:
    """Return the library with an empty history, which the application's triggers don't guard."""
    make_tables(library.writer.engine)
    with library.writer.engine.begin() as connection:
        for table in ("changes", "change_sets", "history_heads"):
            connection.execute(text(f"DELETE FROM {table}"))
        values = {"id": 1, "position": 0, "previous_hash": "", "hash": "", "pruned_through": 0}
        connection.execute(insert(HistoryHead).values(**values))
    return library.recorded_by(JOURNAL)


@cache
def make_tables(engine: Engine) -> None:
    with engine.begin() as connection:
        Base.metadata.create_all(connection)
        ChangeSet.metadata.create_all(connection, tables=TABLES)  # type: ignore[arg-type]


def make_recorded(library: Database, *views: type[ModelAdmin], **options: Any) -> Starlette:
    return make_app(library, *views, journal=JOURNAL, **options)
