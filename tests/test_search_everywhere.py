"""The search over everything: what it finds, for whom, and what it costs."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from models.database import Database
from tests.databases import statements
from tests.pages import Page, get
from tests.records import add_post, add_user

JSON = {"Accept": "application/json"}
ALICE = {"label": "Alice", "detail": "alice@example.org"}


def groups(client: TestClient, term: str) -> list[dict[str, Any]]:
    response = client.get("/admin/search", params={"q": term}, headers=JSON)
    assert response.status_code == 200, response.text
    found: list[dict[str, Any]] = response.json()["groups"]
    return found


def labels(client: TestClient, term: str) -> dict[str, list[str]]:
    return {g["label"]: [hit["label"] for hit in g["hits"]] for g in groups(client, term)}


def test_every_model_is_searched_by_its_own_search(olga: TestClient, database: Database) -> None:
    alice = add_user(database, "Alice")
    add_user(database, "Bob")
    post = add_post(database, alice, "Hello")
    assert groups(olga, "alice") == [
        {
            "label": "Users",
            "url": "/admin/user/list?search=alice",
            "hits": [{**ALICE, "url": f"/admin/user/edit/{alice.id}"}],
            "has_more": False,
        },
        {
            "label": "Posts",
            "url": "/admin/post/list?search=alice",
            "hits": [{"label": "Hello", "detail": "Alice", "url": f"/admin/post/edit/{post.id}"}],
            "has_more": False,
        },
    ]


def test_who_may_only_look_is_led_to_the_details(vera: TestClient, database: Database) -> None:
    alice = add_user(database, "Alice")
    (group,) = groups(vera, "alice")
    assert group["hits"] == [{**ALICE, "url": f"/admin/user/details/{alice.id}"}]


@pytest.mark.parametrize("term", ["", "  ", "a", '""', " a e "])
def test_too_short_a_term_finds_nothing(olga: TestClient, database: Database, term: str) -> None:
    add_user(database, "Alice")
    assert groups(olga, term) == []


@pytest.mark.parametrize("term", ["", " "])
def test_an_empty_term_asks_no_model(olga: TestClient, database: Database, term: str) -> None:
    with statements(database) as seen:
        groups(olga, term)
    assert not [sql for sql in seen if "FROM users" in sql or "FROM posts" in sql]


@pytest.mark.parametrize(
    ("term", "sentence"),
    [("a\0b", "can't be searched for"), ("x" * 201, "longer than 200 characters")],
)
def test_a_term_that_no_row_can_hold_is_refused(olga: TestClient, term: str, sentence: str) -> None:
    response = olga.get("/admin/search", params={"q": term})
    assert response.status_code == 400
    assert sentence in Page(response).root.text


def test_a_typed_key_finds_its_row_first(olga: TestClient, database: Database) -> None:
    first = add_user(database, "Alice")
    add_user(database, f"Number {first.id}", email="number@example.org")
    assert labels(olga, str(first.id))["Users"][0] == "Alice"


def test_a_key_of_many_digits_finds_its_row_and_what_reads_like_it(
    olga: TestClient, database: Database
) -> None:
    add_user(database, "Alice", id=4711)
    add_user(database, "Company 4711", email="company@example.org")
    add_user(database, "Bob", id=47110)
    assert labels(olga, "4711") == {"Users": ["Alice", "Company 4711"]}


@pytest.mark.parametrize("term", ["99999999999999999999", "-1", "04711", "1;2", "1e3"])
def test_what_is_no_key_is_a_word(olga: TestClient, database: Database, term: str) -> None:
    add_user(database, "Alice", id=4711)
    assert groups(olga, term) == []


def test_five_of_each_model_and_a_link_to_all(olga: TestClient, database: Database) -> None:
    for number in range(7):
        add_user(database, f"Ann{number}")
    (group,) = groups(olga, "ann")
    assert [hit["label"] for hit in group["hits"]] == ["Ann6", "Ann5", "Ann4", "Ann3", "Ann2"]
    assert group["has_more"]
    assert olga.get(group["url"]).text.count("ann6@") == 1


@pytest.mark.parametrize("term", ["alice", "4711"])
def test_one_statement_a_model_however_much_is_found(
    olga: TestClient, database: Database, term: str
) -> None:
    for number in range(5):
        author = add_user(database, f"Alice 4711 {number}", email=f"{number}@example.org")
        add_post(database, author)
    with statements(database) as none:
        olga.get("/admin/search")
    with statements(database) as some:
        assert {name: len(found) for name, found in labels(olga, term).items()} == {
            "Users": 5,
            "Posts": 5,
        }
    screens = len(["users", "posts", "operators"])
    assert len(some) - len(none) == screens


def test_the_page_shows_the_same_without_scripts(olga: TestClient, database: Database) -> None:
    alice = add_user(database, "Alice")
    page = get(olga, "/admin/search?q=alice")
    assert [h2.text for h2 in page.root.find("main")[0].find("h2")] == ["Users"]
    assert page.links()["Alice"] == f"/admin/user/edit/{alice.id}"
    assert page.fields()["q"] == "alice"


@pytest.mark.parametrize(
    ("query", "sentence"), [("", "Type a name, a title or a key."), ("?q=none", "Nothing found.")]
)
def test_a_page_without_hits_says_so(olga: TestClient, query: str, sentence: str) -> None:
    assert sentence in get(olga, f"/admin/search{query}").root.text


def test_every_page_has_the_box_that_leads_there(vera: TestClient) -> None:
    (form,) = get(vera, "/admin/").root.find("form", role="search")
    assert form.attributes["action"] == "/admin/search"
    assert [box.attributes["name"] for box in form.find("input")] == ["q"]


def test_what_is_found_is_text_whatever_it_holds(olga: TestClient, database: Database) -> None:
    add_user(database, '<b>"Mallory"</b>', email="m@example.org")
    assert labels(olga, "mallory") == {"Users": ['<b>"Mallory"</b>']}
    response = olga.get("/admin/search", params={"q": '<b>"'})
    assert "<b>" not in response.text
    assert '<b>"Mallory"</b>' in Page(response).links()


def test_a_program_that_is_not_signed_in_is_told(mallory: TestClient) -> None:
    assert mallory.get("/admin/search?q=alice", headers=JSON).status_code == 401
