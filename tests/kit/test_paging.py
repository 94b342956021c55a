"""Lists: their order and pages, and what an address can ask for."""

import re
from typing import Any

import pytest
from sqlalchemy import ForeignKey, Select, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship
from starlette.requests import Request
from starlette.testclient import TestClient

from admin.kit.lists.query import Query
from admin.kit.search import contains_words
from models.database import Database
from tests.databases import statements
from tests.kit.app import (
    Book,
    BookAdmin,
    Publisher,
    make_app,
)
from tests.kit.pages import cells, follow, keys, links, sentence, store
from tests.kit.screens import ShelfAdmin
from tests.personas import visit


def books(count: int, **attributes: Any) -> list[Book]:
    return [Book(title=f"Book {number}", **attributes) for number in range(count)]


@pytest.fixture
def shelf(library: Database) -> TestClient:
    return visit(make_app(library, ShelfAdmin))


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_pages_of_a_sort_with_ties_show_each_row_once(
    shelf: TestClient, library: Database, order: str
) -> None:
    store(library, *books(9, pages=7))
    path = f"/admin/book/list?sortBy=pages&sort={order}"
    with statements(library) as seen:
        pages = [shelf.get(f"{path}&page={n}") for n in range(1, 6)]
    assert re.search(r"ORDER BY books\.pages (ASC|DESC), books\.id \1", seen[0])
    assert sorted(key for page in pages for key in keys(page)) == [str(n) for n in range(1, 10)]


@pytest.mark.parametrize("query", ["sortBy=publisher.name", "search=Book", "search=bo&sort=desc"])
def test_rows_without_a_related_one_are_kept(
    client: TestClient, library: Database, query: str
) -> None:
    store(library, *books(2), Book(title="Bo", publisher=Publisher(name="Book")))
    assert len(keys(client.get(f"/admin/book/list?{query}"))) == 3


def test_search_filter_and_sort_meet_on_one_relation(client: TestClient, library: Database) -> None:
    store(library, Book(title="One", publisher=Publisher(name="Orion")), *books(2))
    query = "search=orion&sortBy=publisher.name&publisher=1"
    assert keys(client.get(f"/admin/book/list?{query}")) == ["1"]


def test_a_scope_may_join_what_the_list_is_sorted_by(library: Database) -> None:
    class Scoped(BookAdmin, model=Book):
        def scope(self, stmt: Select[Any], request: Request) -> Select[Any]:
            return stmt.join(Book.publisher).where(Publisher.name != "Hidden")

    for name in ("B", "A", "Hidden"):
        store(library, Book(title=f"By {name}", publisher=Publisher(name=name)))
    page = visit(make_app(library, Scoped)).get("/admin/book/list?sortBy=publisher.name&search=by")
    assert keys(page) == ["2", "1"]
    assert "1–2 of 2" in page.text


@pytest.mark.parametrize(
    "query",
    [
        *("page=0", "page=-1", "page=abc", "page=1e22", "page=+1", "page=1%00", "page=%EF%BC%91"),
        *("pageSize=0", "pageSize=-1", f"page=1{'0' * 5000}", f"pageSize=1{'0' * 5000}"),
        *("sortBy=summary", "sortBy=publisher", "sortBy=publisher.id", "sortBy=__class__"),
    ],
)
def test_nonsense_is_refused_in_a_sentence(shelf: TestClient, query: str) -> None:
    answer = shelf.get(f"/admin/book/list?{query}")
    assert answer.status_code == 400
    assert re.search(r"must be a whole number|can't be sorted", sentence(answer))


@pytest.mark.parametrize(
    "query",
    [
        *("page=0", "pageSize=abc", "sortBy=summary", "sortBy=summary&sort=desc", "after=garbage"),
        *("from=%00x&page=3", "_view=gone"),
    ],
)
def test_what_is_refused_leads_to_the_list_without_it(shelf: TestClient, query: str) -> None:
    answer = shelf.get(f"/admin/book/list?search=tea&{query}")
    assert links(answer, "Show the list without this") == ["/admin/book/list?search=tea"]
    assert follow(shelf, answer, "Show the list without this").status_code == 200


