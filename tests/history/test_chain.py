"""Nobody changes the history unnoticed."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import exc, text
from sqlalchemy.orm import Session

from admin.history import JOURNAL
from admin.kit.history import BrokenHistoryError, prune, verify
from models import User
from models.database import Database
from tests.history.conftest import change_sets
from tests.records import add_user

TOMORROW = datetime.now(UTC) + timedelta(days=1)
TRIGGERS = {
    "sqlite": ("keep_change_sets", "keep_changes", "keep_all_change_sets", "keep_all_changes"),
    "postgresql": ("keep_rows ON change_sets", "keep_rows ON changes"),
}


def check(database: Database) -> int:
    return database.read(partial(verify, JOURNAL)).count


def disarm(database: Database) -> None:
    """Take away what guards the history, as only the owner of the tables can."""
    for trigger in TRIGGERS[database.writer.dialect.name]:
        database.write(lambda s, name=trigger: s.execute(text(f"DROP TRIGGER {name}")))  # type: ignore[misc]


@pytest.fixture
def filled(recorded: Database) -> Database:
    for name in ("Alice", "Bob", "Carol"):
        add_user(recorded, name)
    return recorded


def test_an_untouched_history_verifies(recorded: Database) -> None:
    assert check(recorded) == 0
    for number in range(3):
        add_user(recorded, f"User {number}")
    assert check(recorded) == 3


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE changes SET label = 'x'",
        "DELETE FROM changes",
        "UPDATE change_sets SET label = 'x'",
        "DELETE FROM change_sets",
    ],
)
def test_the_database_refuses_to_change_it(filled: Database, database: Database, sql: str) -> None:
    with pytest.raises(exc.DBAPIError, match=r"only grows"):
        database.write(lambda session: session.execute(text(sql)))


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_the_database_refuses_to_empty_it(real_database: Database) -> None:
    add_user(real_database.recorded_by(JOURNAL), "Alice")
    with pytest.raises(exc.DBAPIError, match=r"only grows"):
        real_database.write(lambda session: session.execute(text("TRUNCATE change_sets, changes")))


TAMPERING = {
    "UPDATE change_sets SET operator_name = 'vera' WHERE id = 2": 2,
    "UPDATE change_sets SET at = '2020-01-01 00:00:00+00' WHERE id = 3": 3,
    "UPDATE changes SET label = 'Bert' WHERE label = 'Bob'": 2,
    "UPDATE changes SET after = '{}' WHERE label = 'Carol'": 3,
    "DELETE FROM changes WHERE label = 'Alice'": 1,
    "DELETE FROM change_sets WHERE id = 2": 2,
    "DELETE FROM change_sets WHERE id = 3": 3,
    "UPDATE change_sets SET hash = 'x' WHERE id = 1": 1,
    "UPDATE history_heads SET pruned_through = 1": 1,
}


@pytest.mark.parametrize("sql", TAMPERING)
def test_the_first_broken_change_set_is_named(
    filled: Database, database: Database, sql: str
) -> None:
    disarm(database)
    database.write(lambda session: session.execute(text(sql)))
    with pytest.raises(BrokenHistoryError) as error:
        check(filled)
    assert error.value.number == TAMPERING[sql]


def test_an_end_that_was_cut_off_is_noticed_by_who_kept_the_head(
    filled: Database, database: Database
) -> None:
    head = filled.read(partial(verify, JOURNAL))
    disarm(database)
    for sql in (
        "DELETE FROM change_sets WHERE id = 3",
        "UPDATE history_heads SET position = 2, hash = (SELECT hash FROM change_sets WHERE id = 2)",
    ):
        database.write(lambda session, sql=sql: session.execute(text(sql)))  # type: ignore[misc]
    assert check(filled) == 2
    with pytest.raises(BrokenHistoryError, match="3 is missing"):
        filled.read(lambda session: verify(JOURNAL, session, (head.number, head.hash)))


def test_pruning_leaves_a_chain_that_verifies(filled: Database) -> None:
    assert filled.write(partial(prune, JOURNAL, before=TOMORROW)) == 3
    add_user(filled, "Dora")
    assert [found.id for found in change_sets(filled)] == [4, 5]
    assert check(filled) == 2
    assert filled.write(partial(prune, JOURNAL, before=TOMORROW)) == 2
    assert check(filled) == 1


def test_pruning_before_everything_removes_nothing(filled: Database) -> None:
    assert filled.write(partial(prune, JOURNAL, before=TOMORROW - timedelta(days=9))) == 0
    assert check(filled) == 3


def test_an_entry_added_later_breaks_it(filled: Database, database: Database) -> None:
    sql = (
        "INSERT INTO changes (operation, position, action, table_name, key, label) "
        "SELECT operation, 1, 'create', 'users', '9', 'Mallory' FROM change_sets WHERE id = 2"
    )
    database.write(lambda session: session.execute(text(sql)))
    with pytest.raises(BrokenHistoryError, match="2 is not what was recorded"):
        check(filled)


def test_writers_at_once_make_one_chain(real_database: Database) -> None:
    database = real_database.recorded_by(JOURNAL)

    def add(number: int) -> Callable[[Session], None]:
        def work(session: Session) -> None:
            session.add(User(name=f"User {number}", email=f"{number}@example.org"))

        return work

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: database.write(add(number)), range(40)))
    assert check(database) == 40
    assert [found.id for found in change_sets(database)] == list(range(1, 41))
