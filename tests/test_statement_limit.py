"""A page that asks the database for too much: it ends, says so, and takes nothing with it."""

import sqlite3
import time
from collections.abc import Iterator
from threading import Event
from threading import enumerate as living_threads
from typing import NoReturn

import pytest
from sqlalchemy import exc, text
from sqlalchemy.orm import Session

from admin.kit.errors import is_cancelled
from main import create_app
from models.database import Database, connect
from tests.databases import Backend, Postgresql, settings_for
from tests.personas import sign_in

SLOW = {
    "postgresql": "SELECT pg_sleep(60)",
    "sqlite": "WITH RECURSIVE n AS (SELECT 1 i UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n",
}


@pytest.fixture
def impatient(backend: Backend) -> Iterator[Database]:
    """Lend a database with one connection, on which nothing may take a fifth of a second."""
    options = {"pool_size": 1, "max_overflow": 0}
    database = connect(backend.shared.url, statement_seconds=0.2, **options)
    yield database
    database.dispose()


def take_for_ever(session: Session) -> None:
    session.execute(text(SLOW[session.get_bind().dialect.name]))


def test_a_statement_that_takes_too_long_is_cancelled(impatient: Database) -> None:
    began = time.monotonic()
    with pytest.raises(exc.OperationalError) as raised:
        impatient.read(take_for_ever)
    assert is_cancelled(raised.value)
    assert time.monotonic() - began < 30


def test_what_the_connection_does_next_is_not(impatient: Database) -> None:
    for _ in range(3):
        with pytest.raises(exc.OperationalError):
            impatient.read(take_for_ever)
        for _ in range(50):
            impatient.read(lambda session: session.execute(text("SELECT 1")))


def test_writes_may_take_their_time(impatient: Database, backend: Backend) -> None:
    naps = {"postgresql": "SELECT pg_sleep(0.6)", "sqlite": "SELECT 1"}
    impatient.write(lambda session: session.execute(text(naps[backend.shared.dialect.name])))


def test_nobody_watches_where_nothing_runs(impatient: Database) -> None:
    impatient.read(lambda session: session.execute(text("SELECT 1")))
    deadline = time.monotonic() + 30
    while "statement limit" in {thread.name for thread in living_threads()}:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    with pytest.raises(exc.OperationalError):
        impatient.read(take_for_ever)


def test_one_that_can_not_be_cancelled_saves_no_other(
    impatient: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as one on a connection that was closed meanwhile."""

    def fail(_connection: object) -> NoReturn:
        failed.set()
        raise sqlite3.ProgrammingError

    failed = Event()
    with monkeypatch.context() as patch, impatient.read_sessions() as session:
        patch.setattr("models.statement_limit.cancel", fail)
        session.execute(text("SELECT 1"))
        assert failed.wait(30)
    with pytest.raises(exc.OperationalError):
        impatient.read(take_for_ever)


def test_a_connection_that_waits_for_somebody_is_told_once(
    impatient: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[object] = []
    monkeypatch.setattr("models.statement_limit.cancel", told.append)
    with impatient.read_sessions() as session:
        session.execute(text("SELECT 1"))
        time.sleep(0.5)
    assert len(told) == 1


def test_a_page_says_that_it_asks_for_too_much(postgresql: Postgresql) -> None:
    """Somebody holds on to the table, so that its list would wait for as long as they do."""
    url = postgresql.migrated()
    database = connect(url, statement_seconds=0.5)
    olga = sign_in(create_app(settings_for(url), database), database, "olga", "Viewer")
    with database.writer.engine.connect() as locking:
        locking.execute(text("LOCK TABLE posts IN ACCESS EXCLUSIVE MODE"))
        response = olga.get("/admin/post/list")
    assert response.status_code == 503
    assert "The database takes too long over this." in response.text
    assert olga.get("/admin/post/list").status_code == 200
    database.dispose()
    postgresql.drop(url)