@pytest.mark.parametrize("search", ["%00", "x" * 201])
def test_a_search_that_is_refused_leads_to_the_rest(shelf: TestClient, search: str) -> None:
    answer = shelf.get(f"/admin/book/list?sortBy=pages&search={search}")
    assert links(answer, "Show the list without this") == ["/admin/book/list?sortBy=pages"]


def test_a_file_that_is_refused_leads_to_its_list(shelf: TestClient) -> None:
    answer = shelf.get("/admin/book/export/csv?search=tea&sortBy=summary")
    assert links(answer, "Show the list without this") == ["/admin/book/list?search=tea"]


def test_a_picker_that_is_refused_leads_to_no_list(client: TestClient) -> None:
    answer = client.get("/admin/book/ajax/lookup?name=publisher&term=%00")
    assert (answer.status_code, links(answer, "Show the list without this")) == (400, [])


def test_what_a_list_does_not_know_is_ignored(shelf: TestClient, library: Database) -> None:
    store(library, *books(2))
    assert len(keys(shelf.get("/admin/book/list?utm_source=x&error=Call+us&sort=up&page="))) == 2


def test_a_page_is_never_longer_than_the_longest_offered(
    shelf: TestClient, library: Database
) -> None:
    store(library, *books(9))
    assert len(keys(shelf.get("/admin/book/list?pageSize=999999"))) == 5


@pytest.mark.parametrize("number", [4, 99999999])
def test_a_page_beyond_the_last_shows_the_last(
    shelf: TestClient, library: Database, number: int
) -> None:
    store(library, *books(5))
    page = shelf.get(f"/admin/book/list?page={number}")
    assert keys(page) == ["5"]
    assert "5–5 of 5" in page.text


def test_turning_pages_keeps_search_filters_and_sort(shelf: TestClient, library: Database) -> None:
    store(library, *books(5, publisher=Publisher(name="Orion & Söhne")))
    query = "search=b+söhne&publisher=1&sortBy=title&sort=desc"
    page = follow(shelf, shelf.get(f"/admin/book/list?{query}"), "Next")
    assert [row[0] for row in cells(page)] == ["Book 2", "Book 1"]
    assert [row[0] for row in cells(follow(shelf, page, "Previous"))] == ["Book 4", "Book 3"]


def test_another_search_or_sort_begins_on_the_first_page(
    shelf: TestClient, library: Database
) -> None:
    store(library, *books(5))
    page = shelf.get("/admin/book/list?page=2&pageSize=2&search=book")
    toolbar = page.text.partition('<form class="toolbar"')[2].partition("</form>")[0]
    assert re.findall(r'name="(\w+)"', toolbar) == [
        "pageSize",
        "search",
        "publisher",
        "publisher",
    ]
    assert keys(follow(shelf, page, "Title")) == ["1", "2"]


def test_a_list_answers_to_head(client: TestClient, library: Database) -> None:
    store(library, *books(2))
    answer = client.head("/admin/book/list?search=book")
    assert (answer.status_code, answer.content) == (200, b"")


class Nodes(DeclarativeBase):
    pass


class Node(Nodes):
    __tablename__ = "nodes"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("nodes.id"))

    parent: Mapped["Node | None"] = relationship(remote_side="Node.id")


def test_a_relation_may_lead_back_to_its_own_table() -> None:
    engine = create_engine("sqlite://")
    Nodes.metadata.create_all(engine)
    query = Query(Node, select(Node))
    name, _ = query.column("parent.parent.name")
    found = query.joined(query.stmt).order_by(name.desc())
    found = found.where(contains_words(Node, ["parent.name"], "b"))
    with Session(engine) as session:
        a, b = Node(name="a"), Node(name="b")
        b.parent, c = a, Node(name="c", parent=b)
        session.add_all([a, b, c])
        session.flush()
        assert session.scalars(found).all() == [c]
    engine.dispose()
