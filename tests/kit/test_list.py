"""Lists: their columns and links, what they escape, and what they cost."""

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient

from admin.kit import ModelAdmin
from models.database import Database
from tests.databases import statements
from tests.kit.app import (
    Book,
    BookAdmin,
    Chapter,
    Cover,
    CoverAdmin,
    Publisher,
    PublisherAdmin,
    make_app,
)
from tests.kit.pages import boxes, cells, follow, headings, keys, links, store
from tests.kit.screens import ShelfAdmin, allowed
from tests.personas import visit


@pytest.fixture
def shelf(library: Database) -> TestClient:
    return visit(make_app(library, ShelfAdmin))


def test_columns_stand_in_the_declared_order_under_their_labels(
    shelf: TestClient, library: Database
) -> None:
    store(library, Book(title="Emma", pages=9, publisher=Publisher(name="Orion")))
    page = shelf.get("/admin/book/list")
    assert [heading.rstrip(" ▲▼") for heading in headings(page)] == ["Title", "House", "Pages"]
    assert cells(page) == [["Emma", "Orion", "9"]]


@pytest.mark.parametrize(
    ("rights", "expected"),
    [
        (["edit", "details"], ["/admin/book/edit/1"]),
        (["details"], ["/admin/book/details/1"]),
        ([], []),
    ],
)
def test_the_first_column_leads_as_far_as_the_operator_may_go(
    library: Database, rights: list[str], expected: list[str]
) -> None:
    store(library, Book(title="Emma"))
    client = allowed(library, "book:list", *(f"book:{right}" for right in rights))
    assert links(client.get("/admin/book/list"), "Emma") == expected


def test_a_related_object_in_the_first_column_is_no_link_within_a_link(library: Database) -> None:
    class ByPublisher(ModelAdmin, model=Book):
        column_list = [Book.publisher, Book.title]
        form_columns = [Book.title]

    store(library, Book(title="Emma", publisher=Publisher(name="Orion")))
    page = visit(make_app(library, ByPublisher, PublisherAdmin)).get("/admin/book/list")
    assert links(page, "Orion") == ["/admin/book/edit/1"]
    assert "</a></a>" not in page.text


def test_related_objects_are_links_only_where_they_may_be_opened(library: Database) -> None:
    store(library, Book(title="Emma", publisher=Publisher(name="Orion")))
    may_open = allowed(library, "book:list", "publisher:details").get("/admin/book/list")
    may_not = allowed(library, "book:list", "publisher:list").get("/admin/book/list")
    assert links(may_open, "Orion") == ["/admin/publisher/details/1"]
    assert links(may_not, "Orion") == []
    assert cells(may_not) == [["Emma", "Orion", "–"]]


EVIL = "\"'><script>alert(1)</script>{{ 7*7 }}"


def test_stored_text_is_never_markup(client: TestClient, library: Database) -> None:
    publisher = Publisher(name=EVIL)
    store(library, Book(title=EVIL, publisher=publisher), Cover(artist=EVIL, book=Book(title=EVIL)))
    for path in ("book/list", "cover/list", "publisher/list", "book/list?publisher=1"):
        page = client.get(f"/admin/{path}")
        assert "<script>alert" not in page.text
        assert EVIL in cells(page)[0]
        assert "{{ 7*7 }}" in page.text


@pytest.mark.parametrize("name", ["search", "sort", "unknown", "publisher"])
def test_what_an_address_holds_is_never_markup(client: TestClient, name: str) -> None:
    page = client.get("/admin/book/list", params={name: EVIL, "search": EVIL})
    assert "<script>alert" not in page.text


def test_an_empty_table_offers_to_add_the_first_row(client: TestClient) -> None:
    page = client.get("/admin/book/list")
    assert "There are no books yet." in page.text
    assert links(page, "Add the first one") == ["/admin/book/create"]


def test_nothing_found_offers_to_clear_the_search(client: TestClient, library: Database) -> None:
    store(library, Book(title="Emma"))
    page = client.get("/admin/book/list?search=nothing")
    assert "No books match." in page.text
    assert len(keys(follow(client, page, "Clear all filters"))) == 1


