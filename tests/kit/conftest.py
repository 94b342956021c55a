"""The toy application, on both databases."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Table, text
from starlette.applications import Starlette
from starlette.testclient import TestClient

from models.database import Database
from tests.databases import Backend
from tests.kit.app import Base, make_app
from tests.personas import visit


@pytest.fixture(scope="session")
def libraries() -> Iterator[dict[Backend, Database]]:
    """Keep the databases with the toy's tables, because making them takes longer than a test."""
    kept: dict[Backend, Database] = {}
    yield kept
    for backend, database in kept.items():
        database.dispose()
        backend.drop(database.writer.engine.url)


@pytest.fixture
def library(backend: Backend, libraries: dict[Backend, Database]) -> Database:
    """Lend a database with the toy's tables, empty, and real commits."""
    if backend not in libraries:
        libraries[backend] = backend.open(backend.empty())
        Base.metadata.create_all(libraries[backend].writer)
    database = libraries[backend]
    empty(database)
    return database


def empty(database: Database) -> None:
    """Delete all rows and number new ones from one."""
    with database.writer.engine.begin() as connection:
        if connection.dialect.name != "postgresql":
            for table in reversed(Base.metadata.sorted_tables):
                connection.execute(table.delete())
            return
        used = " UNION ALL ".join(map(is_used, Base.metadata.sorted_tables))
        if names := ", ".join(connection.scalars(text(used))):
            connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))


def is_used(table: Table) -> str:
    """Ask for the name of a table that has rows, or had: emptying one takes a few milliseconds."""
    key = table.autoincrement_column
    had = "" if key is None else f" OR (SELECT is_called FROM {table.name}_{key.name}_seq)"
    return f"SELECT '{table.name}' WHERE EXISTS (SELECT FROM {table.name}){had}"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def zoo(request: pytest.FixtureRequest) -> Iterator[Database]:
    """Lend a database to all tests of a module, which must not mind each other's rows."""
    backend: Backend = request.getfixturevalue(request.param)
    database = backend.open(backend.empty())
    Base.metadata.create_all(database.writer)
    yield database
    database.dispose()
    backend.drop(database.writer.engine.url)


@pytest.fixture
def toy(library: Database) -> Starlette:
    """Build the toy application."""
    return make_app(library)


@pytest.fixture
def client(toy: Starlette) -> TestClient:
    """Open a browser at the toy application."""
    return visit(toy)
