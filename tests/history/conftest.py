"""A database that records, and what is asked of its history."""

from typing import Any

import pytest
from sqlalchemy import select

from admin.history import JOURNAL
from models import Change, ChangeSet
from models.database import Database


@pytest.fixture
def recorded(database: Database) -> Database:
    return database.recorded_by(JOURNAL)


def change_sets(database: Database) -> list[ChangeSet]:
    stmt = select(ChangeSet).order_by(ChangeSet.id)
    return database.read(lambda session: list(session.scalars(stmt)))


def changes(database: Database, change_set: ChangeSet) -> list[Change]:
    stmt = select(Change).where(Change.operation == change_set.operation)
    stmt = stmt.order_by(Change.position)
    return database.read(lambda session: list(session.scalars(stmt)))


def summary(database: Database) -> list[tuple[Any, ...]]:
    """Return what the last change set says, entry by entry."""
    (*_, last) = change_sets(database)
    return [(c.action, c.table_name, c.key, c.before, c.after) for c in changes(database, last)]