@pytest.mark.parametrize("size", [2, 5])
def test_a_page_takes_two_statements_whatever_its_size(
    shelf: TestClient, library: Database, size: int
) -> None:
    store(library, *(Book(title="T", publisher=Publisher(name=f"P{n}")) for n in range(6)))
    with statements(library) as seen:
        page = shelf.get(f"/admin/book/list?pageSize={size}&sortBy=publisher.name&search=p")
    assert len(keys(page)) == size
    assert len(seen) == 2


def test_a_relation_as_a_column_costs_no_statement_a_row(
    client: TestClient, library: Database
) -> None:
    store(library, *(Cover(artist="A", book=Book(title=f"B{n}")) for n in range(9)))
    with statements(library) as seen:
        assert len(keys(client.get("/admin/cover/list"))) == 9
    assert len(seen) == 1


def test_the_name_of_a_row_costs_no_statement(library: Database) -> None:
    """`str(cover)` loads its book; the list doesn't ask for it."""

    class Artists(CoverAdmin, model=Cover):
        column_list = [Cover.artist]

    store(library, *(Cover(artist="Ann", book=Book(title=f"B{n}")) for n in range(9)))
    with statements(library) as seen:
        page = visit(make_app(library, Artists)).get("/admin/cover/list")
    assert boxes(page) == ["Select Ann"] * 9
    assert len(seen) == 1


def test_a_box_is_called_by_its_row_as_the_language_says_it(
    client: TestClient, library: Database
) -> None:
    store(library, Book(title="Emma"), Book(title=" "))
    named, nameless = boxes(client.get("/admin/book/list?sortBy=-title"))
    assert (named, nameless) == ("Select Emma", "Select 2")
    client.cookies["admin_language"] = "de"
    assert boxes(client.get("/admin/book/list?sortBy=-title"))[0] == "Emma auswählen"


def test_a_box_is_called_by_its_row_where_no_link_is(library: Database) -> None:
    class Shown(BookAdmin, model=Book):
        list_display_links = None

    store(library, Book(title="Emma & I"))
    assert boxes(visit(make_app(library, Shown)).get("/admin/book/list")) == ["Select Emma & I"]


def test_only_what_is_shown_is_read(library: Database) -> None:
    class Titles(ModelAdmin, model=Book):
        column_list = [Book.title]
        form_columns = [Book.title]

    store(library, Book(title="Emma", subtitle="A comedy"))
    with statements(library) as seen:
        visit(make_app(library, Titles)).get("/admin/book/list")
    assert not any("subtitle" in sql for sql in seen)


def test_a_check_that_looks_at_objects_gets_them_whole(library: Database) -> None:
    class Checked(ModelAdmin, model=Book):
        column_list = [Book.title]
        form_columns = [Book.title]

        async def check_can_edit(self, request: Request, model: Book) -> bool:
            return model.subtitle == "A comedy"

    store(library, Book(title="Emma", subtitle="A comedy"), Book(title="Walden"))
    page = visit(make_app(library, Checked)).get("/admin/book/list")
    assert links(page, "Emma") == ["/admin/book/edit/1"]
    assert links(page, "Walden") == ["/admin/book/details/2"]


def test_a_column_two_relations_away_costs_no_statement_a_row(library: Database) -> None:
    class Houses(ModelAdmin, model=Chapter):
        column_list = [Chapter.heading, "book.publisher", "book.publisher.name"]
        column_sortable_list = ["book.publisher.name"]
        form_columns = [Chapter.heading]

    for name in "ba":
        book = Book(title=name, publisher=Publisher(name=name))
        store(library, Chapter(slug="s", heading="One", book=book))
    with statements(library) as seen:
        page = visit(make_app(library, Houses)).get(
            "/admin/chapter/list?sortBy=book.publisher.name"
        )
    assert [row[1:] for row in cells(page)] == [["a", "a"], ["b", "b"]]
    assert len(seen) == 1
