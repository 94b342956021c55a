"""Deleting users: what goes with them is shown first."""

import pytest
from starlette.testclient import TestClient

from models import User
from models.database import Database
from tests.databases import statements
from tests.pages import Page, follow, get
from tests.records import add_post, add_user, posts, users

DELETE = "/admin/user/delete"


@pytest.fixture
def alice(database: Database) -> User:
    """Store Alice, who wrote two posts, and Bob, who wrote one."""
    alice, bob = add_user(database, "Alice"), add_user(database, "Bob")
    add_post(database, alice, "First")
    add_post(database, alice, "Second")
    add_post(database, bob, "Third")
    return alice


def test_the_page_lists_the_posts_that_go_too(
    olga: TestClient, database: Database, alice: User
) -> None:
    page = get(olga, f"{DELETE}?pks={alice.id}")
    assert page.heading == "Are you sure?"
    assert [i.text for i in page.root.find("main")[0].find("form")[0].find("li")] == [
        "1 user Alice 2 posts First Second",
        "Alice",
        "2 posts First Second",
        "First",
        "Second",
    ]
    assert len(users(database)) == 2


def test_many_posts_are_counted_not_listed(
    olga: TestClient, database: Database, alice: User
) -> None:
    for number in range(20):
        add_post(database, alice, f"Post {number}")
    page = get(olga, f"{DELETE}?pks={alice.id}")
    listed = [item.text for item in page.root.find("main")[0].find("form")[0].find("li")]
    assert listed[2].startswith("22 posts First Second Post 0")
    assert listed[2].endswith("and 12 more…")
    assert "Post 19" not in listed


def test_they_go_together(olga: TestClient, database: Database, alice: User) -> None:
    page = follow(olga, olga.post(DELETE, data=get(olga, f"{DELETE}?pks={alice.id}").fields()))
    assert page.alerts == ["The user “Alice” was deleted."]
    assert [user.name for user in users(database)] == ["Bob"]
    assert [post.title for post in posts(database)] == ["Third"]


def test_posts_are_deleted_by_the_database_not_one_by_one(
    olga: TestClient, database: Database, alice: User
) -> None:
    for number in range(20):
        add_post(database, alice, f"Post {number}")
    with statements(database) as executed:
        olga.post(DELETE, data={"pks": str(alice.id)})
    deleting = [sql for sql in executed if sql.startswith("DELETE")]
    assert [sql.split()[2] for sql in deleting] == ["users"]
    assert len(executed) == (6 if database.writer.dialect.name == "postgresql" else 9)


def test_a_selection_is_deleted_at_once(olga: TestClient, database: Database, alice: User) -> None:
    keys = [str(user.id) for user in users(database)]
    assert "2 users" in get(olga, f"{DELETE}?pks={keys[0]}&pks={keys[1]}").root.text
    page = follow(olga, olga.post(DELETE, data={"pks": keys}))
    assert page.alerts == ["2 users were deleted."]
    assert not users(database)
    assert not posts(database)


def test_a_selection_with_a_missing_user_is_left_whole(
    olga: TestClient, database: Database, alice: User
) -> None:
    response = olga.post(DELETE, data={"pks": [str(alice.id), "99999"]})
    assert response.status_code == 404
    assert "Nothing was changed" in Page(response).root.text
    assert len(users(database)) == 2


@pytest.mark.parametrize("data", [{}, {"pks": ""}])
def test_nothing_selected_deletes_nothing(
    olga: TestClient, database: Database, alice: User, data: dict[str, str]
) -> None:
    page = follow(olga, olga.post(DELETE, data=data))
    assert page.alerts == ["Nothing was selected, so nothing was deleted."]
    assert len(users(database)) == 2


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
def test_no_link_deletes(olga: TestClient, database: Database, alice: User, method: str) -> None:
    olga.request(method, f"{DELETE}?pks={alice.id}")
    assert len(users(database)) == 2


def test_the_list_is_shown_again_at_the_same_place(olga: TestClient, alice: User) -> None:
    fields = get(olga, f"{DELETE}?pks={alice.id}&_back=search%3Da%26page%3D1").fields()
    response = olga.post(DELETE, data=fields)
    assert response.headers["location"] == "/admin/user/list?search=a&page=1"
