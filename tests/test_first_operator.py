"""The first operator is there at the first start, added once, by whoever starts first."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest
from sqlalchemy import URL, select

from admin.auth import operators
from admin.auth.operators import add_first_operator, list_operators
from admin.auth.passwords import verify_password
from admin.settings import Settings
from main import create_app
from models import Operator
from models.database import Database, connect
from tests.databases import settings_for
from tests.personas import PASSWORD, add_operator, visit
from tests.test_health import CLOSED_PORT

Start = Callable[..., str]


@pytest.fixture
def start(database: Database, settings: Settings, capsys: pytest.CaptureFixture[str]) -> Start:
    """Start the application with changed settings and return what it says."""

    def start_app(**changes: object) -> str:
        with visit(create_app(replace(settings, **changes), database)):  # type: ignore[arg-type]
            return capsys.readouterr().out

    return start_app


def only_operator(database: Database) -> Operator:
    return database.read(lambda session: session.scalars(select(Operator)).one())


def test_in_development_a_password_is_generated_and_shown_once(
    start: Start, database: Database
) -> None:
    said = start()
    admin = only_operator(database)
    assert (admin.username, admin.is_superuser, admin.is_active) == ("admin", True, True)
    assert said.startswith("Sign in as admin with the password ")
    assert verify_password(admin.password_hash, said.split()[7])
    assert start() == ""


@pytest.mark.parametrize("env", ["development", "production"])
def test_the_settings_name_it(start: Start, database: Database, env: str) -> None:
    assert start(env=env, admin_username="Olga", admin_password=PASSWORD) == ""
    olga = only_operator(database)
    assert olga.username == "olga"
    assert verify_password(olga.password_hash, PASSWORD)


def test_a_password_that_is_easy_to_guess_is_refused_in_production(
    start: Start, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    assert start(env="production", admin_password="admin123") == ""
    assert list_operators(database) == []
    assert "ADMIN_PASSWORD is refused. A password has at least 15 characters." in caplog.text
    assert "admin123" not in caplog.text


def test_in_development_it_is_only_complained_of(
    start: Start, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    assert start(admin_password="admin123") == ""
    assert verify_password(only_operator(database).password_hash, "admin123")
    assert "ADMIN_PASSWORD would be refused in production." in caplog.text


def test_in_production_none_is_made_up(start: Start, database: Database) -> None:
    assert start(env="production") == ""
    assert list_operators(database) == []


def test_where_there_is_one_nothing_is_added_or_changed(start: Start, database: Database) -> None:
    add_operator(database, "vera", is_active=False)
    assert start(admin_username="vera", admin_password="another") == ""
    vera = only_operator(database)
    assert (vera.is_active, verify_password(vera.password_hash, "another")) == (False, False)


def test_a_name_that_can_not_be_is_said_and_the_site_starts(
    start: Start, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    assert start(admin_username="x" * 151, admin_password="pw") == ""
    assert "A username has 1 to 150 letters, digits" in caplog.text
    assert list_operators(database) == []


def test_two_processes_that_start_at_once_add_one(
    real_database: Database, real_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    both_found_none = Barrier(2)

    def hash_together(password: str) -> str:
        both_found_none.wait(10)
        return f"hash of {password}"

    monkeypatch.setattr(operators, "hash_password", hash_together)
    with ThreadPoolExecutor(2) as pool:
        starts = [pool.submit(add_first_operator, real_database, real_settings) for _ in range(2)]
        told = [start.result() for start in starts if start.result()]
    assert len(told) == 1
    stored = only_operator(real_database)
    assert told == [(stored.username, stored.password_hash.removeprefix("hash of "))]


def test_a_start_without_a_database_is_a_start(caplog: pytest.LogCaptureFixture) -> None:
    database = connect(CLOSED_PORT, wait=0)
    with visit(create_app(settings_for(CLOSED_PORT), database)) as client:
        assert client.get("/healthz").status_code == 200
        assert client.get("/admin/login").status_code == 200
        response = client.post("/admin/login", data={"username": "olga", "password": "x"})
        assert response.status_code == 503
    database.dispose()
    assert "The database is not ready: OperationalError" in caplog.text


def test_a_start_without_tables_is_a_start(
    empty_database_url: URL, caplog: pytest.LogCaptureFixture
) -> None:
    with visit(create_app(settings_for(empty_database_url))) as client:
        assert client.get("/readyz").status_code == 503
    assert "The database is not ready" in caplog.text
