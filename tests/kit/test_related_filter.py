"""Filters by a relation, and how all filters stand in the page."""

from typing import Any, ClassVar

import pytest
from sqlalchemy import Select
from starlette.requests import Request
from starlette.testclient import TestClient

from admin.kit import EmptyFilter, ModelAdmin, RelatedFilter
from models.database import Database
from tests.databases import statements
from tests.kit.app import (
    Book,
    BookAdmin,
    Chapter,
    Cover,
    Publisher,
    PublisherAdmin,
    Tag,
    make_app,
)
from tests.kit.pages import Allow, cells, follow, keys, links, store, titles
from tests.kit.screens import FilteredAdmin
from tests.personas import visit


class ChapterFilterAdmin(ModelAdmin, model=Book):
    column_list = [Book.title]
    column_filters = [RelatedFilter(Book.chapters)]
    form_columns = [Book.title]


@pytest.fixture
def client(library: Database) -> TestClient:
    return visit(make_app(library, FilteredAdmin))


def test_rows_of_one_related_object_are_found_by_its_key(
    client: TestClient, library: Database
) -> None:
    odd = Tag(id="a/b ;~%")
    book = Book(title="One", publisher=Publisher(name="Orion"), tags=[odd])
    store(library, Book(title="Other", publisher=Publisher(name="Ace"), tags=[Tag(id="x")]))
    store(library, Cover(artist="Ann", book=book))
    assert titles(client, publisher="2") == ["One"]
    assert titles(client, tag="a/b ;~~~p") == ["One"]
    assert titles(client, cover="1") == ["One"]
    assert titles(client, publisher="99") == []


def test_a_related_object_may_have_a_key_of_several_columns(library: Database) -> None:
    chapter = Chapter(slug="a;b\\", heading="H")
    store(library, Book(title="One", chapters=[chapter]), Book(title="Two"))
    client = visit(make_app(library, ChapterFilterAdmin))
    assert titles(client, chapters=f"{chapter.book_id};a\\;b\\\\") == ["One"]


def test_the_page_shows_what_is_chosen(client: TestClient, library: Database) -> None:
    store(library, Book(title="One", lendable=True, publisher=Publisher(name="<Orion>")))
    page = visit(make_app(library)).get("/admin/book/list?publisher=1")
    assert 'name="publisher" value="1" checked> <span>&lt;Orion&gt;</span>' in page.text
    page = client.get("/admin/book/list?lendable=true")
    assert 'name="lendable" value="true" checked>' in page.text
    assert keys(follow(client, page, "Clear all")) == ["1"]


class HiddenPublishers(PublisherAdmin, model=Publisher):
    def scope(self, stmt: Select[Any], request: Request) -> Select[Any]:
        return stmt.where(Publisher.name != "Secret")


def test_a_filter_does_not_name_what_may_not_be_listed(library: Database) -> None:
    store(library, Publisher(name="Secret"))
    hidden = visit(make_app(library, BookAdmin, HiddenPublishers))
    no_right = visit(make_app(library, authorization_backend=Allow("book:list")))
    for client in (hidden, no_right):
        page = client.get("/admin/book/list?publisher=1")
        assert 'name="publisher" value="1" checked> <span>1</span>' in page.text
        assert "Secret" not in page.text


@pytest.mark.parametrize("name", ["pks", "_back", "next", "name", "term", "save", "_version"])
def test_a_filter_may_have_the_name_of_another_pages_parameter(
    library: Database, name: str
) -> None:
    class Colliding(BookAdmin, model=Book):
        column_filters: ClassVar[list[Any]] = [EmptyFilter(Book.pages, parameter_name=name)]

    store(library, Book(title="Empty"), Book(title="Full", pages=1))
    client = visit(make_app(library, Colliding, PublisherAdmin))
    page = client.get(f"/admin/book/list?{name}=yes")
    assert [row[0] for row in cells(page)] == ["Empty"]
    [row] = links(page, "Empty")
    path = client.get(row, headers={"referer": str(page.url)}).headers["location"]
    assert client.get(path).status_code == 200
    saved = client.post(path, data={"title": "Emma", "save": "Save"})
    assert saved.headers["location"] == f"/admin/book/list?{name}=yes"


def test_no_filter_lists_a_table(client: TestClient, library: Database) -> None:
    """Only the page is asked for, with the one object that is chosen."""
    store(library, *(Publisher(name=f"Publisher {n}") for n in range(30)), Tag(id="t"))
    with statements(library) as seen:
        page = client.get("/admin/book/list")
    assert len(seen) == 1
    assert "Publisher 7" not in page.text
    with statements(library) as seen:
        client.get("/admin/book/list?publisher=7")
    assert len(seen) == 2
