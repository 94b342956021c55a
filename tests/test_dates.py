"""Drilling down by date in the project's own lists, and the indexes that serve it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert
from starlette.testclient import TestClient

from admin.kit.lists import dates
from models import Post, User
from models.database import Database

MANY = 3000


def times() -> list[datetime]:
    start = datetime(2020, 1, 1, tzinfo=UTC)
    return [start + timedelta(hours=17 * n) for n in range(MANY)]


def fill(database: Database) -> None:
    """Store as many rows as make an index worth its while."""
    connection: Any = database.writer
    at = times()
    users = [
        {"id": n, "name": f"N {n}", "email": f"{n}@example.org", "created_at": at[n]}
        for n in range(MANY)
    ]
    posts = [
        {"title": "T", "content": "C", "user_id": n, "published_at": at[n] if n % 2 else None}
        for n in range(MANY)
    ]
    connection.execute(insert(User), users)
    connection.execute(insert(Post), posts)
    connection.exec_driver_sql("ANALYZE")


def plans(database: Database, client: TestClient, path: str) -> list[str]:
    """Return how the database goes about what a page asks of it for dates."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, sql: str, parameters: Any, *_rest: Any) -> None:
        asked.append((sql, parameters))

    connection: Any = database.writer
    assert client.get(path).status_code == 200
    event.listen(connection, "before_cursor_execute", note)
    assert client.get(path).status_code == 200
    event.remove(connection, "before_cursor_execute", note)
    how = "EXPLAIN QUERY PLAN " if connection.dialect.name == "sqlite" else "EXPLAIN "
    asked = [(sql, parameters) for sql, parameters in asked if "periods" in sql]
    return ["\n".join(str(row[-1]) for row in connection.exec_driver_sql(how + sql, parameters))
            for sql, parameters in asked]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "index"),
    [("user/list", "ix_users_created_at_id"), ("post/list", "ix_posts_published_at_id")],
)
def test_an_index_answers_whatever_the_size(
    olga: TestClient,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    index: str,
) -> None:
    monkeypatch.setattr(dates, "FRESH", 0)
    fill(database)
    for query in ("", "?_date=2021", "?_date=2021-05&search=t"):
        [plan] = plans(database, olga, f"/admin/{path}{query}")
        assert "Seq Scan" not in plan
        # The first entry of an index is a scan as well, which ends there.
        scans = [line for line in plan.splitlines() if "SCAN" in line]
        assert all("periods" in line or index in line for line in scans)
        assert plan.count(index) >= 3


def test_a_period_is_a_range_of_the_index(olga: TestClient, database: Database) -> None:
    fill(database)
    page = olga.get("/admin/user/list?_date=2021-05-17")
    assert page.text.count("name=pks") == len(
        [at for at in times() if at.date().isoformat() == "2021-05-17"]
    )
    assert 'aria-current="true">17</li>' in page.text
