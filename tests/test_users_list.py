"""The list of users."""

import csv
import json
from collections.abc import Callable
from datetime import timedelta
from io import StringIO

import pytest
from sqlalchemy import insert
from starlette.testclient import TestClient

from models import User
from models.base import utc_now
from models.database import Database
from tests.databases import statements
from tests.pages import Page, get
from tests.records import NOON, add_user

LIST = "/admin/user/list"


@pytest.fixture
def people(database: Database) -> None:
    """Store Alice, Bob and inactive Charlie, in the order in which they came."""
    add_user(database, "Alice", created_at=NOON)
    add_user(database, "Bob", created_at=NOON + timedelta(days=1))
    add_user(database, "Charlie", created_at=NOON + timedelta(days=2), is_active=False)


@pytest.fixture
def many(database: Database) -> None:
    rows = [{"name": f"User {n:03}", "email": f"user{n}@example.org"} for n in range(600)]
    database.write(lambda session: session.execute(insert(User), rows))


def test_it_shows_the_declared_columns(olga: TestClient, people: None) -> None:
    page = get(olga, LIST)
    assert page.heading == "Users"
    assert page.columns == ["Name", "E-mail", "Active", "Created ▼"]
    assert page.table == [
        ["Charlie", "charlie@example.org", "No", "2026-03-06 12:00 UTC"],
        ["Bob", "bob@example.org", "Yes", "2026-03-05 12:00 UTC"],
        ["Alice", "alice@example.org", "Yes", "2026-03-04 12:00 UTC"],
    ]


def test_an_empty_list_leads_to_the_form(olga: TestClient) -> None:
    assert get(olga, LIST).links()["Add the first one"] == "/admin/user/create"


@pytest.mark.parametrize(
    ("search", "names"),
    [
        ("alice", ["Alice"]),
        ("BOB@", ["Bob"]),
        ("example.org li", []),
        ("example.org al", ["Alice"]),
        ("org liz", []),
        ("org lic", ["Alice"]),
        ("alice bob", []),
        ("%", []),
        ("_", []),
    ],
)
def test_it_is_searched_by_name_and_address(
    olga: TestClient, people: None, search: str, names: list[str]
) -> None:
    page = Page(olga.get(LIST, params={"search": search}))
    assert page.names == names
    assert page.fields()["search"] == search


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("is_active=true", ["Bob", "Alice"]),
        ("is_active=false", ["Charlie"]),
        ("created_at=today", []),
        ("is_active=true&search=bob", ["Bob"]),
    ],
)
def test_it_is_filtered(olga: TestClient, people: None, query: str, names: list[str]) -> None:
    assert get(olga, f"{LIST}?{query}").names == names


def test_a_user_of_today_is_found_by_it(olga: TestClient, database: Database, people: None) -> None:
    add_user(database, "Dora", created_at=utc_now())
    for period in ("today", "week", "month", "year"):
        assert "Dora" in get(olga, f"{LIST}?created_at={period}").names


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("sortBy=name&sort=asc", ["Alice", "Bob", "Charlie"]),
        ("sortBy=name&sort=desc", ["Charlie", "Bob", "Alice"]),
        ("sortBy=email", ["Alice", "Bob", "Charlie"]),
        ("sortBy=created_at&sort=asc", ["Alice", "Bob", "Charlie"]),
    ],
)
def test_it_is_sorted(olga: TestClient, people: None, query: str, names: list[str]) -> None:
    assert get(olga, f"{LIST}?{query}").names == names


@pytest.mark.parametrize(
    "query", ["sortBy=is_active", "is_active=perhaps", "created_at=ever", "page=x", "search=%00"]
)
def test_what_it_can_not_do_is_refused(olga: TestClient, people: None, query: str) -> None:
    assert olga.get(f"{LIST}?{query}").status_code == 400


def test_a_row_leads_to_its_form_and_keeps_the_place(olga: TestClient, people: None) -> None:
    path = f"{LIST}?search=bob"
    row = get(olga, path).links()["Bob"]
    opened = olga.get(row, headers={"referer": f"{olga.base_url}{path}"})
    assert opened.headers["location"] == f"{row}?search=bob"
    assert get(olga, f"{row}?search=bob").links()["Users"] == path


@pytest.mark.parametrize("size", [25, 50, 100, 250])
def test_a_page_of_any_size_takes_four_statements(
    olga: TestClient, database: Database, many: None, size: int
) -> None:
    """One each for the session, the views and choices, the count, and the rows."""
    get(olga, LIST)  # What one may drill down to is remembered for a while.
    with statements(database) as executed:
        page = get(olga, f"{LIST}?pageSize={size}&search=user&is_active=true")
    assert len(page.table) == size
    assert len(executed) == 4


def test_pages_lead_through_all_rows_once(olga: TestClient, many: None) -> None:
    seen, path = list[str](), f"{LIST}?sortBy=name&pageSize=250"
    while path:
        page = get(olga, path)
        seen += page.names
        path = page.links().get("Next", "")
    assert seen == [f"User {n:03}" for n in range(600)]


def read_csv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text)))


@pytest.mark.parametrize(("kind", "read"), [("csv", read_csv), ("json", json.loads)])
def test_the_export_holds_what_the_list_shows(
    olga: TestClient, people: None, kind: str, read: Callable[[str], list[dict[str, object]]]
) -> None:
    response = olga.get(f"/admin/user/export/{kind}?is_active=true&sortBy=name")
    rows = read(response.text)
    assert [row["name"] for row in rows] == ["Alice", "Bob"]
    assert list(rows[0]) == ["id", "name", "email", "phone", "is_active", "created_at"]
    assert rows[0]["created_at"] == "2026-03-04T12:00:00+00:00"
    assert response.headers["content-disposition"].startswith('attachment; filename="user_')
