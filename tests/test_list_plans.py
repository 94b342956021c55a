"""What the lists ask of large tables: few statements, each of them served by an index."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, event
from starlette.testclient import TestClient

from admin.kit.lists import counting
from admin.kit.lists.news import NEW
from main import create_app
from models.database import Database
from tests.bench.data import BUSIEST_AUTHOR, COMMON_NAME, RARE_NAME, RARE_TITLE, YEAR, today
from tests.bench.filling import fill
from tests.databases import Postgresql, settings_for
from tests.pages import get
from tests.personas import sign_in

USERS, POSTS = "/admin/user/list", "/admin/post/list"
# The session with its operator; views and choices; the rows; how many there are.
MOST_STATEMENTS = 4


@pytest.fixture(scope="module")
def filled(postgresql: Postgresql) -> Iterator[Database]:
    url = postgresql.migrated()
    fill(url, users=20_000, posts=60_000)
    database = postgresql.open(url)
    yield database
    database.dispose()
    postgresql.drop(url)


@pytest.fixture(scope="module")
def operator(filled: Database) -> TestClient:
    app = create_app(settings_for(filled.writer.engine.url), filled)
    return sign_in(app, filled, "olga", is_superuser=True)


def plans(database: Database, client: TestClient, path: str) -> list[str]:
    """Return how PostgreSQL goes about each statement of a page."""
    asked: list[tuple[str, Any]] = []

    def collect(_connection: Any, _cursor: Any, sql: str, parameters: Any, *_rest: Any) -> None:
        asked.append((sql, parameters))

    engine = database.writer.engine
    event.listen(engine, "before_cursor_execute", collect)
    get(client, path)  # What dates there are is remembered for a while.
    asked.clear()
    try:
        get(client, path)
    finally:
        event.remove(engine, "before_cursor_execute", collect)
    with engine.connect() as connection:
        return [explain(connection, *each) for each in asked if not each[0].startswith("EXPLAIN")]


def explain(connection: Connection, sql: str, parameters: Any) -> str:
    rows = connection.exec_driver_sql(f"EXPLAIN {sql}", parameters)
    return "\n".join(row[0] for row in rows)


@pytest.mark.parametrize(
    "path",
    [
        *(USERS, f"{USERS}?last=1", f"{USERS}?from=2025-01-01"),
        *(f"{USERS}?sortBy={name}" for name in ("name", "-name", "email", "created_at")),
        *(f"{USERS}?is_active=false", f"{USERS}?search={RARE_NAME}"),
        *(f"{USERS}?search={COMMON_NAME}", f"{USERS}?search=example {RARE_NAME}"),
        *(POSTS, f"{POSTS}?last=1", f"{POSTS}?from=30000", f"{POSTS}?sortBy=-title&from=Notes"),
        *(f"{POSTS}?sortBy={name}" for name in ("title", "published_at", "-published_at")),
        *(f"{POSTS}?sortBy=author.name", f"{POSTS}?sortBy=-author.name&from=Eve"),
        *(f"{POSTS}?author={BUSIEST_AUTHOR}", f"{POSTS}?search={RARE_TITLE}"),
        *(f"{POSTS}?search={RARE_NAME}", f"{POSTS}?search={COMMON_NAME}"),
    ],
)
def test_a_list_reads_large_tables_by_index_only(
    filled: Database, operator: TestClient, path: str
) -> None:
    found = plans(filled, operator, path)
    assert len(found) <= MOST_STATEMENTS
    for plan in found:
        assert not re.search(r"Seq Scan on (users|posts)", plan), plan


@pytest.mark.parametrize("path", [USERS, POSTS, f"{USERS}?last=1", f"{POSTS}?last=1"])
def test_a_whole_table_is_counted_along_with_its_rows(
    filled: Database, operator: TestClient, path: str
) -> None:
    """The session, views and choices, and the rows with the size of their table."""
    assert len(plans(filled, operator, path)) == 3


@pytest.mark.parametrize("sort", ["name", "-name", "title"])
def test_a_page_far_down_begins_where_the_index_says(
    filled: Database, operator: TestClient, sort: str
) -> None:
    path = f"{POSTS if sort == 'title' else USERS}?sortBy={sort}"
    following = get(operator, path).links()["Next"]
    (rows,) = [plan for plan in plans(filled, operator, following) if "(ROW(" in plan]
    assert "Index Cond: (ROW(" in rows
    assert "Sort" not in rows


def test_a_day_long_ago_is_not_walked_to(filled: Database, operator: TestClient) -> None:
    """The newest posts come first, and none of them is of that day: its index leads there."""
    day = f"{today() - YEAR / 2:%Y-%m-%d}"
    path = f"{POSTS}?_date={day}"
    assert len(get(operator, path).table) == 50
    (rows,) = [plan for plan in plans(filled, operator, path) if "CTE" in plan]
    far = rows.rpartition("Append")[2]
    assert "ix_posts_published_at_id" in far
    assert "Scan Backward using pk_posts" not in far


def test_common_words_are_not_counted(
    filled: Database, operator: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their index would have to name all rows with the one and all with the other."""
    path = f"{USERS}?search=bob {COMMON_NAME}"
    assert len(plans(filled, operator, path)) == 4
    monkeypatch.setattr(counting, "MOST_NAMED", 1000)
    assert len(plans(filled, operator, path)) == 3


def test_a_facet_of_a_search_asks_each_table_by_its_index(
    filled: Database, operator: TestClient
) -> None:
    found = plans(filled, operator, f"{POSTS}?search={RARE_TITLE}&_facets=1")
    assert not any(re.search(r"Seq Scan on (users|posts)", plan) for plan in found)


def test_new_rows_are_walked_to(filled: Database, operator: TestClient) -> None:
    """A range of the keys in the order of the keys needs nothing else."""
    _session, _views, rows, *_ = plans(filled, operator, f"{POSTS}?{NEW}=59000")
    assert "CTE" not in rows
    assert "Index Scan Backward using pk_posts" in rows
