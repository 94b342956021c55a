"""The list of posts."""

import csv
from datetime import timedelta
from io import StringIO

import pytest
from sqlalchemy import insert
from starlette.testclient import TestClient

from models import Post, User
from models.database import Database
from tests.databases import statements
from tests.pages import Page, get
from tests.records import NOON, add_post, add_user

LIST = "/admin/post/list"


@pytest.fixture
def alice(database: Database) -> User:
    """Store two posts by Alice, one of them a draft, and one by Bob, in this order."""
    alice, bob = add_user(database, "Alice"), add_user(database, "Bob")
    add_post(database, alice, "Zebras")
    add_post(database, alice, "Ideas", published_at=None)
    add_post(database, bob, "Horses", published_at=NOON + timedelta(days=1))
    return alice


@pytest.fixture
def many(database: Database) -> User:
    """Store 300 authors of two posts each."""
    people = [{"name": f"User {n}", "email": f"user{n}@example.org"} for n in range(300)]
    database.write(lambda session: session.execute(insert(User), people))
    first = add_user(database, "Alice")
    rows = [
        {"title": f"Post {n:03}", "content": "Words", "user_id": first.id - n % 300}
        for n in range(600)
    ]
    database.write(lambda session: session.execute(insert(Post), rows))
    return first


def test_it_shows_the_declared_columns_newest_first(olga: TestClient, alice: User) -> None:
    page = get(olga, LIST)
    assert page.columns == ["Title", "Author", "Published"]
    assert page.table == [
        ["Horses", "Bob", "2026-03-05 12:00 UTC"],
        ["Ideas", "Alice", "–"],
        ["Zebras", "Alice", "2026-03-04 12:00 UTC"],
    ]


def test_an_author_leads_to_their_page(olga: TestClient, alice: User) -> None:
    assert get(olga, LIST).links()["Alice"] == f"/admin/user/details/{alice.id}"


@pytest.mark.parametrize(
    ("search", "names"),
    [
        ("zebra", ["Zebras"]),
        ("alice", ["Ideas", "Zebras"]),
        ("alice idea", ["Ideas"]),
        ("bob zebras", []),
    ],
)
def test_it_is_searched_by_title_and_author(
    olga: TestClient, alice: User, search: str, names: list[str]
) -> None:
    assert Page(olga.get(LIST, params={"search": search})).names == names


def test_the_filter_by_author_names_the_author(olga: TestClient, alice: User) -> None:
    page = get(olga, f"{LIST}?author={alice.id}")
    assert page.names == ["Ideas", "Zebras"]
    box, _ = page.root.find("input", name="author")
    assert (box.attributes["value"], "checked" in box.attributes) == (str(alice.id), True)
    assert "Remove Author: Alice" in page.links()


def test_the_filter_by_an_author_who_is_gone_finds_nothing(olga: TestClient, alice: User) -> None:
    page = get(olga, f"{LIST}?author=99999")
    assert page.table == []
    assert page.links()["Clear all filters"] == LIST


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("published_at=empty", ["Ideas"]),
        ("published_at=any", ["Horses", "Zebras"]),
        ("published_at=today", []),
        ("sortBy=title", ["Horses", "Ideas", "Zebras"]),
        ("sortBy=title&sort=desc", ["Zebras", "Ideas", "Horses"]),
        ("sortBy=author.name&sort=desc", ["Horses", "Ideas", "Zebras"]),
        ("sortBy=author.name", ["Zebras", "Ideas", "Horses"]),
    ],
)
def test_it_is_filtered_and_sorted(
    olga: TestClient, alice: User, query: str, names: list[str]
) -> None:
    assert get(olga, f"{LIST}?{query}").names == names


@pytest.mark.parametrize("query", ["author=x", "author=1%00", "sortBy=content", "published_at=1"])
def test_what_it_can_not_do_is_refused(olga: TestClient, alice: User, query: str) -> None:
    assert olga.get(f"{LIST}?{query}").status_code == 400


@pytest.mark.parametrize("size", [25, 50, 100, 250])
def test_a_page_of_any_size_takes_four_statements(
    olga: TestClient, database: Database, many: User, size: int
) -> None:
    """One each for the session, the views and choices, the count, and the rows with authors."""
    get(olga, LIST)  # What one may drill down to is remembered for a while.
    with statements(database) as executed:
        page = get(olga, f"{LIST}?pageSize={size}&search=user&sortBy=author.name")
    assert len(page.table) == size
    assert len(executed) == 4


def test_the_filter_by_author_takes_none_more(
    olga: TestClient, database: Database, many: User
) -> None:
    """The rows have the author, whose name the filter shows."""
    get(olga, LIST)
    with statements(database) as executed:
        page = get(olga, f"{LIST}?author={many.id}")
    assert len(page.table) == 2
    assert many.name in page.root.text
    assert len(executed) == 3


def test_the_export_holds_the_whole_text_and_the_authors_address(
    olga: TestClient, database: Database, alice: User
) -> None:
    text = 'Long, "quoted"\nand more. ' * 50
    add_post(database, alice, "Long", content=text)
    response = olga.get(f"/admin/post/export/csv?search=long&author={alice.id}")
    (row,) = csv.DictReader(StringIO(response.text, newline=""))
    assert row["content"] == text
    assert list(row) == ["id", "title", "content", "author.email", "published_at"]
    assert row["author.email"] == "alice@example.org"
