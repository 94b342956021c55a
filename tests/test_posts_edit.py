"""The forms of posts: authors are picked, drafts have no date."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from starlette.testclient import TestClient

from models import Post, User
from models.database import Database
from tests.pages import Page, follow, get, submit
from tests.records import NOON, add_post, add_user, posts

CREATE = "/admin/post/create"
LOOKUP = "/admin/post/ajax/lookup?name=author"


@pytest.fixture
def alice(database: Database) -> User:
    """Store Alice, and Bob after her."""
    alice = add_user(database, "Alice")
    add_user(database, "Bob")
    return alice


@pytest.fixture
def post(database: Database, alice: User) -> Post:
    return add_post(database, alice, "Hello")


@pytest.fixture
def edit(post: Post) -> str:
    return f"/admin/post/edit/{post.id}"


def choices(client: TestClient, term: str) -> list[dict[str, str]]:
    response = client.get(LOOKUP, params={"name": "author", "term": term})
    found: list[dict[str, str]] = json.loads(response.text)["results"]
    return found


def test_a_post_without_a_date_is_a_draft(
    olga: TestClient, database: Database, alice: User
) -> None:
    text = "One\r\n\r\nTwo"
    response = submit(olga, CREATE, title="Draft", content=text, author=str(alice.id))
    assert follow(olga, response).table == [["Draft", "Alice", "–"]]
    (draft,) = posts(database)
    assert (draft.user_id, draft.content) == (alice.id, "One\n\nTwo")
    assert draft.published_at is None


def test_a_chosen_author_keeps_the_name_beside_another_mistake(
    olga: TestClient, alice: User
) -> None:
    page = Page(submit(olga, CREATE, title="", content="Text", author=str(alice.id)))
    assert page.error("title") == "This field is required."
    assert page.fields()["author"] == str(alice.id)
    (box,) = page.root.find("input", id="author")
    assert box.attributes["data-chosen"] == "Alice"


@pytest.mark.parametrize("key", ["999", "nonsense"])
def test_an_author_who_does_not_exist_has_no_name(olga: TestClient, alice: User, key: str) -> None:
    page = Page(submit(olga, CREATE, title="", content="Text", author=key))
    (box,) = page.root.find("input", id="author")
    assert (box.attributes["value"], box.attributes["data-chosen"]) == (key, "")


def test_a_date_is_in_utc_and_publishes(olga: TestClient, database: Database, edit: str) -> None:
    assert get(olga, edit).fields()["published_at"] == "2026-03-04T12:00:00"
    submit(olga, edit, published_at="2026-05-06T07:08")
    assert [p.published_at for p in posts(database)] == [datetime(2026, 5, 6, 7, 8, tzinfo=UTC)]


def test_an_emptied_date_makes_a_draft_again(
    olga: TestClient, database: Database, edit: str
) -> None:
    submit(olga, edit, published_at="")
    assert [post.published_at for post in posts(database)] == [None]


def test_an_untouched_date_keeps_its_microseconds(
    olga: TestClient, database: Database, alice: User
) -> None:
    exact = NOON + timedelta(microseconds=123456)
    post = add_post(database, alice, published_at=exact)
    submit(olga, f"/admin/post/edit/{post.id}", title="Changed")
    assert [(p.title, p.published_at) for p in posts(database)] == [("Changed", exact)]


@pytest.mark.parametrize("date", ["tomorrow", "2026-13-01T00:00", "2026-02-30T00:00"])
def test_a_date_that_does_not_exist_is_refused_at_its_field(
    olga: TestClient, edit: str, date: str
) -> None:
    response = submit(olga, edit, published_at=date)
    assert response.status_code == 400
    assert Page(response).error("published_at")


def test_the_author_is_named_and_can_be_changed(
    olga: TestClient, database: Database, alice: User, edit: str
) -> None:
    page = get(olga, edit)
    assert page.fields()["author"] == str(alice.id)
    assert "Now: Alice" in page.root.text
    (bob,) = choices(olga, "bob")
    submit(olga, edit, author=bob["id"])
    assert [post.user_id for post in posts(database)] == [int(bob["id"])]


@pytest.mark.parametrize(
    ("term", "names"),
    [("", ["Alice", "Bob"]), ("ALI", ["Alice"]), ("bob@", ["Bob"]), ("%", []), ("nobody", [])],
)
def test_the_picker_finds_authors_by_name_and_address(
    olga: TestClient, alice: User, term: str, names: list[str]
) -> None:
    assert [choice["text"] for choice in choices(olga, term)] == names


@pytest.mark.parametrize("author", ["99999", "abc", "1;2", "99999999999999999999", "Alice"])
def test_an_author_who_does_not_exist_is_refused_at_the_field(
    olga: TestClient, database: Database, alice: User, edit: str, author: str
) -> None:
    response = submit(olga, edit, author=author)
    assert response.status_code == 400
    assert Page(response).error("author") == "Choose one that exists."
    assert [post.user_id for post in posts(database)] == [alice.id]


@pytest.mark.parametrize("field", ["title", "author", "content"])
def test_a_post_needs_title_text_and_author(olga: TestClient, alice: User, field: str) -> None:
    complete = {"title": "Hello", "content": "Words", "author": str(alice.id)}
    page = Page(submit(olga, CREATE, **{**complete, field: ""}))
    assert page.error(field) == "This field is required."


def test_the_owner_can_not_be_slipped_in_by_the_column(
    olga: TestClient, database: Database, alice: User, edit: str
) -> None:
    submit(olga, edit, user_id=str(alice.id + 1), title="Changed")
    assert [(post.title, post.user_id) for post in posts(database)] == [("Changed", alice.id)]


def test_line_ends_stay_as_they_were(olga: TestClient, database: Database, alice: User) -> None:
    text = "\r\nOne\rTwo\n\tThree \n"
    post = add_post(database, alice, content=text)
    path = f"/admin/post/edit/{post.id}"
    (area,) = get(olga, path).root.find("textarea")
    shown = "".join(child for child in area.children if isinstance(child, str))
    # A browser drops the first line feed of a text area, and sends the others as CRLF.
    sent = shown.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\n").replace("\n", "\r\n")
    submit(olga, path, title="Changed", content=sent)
    assert [(p.title, p.content) for p in posts(database)] == [("Changed", text)]


def test_deleting_a_post_keeps_its_author(
    olga: TestClient, database: Database, post: Post, alice: User
) -> None:
    page = follow(olga, olga.post("/admin/post/delete", data={"pks": str(post.id)}))
    assert page.alerts == ["The post “Hello” was deleted."]
    assert "Alice" in get(olga, "/admin/user/list").names
