"""Views that a screen declares, and the columns it offers; nothing of it needs a store."""

from typing import Any, ClassVar

import pytest
from sqladmin.exceptions import ImproperlyConfigured
from sqlalchemy import Select
from starlette.requests import Request
from starlette.testclient import TestClient

from admin.kit import BooleanFilter, EmptyFilter, ListView, ModelAdmin
from admin.saved_views import SavedViews
from models.database import Database
from tests.databases import Sqlite, statements
from tests.kit.app import Book, BookAdmin, Chapter, ChapterAdmin, Publisher, Tag, TagAdmin, make_app
from tests.kit.pages import Allow, cells, follow, headings, links, store
from tests.personas import visit

LIST = "/admin/book/list"


class Shelf(ModelAdmin, model=Book):
    column_list = [Book.title]
    column_searchable_list = [Book.title]
    column_sortable_list = [Book.title, Book.pages]
    column_filters = [BooleanFilter(Book.lendable), EmptyFilter(Book.pages)]
    column_details_list = [Book.title, Book.pages, "publisher.name"]
    form_columns = [Book.title]
    list_views: ClassVar[Any] = {
        "To lend": "lendable=true&sortBy=title&sort=desc",
        "Unread": "pages=yes",
    }


@pytest.fixture
def backend(sqlite: Sqlite) -> Sqlite:
    """Choose one kind of database: here they make no difference."""
    return sqlite


@pytest.fixture
def books(library: Database) -> Database:
    pairs = (("Emma", True), ("Dune", False), ("Ulysses", True))
    house = Publisher(name="Orion")
    store(library, *(Book(title=t, lendable=x, pages=9, publisher=house) for t, x in pairs))
    return library


@pytest.fixture
def shelf(books: Database) -> TestClient:
    return visit(make_app(books, Shelf))


def names(client: TestClient, query: str = "") -> list[str]:
    return [row[0] for row in cells(client.get(f"{LIST}{query}"))]


def counts(client: TestClient, path: str = "book") -> dict[str, str]:
    answer = client.get(f"/admin/{path}/views/counts")
    assert answer.status_code == 200, answer.text
    return {view["id"]: view["count"] for view in answer.json()["views"]}


def shelf_with(books: Database, rights: tuple[str, ...] = (), **attributes: Any) -> TestClient:
    """Open the books with other declarations, and with these rights alone if any are named."""
    screen = type("Other", (Shelf,), attributes, model=Book)
    options = {"authorization_backend": Allow(*rights)} if rights else {}
    return visit(make_app(books, screen, **options))


def test_declared_views_are_tabs(shelf: TestClient) -> None:
    page = shelf.get(LIST)
    assert links(page, "All") == [LIST]
    assert links(page, "To lend") == [f"{LIST}?_view=to-lend"]
    shown = follow(shelf, page, "To lend")
    assert [row[0] for row in cells(shown)] == ["Ulysses", "Emma"]
    assert '?_view=to-lend" aria-current="page"' in shown.text


def test_a_list_without_views_has_no_tabs(books: Database) -> None:
    page = visit(make_app(books, BookAdmin)).get(LIST)
    assert 'class="tabs"' not in page.text
    assert 'class="views"' not in page.text


def test_without_a_store_nothing_is_saved(shelf: TestClient) -> None:
    assert "Save view" not in shelf.get(LIST).text
    for path in ("views", "views/1", "choices"):
        assert shelf.post(f"/admin/book/{path}", data={"name": "x"}).status_code == 404
    for part in ("save", "display"):
        assert shelf.get(f"{LIST}?_part={part}").status_code == 404


def test_without_an_operators_key_nothing_is_saved(books: Database) -> None:
    client = visit(make_app(books, Shelf, list_store=SavedViews()))
    assert "Save view" not in client.get(LIST).text
    assert client.post("/admin/book/views", data={"name": "x"}).status_code == 403


def test_a_view_costs_a_list_no_statement_of_its_own(shelf: TestClient, books: Database) -> None:
    with statements(books) as seen:
        assert names(shelf, "?_view=to-lend") == ["Ulysses", "Emma"]
    assert len(seen) == 1


def test_an_order_in_the_address_replaces_the_views(shelf: TestClient) -> None:
    assert names(shelf, "?_view=to-lend&sortBy=title") == ["Emma", "Ulysses"]


def test_an_empty_parameter_takes_a_filter_back(shelf: TestClient) -> None:
    """As a form without scripts sends it."""
    assert len(names(shelf, "?_view=to-lend&lendable=")) == 3


def test_a_page_of_a_view_is_still_the_view(shelf: TestClient) -> None:
    for query in ("?_view=to-lend&page=1", "?_tab=to-lend&lendable=true&sortBy=title&sort=desc"):
        assert 'aria-current="page"' in shelf.get(f"{LIST}{query}").text.partition("<table")[0]


def test_a_view_of_yesterdays_link_is_the_plain_list(shelf: TestClient) -> None:
    assert names(shelf, "?_tab=gone&lendable=false") == ["Dune"]


def test_too_many_parameters_are_a_sentence(shelf: TestClient) -> None:
    answer = shelf.get(f"{LIST}?" + "&".join(f"a{n}=1" for n in range(300)))
    assert (answer.status_code, "too many parameters" in answer.text) == (400, True)


