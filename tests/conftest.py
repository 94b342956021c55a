"""Databases, each test on SQLite and on PostgreSQL."""

import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal
from argon2 import PasswordHasher
from sqlalchemy import URL, make_url
from starlette.applications import Starlette
from starlette.testclient import TestClient

from admin.auth import passwords
from admin.settings import Settings
from main import collect_less_garbage, create_app
from models.database import Database
from tests import postgres
from tests.client import OneGo
from tests.databases import Backend, Postgresql, Sqlite, settings_for
from tests.personas import sign_in, visit

SERVER = pytest.StashKey[dict[str, str]]()
CLEANUP = pytest.StashKey[ExitStack]()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Hand pytest-xdist's workers the address of the one server."""
    node.workerinput["postgresql"] = _server(node.config)


def pytest_collection_finish() -> None:
    """Leave alone what importing has made, as the server does; it is most of what there is."""
    collect_less_garbage()


def pytest_unconfigure(config: pytest.Config) -> None:
    if CLEANUP in config.stash:
        config.stash[CLEANUP].close()


def _server(config: pytest.Config) -> dict[str, str]:
    """Return the server's address and the name of the run, or else why there is none."""
    if hasattr(config, "workerinput"):
        handed_over: dict[str, str] = config.workerinput["postgresql"]
        return handed_over
    if SERVER not in config.stash:
        config.stash[SERVER] = _start(config.stash.setdefault(CLEANUP, ExitStack()))
    return config.stash[SERVER]


def _start(cleanup: ExitStack) -> dict[str, str]:
    try:
        # In memory is no room for a long log.
        server = postgres.server(options={"max_wal_size": "256MB"}, within=postgres.memory())
        url = cleanup.enter_context(server)
    except postgres.PostgresqlMissingError as error:
        return {"missing": str(error)}
    run = f"admin_test_{secrets.token_hex(4)}"
    cleanup.callback(Postgresql(url, run).drop_all)
    return {"url": url.render_as_string(hide_password=False), "run": run}


@pytest.fixture(scope="session", autouse=True)
def real_hasher() -> Iterator[PasswordHasher]:
    """Hash passwords a hundred times faster, for they are hashed in most tests; lend the real."""
    quick = PasswordHasher(time_cost=1, memory_cost=16, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        real = passwords.hasher
        patch.setattr(passwords, "hasher", quick)
        patch.setattr(passwords, "NOBODY", quick.hash("nobody's"))
        yield real


@pytest.fixture(scope="session", autouse=True)
def one_loop() -> Iterator[None]:
    """Answer all requests in one event loop, as a server does, instead of starting one for each."""
    with start_blocking_portal() as portal, pytest.MonkeyPatch.context() as patch:
        patch.setattr(TestClient, "portal", portal)
        patch.setattr("starlette.testclient._TestClientTransport", OneGo)
        yield


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no work take long enough for a page that shows how far it is, on any machine."""
    monkeypatch.setattr("admin.kit.progress.PATIENCE", 3600.0)


@pytest.fixture(scope="session")
def sqlite() -> Iterator[Sqlite]:
    with postgres.temporary_folder(postgres.memory()) as folder:
        backend = Sqlite(folder)
        yield backend
        backend.close()


@pytest.fixture(scope="session")
def postgresql(pytestconfig: pytest.Config) -> Iterator[Postgresql]:
    """Serve PostgreSQL databases; where there is no server, skip, but fail in CI."""
    server = _server(pytestconfig)
    if "missing" in server:
        must_run = os.environ.get("CI") or os.environ.get("REQUIRE_PG")
        (pytest.fail if must_run else pytest.skip)(server["missing"])
    backend = Postgresql(make_url(server["url"]), server["run"])
    yield backend
    backend.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> Backend:
    chosen: Backend = request.getfixturevalue(request.param)
    return chosen


@pytest.fixture
def database(backend: Backend) -> Iterator[Database]:
    """Lend a migrated database on one connection; what the test commits is undone after it."""
    with backend.shared.connect() as connection, connection.begin() as transaction:
        yield Database(connection, connection, join_transaction_mode="create_savepoint")
        transaction.rollback()


@pytest.fixture
def settings(backend: Backend) -> Settings:
    """Name the database which `database` is on."""
    return settings_for(backend.shared.url)


@pytest.fixture
def real_database(backend: Backend) -> Iterator[Database]:
    """Lend a migrated database of the test's own, with a pool and commits that last."""
    database = backend.open(backend.migrated())
    yield database
    database.dispose()
    backend.drop(database.writer.engine.url)


@pytest.fixture
def real_settings(real_database: Database) -> Settings:
    """Name the database which `real_database` is on."""
    return settings_for(real_database.writer.engine.url)


@pytest.fixture
def empty_database_url(backend: Backend) -> Iterator[URL]:
    """Lend the address of a database without tables."""
    url = backend.empty()
    yield url
    backend.drop(url)


@pytest.fixture
def app(settings: Settings, database: Database) -> Starlette:
    """Build the application on a database that forgets."""
    return create_app(settings, database)


@pytest.fixture
def olga(app: Starlette, database: Database) -> TestClient:
    """Sign in Olga, who may do everything."""
    return sign_in(app, database, "olga", is_superuser=True)


@pytest.fixture
def vera(app: Starlette, database: Database) -> TestClient:
    """Sign in Vera, who may look and change nothing."""
    return sign_in(app, database, "vera", "Viewer")


@pytest.fixture
def mallory(app: Starlette) -> TestClient:
    """Mallory is not signed in."""
    return visit(app)
