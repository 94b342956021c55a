"""Each kind of relation: in lists, on an object's page, in its form, and in its deletion."""

from typing import Any

import pytest
from sqladmin.exceptions import ImproperlyConfigured
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from admin.kit import ModelAdmin, RelatedFilter
from models.database import Database
from tests.databases import Sqlite
from tests.kit.app import (
    Book,
    Chapter,
    Cover,
    Publisher,
    PublisherAdmin,
    Tag,
    TagAdmin,
    book_tags,
    make_app,
)
from tests.kit.pages import cells, fields, keys, links, sentence, store
from tests.personas import visit


@pytest.fixture(autouse=True)
def shelf(request: pytest.FixtureRequest) -> None:
    """Store Emma, published by Orion, with a cover, two chapters and two tags, and a bare book."""
    if "library" in request.fixturenames:
        chapters = [Chapter(slug=slug, heading=slug) for slug in ("one", "two")]
        emma = Book(
            title="Emma",
            publisher=Publisher(name="Orion"),
            cover=Cover(artist="Ann"),
            chapters=chapters,
            tags=[Tag(id="funny"), Tag(id="old")],
        )
        store(request.getfixturevalue("library"), emma)
        store(request.getfixturevalue("library"), Book(title="Bare"))


def count(library: Database, table: Any) -> int:
    with Session(library.writer) as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def delete(client: TestClient, path: str, key: str) -> int:
    """Send the deletion and return the status of the answer."""
    answer = client.post(f"/admin/{path}/delete", data={"pks": key, "_back": ""})
    return answer.status_code


def test_many_to_one_in_a_list_is_a_link(client: TestClient) -> None:
    page = client.get("/admin/book/list")
    assert [row[1] for row in cells(page)] == ["Orion", "–"]
    assert links(page, "Orion") == ["/admin/publisher/details/1"]


def test_many_to_one_on_the_page_of_an_object_is_a_link(client: TestClient) -> None:
    assert links(client.get("/admin/book/details/1"), "Orion") == ["/admin/publisher/details/1"]
    assert fields(client.get("/admin/book/details/2"))["Publisher"] == "–"


def test_many_to_one_is_chosen_in_the_form(client: TestClient, library: Database) -> None:
    store(library, Publisher(name="Ace"))
    assert client.post("/admin/book/edit/1", data={"publisher": "2"}).status_code == 302
    assert fields(client.get("/admin/book/details/1"))["Publisher"] == "Ace"
    assert client.post("/admin/book/edit/1", data={"publisher": ""}).status_code == 302
    assert fields(client.get("/admin/book/details/1"))["Publisher"] == "–"
    assert client.post("/admin/book/edit/1", data={"publisher": "99"}).status_code == 400


def test_many_to_one_survives_the_deletion_of_the_many(
    client: TestClient, library: Database
) -> None:
    assert delete(client, "book", "1") == 302
    assert count(library, Publisher) == 1


def test_one_to_many_is_counted_on_the_page_of_the_one(client: TestClient) -> None:
    page = client.get("/admin/publisher/details/1")
    assert links(page, "1") == ["/admin/book/list?publisher=1"]
    assert fields(client.get("/admin/book/details/1"))["Chapters"] == "2"


def test_one_to_many_is_no_field_and_saving_leaves_it_alone(
    client: TestClient, library: Database
) -> None:
    assert 'name="chapters"' not in client.get("/admin/book/edit/1").text
    data = {"title": "Emma!", "chapters": "", "tags": "", "cover": ""}
    assert client.post("/admin/book/edit/1", data=data).status_code == 302
    counted = [count(library, table) for table in (Chapter, Cover, book_tags)]
    assert counted == [2, 1, 2]


def test_one_to_many_goes_with_the_one_or_keeps_it(client: TestClient, library: Database) -> None:
    refused = client.post("/admin/publisher/delete", data={"pks": "1"})
    assert refused.status_code == 400
    assert "still" in sentence(refused)
    assert delete(client, "book", "1") == 302
    assert count(library, Chapter) == 0
    assert delete(client, "publisher", "1") == 302


@pytest.mark.parametrize("name", ["books", "books.title"])
@pytest.mark.parametrize("attribute", ["column_list", "column_export_list", "column_details_list"])
def test_a_column_that_would_load_any_number_of_rows_stops_the_start(
    sqlite: Sqlite, attribute: str, name: str
) -> None:
    view = type("Wrong", (PublisherAdmin,), {attribute: [name]}, model=Publisher)
    with pytest.raises(ImproperlyConfigured, match="any number of rows"):
        make_app(sqlite.open(sqlite.empty()), view)


def test_one_to_one_in_a_list_is_a_link(client: TestClient, library: Database) -> None:
    assert links(client.get("/admin/cover/list"), "Emma") == ["/admin/book/details/1"]

    class WithCover(ModelAdmin, model=Book):
        column_list = [Book.title, Book.cover]
        form_columns = [Book.title]

    page = visit(make_app(library, WithCover)).get("/admin/book/list")
    assert cells(page) == [["Emma", "Emma by Ann"], ["Bare", "–"]]


def test_one_to_one_on_the_page_of_an_object_is_a_link_from_both_ends(client: TestClient) -> None:
    page = client.get("/admin/book/details/1")
    assert links(page, "Emma by Ann") == ["/admin/cover/details/1"]
    assert links(client.get("/admin/cover/details/1"), "Emma") == ["/admin/book/details/1"]


def test_one_to_one_is_chosen_where_it_is_kept(client: TestClient) -> None:
    assert 'name="cover"' not in client.get("/admin/book/edit/1").text
    assert client.post("/admin/cover/edit/1", data={"book": "2"}).status_code == 302
    assert fields(client.get("/admin/book/details/2"))["Cover"] == "Bare by Ann"


def test_one_to_one_is_never_given_to_two(client: TestClient) -> None:
    answer = client.post("/admin/cover/create", data={"artist": "Bob", "book": "1"})
    assert answer.status_code == 400
    assert "already exists" in answer.text


def test_one_to_one_goes_with_the_object_it_belongs_to(
    client: TestClient, library: Database
) -> None:
    assert "cover" in client.get("/admin/book/delete?pks=1").text
    assert delete(client, "book", "1") == 302
    assert count(library, Cover) == 0


class TaggedAdmin(ModelAdmin, model=Book):
    column_list = [Book.title]
    column_filters = [RelatedFilter(Book.tags, "Tag")]
    form_columns = [Book.title]


def test_many_to_many_is_counted_and_its_rows_are_found_from_both_ends(library: Database) -> None:
    client = visit(make_app(library, TaggedAdmin, TagAdmin))
    assert fields(client.get("/admin/book/details/1"))["Tags"] == "2"
    [path] = links(client.get("/admin/tag/details/funny"), "1")
    assert keys(client.get(path)) == ["1"]


def test_many_to_many_is_no_field(client: TestClient) -> None:
    assert 'name="tags"' not in client.get("/admin/book/edit/1").text
    assert 'name="books"' not in client.get("/admin/tag/edit/funny").text


@pytest.mark.parametrize(("path", "key", "left"), [("tag", "funny", 1), ("book", "1", 0)])
def test_many_to_many_loses_the_tie_and_not_the_other_end(
    client: TestClient, library: Database, path: str, key: str, left: int
) -> None:
    assert delete(client, path, key) == 302
    assert count(library, book_tags) == left
    assert count(library, Book) + count(library, Tag) == 3