def test_the_files_of_a_view_hold_what_it_shows(shelf: TestClient) -> None:
    page = shelf.get(f"{LIST}?_view=to-lend")
    (path,) = links(page, "Export CSV")
    assert [line for line in shelf.get(path).text.splitlines() if "Dune" in line] == []


# Numbers


def test_counts_obey_the_scope_and_the_right_to_list(books: Database) -> None:
    def scope(self: Any, stmt: Select[Any], request: Request) -> Select[Any]:
        return stmt.where(Book.title != "Emma")

    may = shelf_with(books, ("book:list",), scope=scope)
    assert counts(may) == {"": "2", "to-lend": "1", "unread": "0"}
    may_not = shelf_with(books, ("book:details",))
    assert may_not.get("/admin/book/views/counts").status_code == 403


def test_counts_take_one_statement(shelf: TestClient, books: Database) -> None:
    with statements(books) as seen:
        assert counts(shelf) == {"": "3", "to-lend": "2", "unread": "0"}
    assert len(seen) == 1


def test_counts_search_as_the_list_does(books: Database) -> None:
    views, searched = {"With e": "search=e"}, ["publisher.name"]
    client = shelf_with(books, list_views=views, column_searchable_list=searched)
    assert counts(client) == {"": "3", "with-e": "0"}


@pytest.mark.parametrize(("view", "name"), [(TagAdmin, "tag"), (ChapterAdmin, "chapter")])
def test_keys_that_are_not_counted_up_have_no_news(
    library: Database, view: type[ModelAdmin], name: str
) -> None:
    store(library, Tag(id="a"), Chapter(slug="s", heading="One", book=Book(title="Emma")))
    client = visit(make_app(library, view))
    assert counts(client, name) == {"": "1"}
    assert len(cells(client.get(f"/admin/{name}/list?_new=5"))) == 1


def test_rows_after_a_key_are_new(shelf: TestClient) -> None:
    assert names(shelf, "?_new=2&sortBy=title") == ["Ulysses"]
    for junk in ("x", "-1", "1" * 20, "%00"):
        assert shelf.get(f"{LIST}?_new={junk}").status_code == 400


# Columns


def test_the_address_names_columns(shelf: TestClient) -> None:
    assert headings(shelf.get(f"{LIST}?_columns=pages,title")) == ["Pages", "Title"]
    assert headings(shelf.get(f"{LIST}?_columns=publisher.name")) == ["Publisher name"]


@pytest.mark.parametrize("columns", ["barcode", "publisher.id", "", ",", "__class__", "title.x"])
def test_a_column_that_is_not_offered_is_not_shown(shelf: TestClient, columns: str) -> None:
    assert headings(shelf.get(f"{LIST}?_columns={columns}")) == ["Title"]


def test_columns_of_the_details_are_for_those_who_may_open_them(books: Database) -> None:
    path = f"{LIST}?_columns=title,pages"
    assert headings(shelf_with(books, ("book:list", "book:details")).get(path)) == [
        "Title",
        "Pages",
    ]
    assert headings(shelf_with(books, ("book:list",)).get(path)) == ["Title"]


def test_where_details_depend_on_the_object_the_list_shows_none_of_them(books: Database) -> None:
    async def check(self: Any, request: Request, model: Any) -> bool:
        return bool(model.title == "Emma")

    client = shelf_with(books, check_can_view_details=check)
    assert headings(client.get(f"{LIST}?_columns=title,pages")) == ["Title"]


def test_a_screen_says_which_columns_it_offers(books: Database) -> None:
    client = shelf_with(books, ("book:list",), column_choices=[Book.barcode])
    assert headings(client.get(f"{LIST}?_columns=barcode,pages")) == ["Barcode"]
    none = shelf_with(books, column_choices=[])
    assert headings(none.get(f"{LIST}?_columns=title,pages")) == ["Title"]


def test_related_columns_that_were_chosen_cost_no_statement(books: Database) -> None:
    client = shelf_with(books, column_choices=[Book.publisher])
    with statements(books) as seen:
        page = client.get(f"{LIST}?_columns=title,publisher")
    assert [row[1] for row in cells(page)] == ["Orion"] * 3
    assert len(seen) == 1


def test_a_secret_is_never_offered(books: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(Book.__table__.c.pages.info, "secret", True)
    monkeypatch.setitem(Publisher.__table__.c.name.info, "secret", True)
    client = visit(make_app(books, Shelf))
    for path in ("pages", "publisher.name"):
        assert headings(client.get(f"{LIST}?_columns={path}")) == ["Title"]
    with pytest.raises(ImproperlyConfigured, match=r"column_choices: 'pages' is marked as secret"):
        shelf_with(books, column_choices=[Book.pages])


# Declarations


def test_views_may_be_named(books: Database) -> None:
    views = [ListView("Alle, die da sind", "lendable=true", name="here")]
    assert names(shelf_with(books, list_views=views), "?_view=here") == ["Emma", "Ulysses"]


@pytest.mark.parametrize(
    ("views", "sentence"),
    [
        ({"Gone": "binding=x"}, "'Gone' asks for 'binding', and no filter has this parameter"),
        ({"2024": ""}, "'2024' needs a name"),
        ({"…": ""}, "needs a name of a-z"),
        ([ListView("A", ""), ListView("a", "")], "two views are called 'a'"),
    ],
)
def test_a_wrong_view_stops_the_start(books: Database, views: Any, sentence: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=rf"list_views: .*{sentence}"):
        shelf_with(books, list_views=views)
