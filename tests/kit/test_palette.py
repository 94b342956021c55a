"""The search over every list, on views that hide, forbid, take their time or have odd keys."""

import threading
import time
from typing import Any

import anyio.to_thread
import pytest
from httpx2 import ASGITransport, AsyncClient
from sqlalchemy import Select
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.types import Message

from admin.kit import ModelAdmin, palette
from models.database import Database
from tests.databases import statements
from tests.kit.app import (
    Book,
    BookAdmin,
    Chapter,
    ChapterAdmin,
    Publisher,
    PublisherAdmin,
    Tag,
    TagAdmin,
    make_app,
)
from tests.kit.pages import Allow, store
from tests.personas import visit

JSON = {"Accept": "application/json"}


class Short(BookAdmin, model=Book):
    """Hides long books."""

    def scope(self, stmt: Select[Any], request: Request) -> Select[Any]:
        return stmt.where(Book.pages < 100)


class Slow(PublisherAdmin, model=Publisher):
    """Takes its time."""

    def list_query(self, request: Request) -> Select[Any]:
        time.sleep(0.05)
        return super().list_query(request)


class Unlisted(PublisherAdmin, model=Publisher):
    def is_accessible(self, request: Request) -> bool:
        return False


class Tags(TagAdmin, model=Tag):
    column_searchable_list = [Tag.id]


class Chapters(ChapterAdmin, model=Chapter):
    column_searchable_list = [Chapter.heading]


class Nameless(ModelAdmin, model=Book):
    column_list = [Book.subtitle]
    column_searchable_list = [Book.title]
    form_columns = [Book.title]


@pytest.fixture
def books(library: Database) -> Database:
    orion = Publisher(name="Orion")
    long = Book(title="Orion the Long", pages=900, publisher=orion)
    short = Book(title="Orion the Short", pages=90, publisher=orion)
    store(library, long, short, Tag(id="Orion; a 50% tag"), Tag(id="x"))
    store(library, Chapter(book_id=short.id, slug="a;b", heading="Orion rises"))
    return library


def ask(app: Starlette, term: str) -> dict[str, Any]:
    response = visit(app).get("/admin/search", params={"q": term}, headers=JSON)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def found(app: Starlette, term: str) -> list[str]:
    return [hit["label"] for group in ask(app, term)["groups"] for hit in group["hits"]]


def open_all(app: Starlette, term: str) -> list[int]:
    hits = [hit for group in ask(app, term)["groups"] for hit in group["hits"]]
    client = visit(app)
    return [client.get(hit["url"]).status_code for hit in hits]


@pytest.mark.parametrize("term", ["orion", "1"])
def test_rows_outside_of_the_scope_are_not_found(books: Database, term: str) -> None:
    assert "Orion the Long" not in found(make_app(books, Short), term)
    assert "Orion the Long" in found(make_app(books, BookAdmin), term)


def test_models_that_may_not_be_listed_are_not_asked(books: Database) -> None:
    app = make_app(books, authorization_backend=Allow("publisher:list", "publisher:details"))
    with statements(books) as seen:
        assert found(app, "orion") == ["Orion"]
    assert len(seen) == 1


def test_a_view_that_is_not_accessible_is_not_asked(books: Database) -> None:
    assert found(make_app(books, Unlisted), "orion") == []


def test_what_may_be_listed_but_not_opened_leads_nowhere(books: Database) -> None:
    app = make_app(books, authorization_backend=Allow("publisher:list"))
    assert ask(app, "orion")["groups"][0]["hits"] == [{"label": "Orion", "detail": "", "url": ""}]
    page = visit(app).get("/admin/search?q=orion").text
    assert "<li>Orion</li>" in page


def test_a_model_without_a_search_is_left_out(books: Database) -> None:
    with statements(books) as seen:
        assert found(make_app(books, TagAdmin), "orion") == []
    assert seen == []


@pytest.mark.parametrize("term", ["orion", "Orion; a 50~p tag", "x"])
def test_keys_of_text_lead_to_their_rows(books: Database, term: str) -> None:
    assert open_all(make_app(books, Tags), term) == [200]


@pytest.mark.parametrize("term", ["rises", r"2;a\;b"])
def test_keys_of_two_columns_lead_to_their_rows(books: Database, term: str) -> None:
    assert open_all(make_app(books, Chapters, BookAdmin), term) == [200]


def test_a_row_whose_first_column_is_empty_is_called_by_its_key(books: Database) -> None:
    assert found(make_app(books, Nameless), "long") == ["1"]


def test_models_come_in_menu_order(books: Database) -> None:
    class Library(PublisherAdmin, model=Publisher):
        category = "Library"

    class Stock(Tags, model=Tag):
        category = "Library"

    groups = ask(make_app(books, Library, BookAdmin, Stock), "orion")["groups"]
    assert [group["label"] for group in groups] == ["Publishers", "Tags", "Books"]


def test_no_further_model_is_asked_once_time_is_up(
    books: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(books, Slow, BookAdmin)
    assert "more may exist" not in visit(app).get("/admin/search?q=orion").text
    monkeypatch.setattr(palette, "MOST_SECONDS", 0.01)
    answer = ask(app, "orion")
    assert [group["label"] for group in answer["groups"]] == ["Publishers"]
    assert not answer["is_complete"]
    assert "more may exist" in visit(app).get("/admin/search?q=orion").text


def test_the_label_of_a_relation_takes_no_statement_of_its_own(books: Database) -> None:
    with statements(books) as seen:
        assert len(found(make_app(books, BookAdmin), "orion")) == 2
    assert len(seen) == 1


def test_slow_searches_leave_threads_to_the_pages(library: Database) -> None:
    """However many are under way, a list is opened meanwhile."""
    is_asked, is_over = threading.Event(), threading.Event()

    class Endless(BookAdmin, model=Book):
        def search_query(self, stmt: Select[Any], term: str) -> Select[Any]:
            is_asked.set()
            is_over.wait(10)
            return super().search_query(stmt, term)

    async def open_a_list() -> int:
        browser = AsyncClient(transport=ASGITransport(app), base_url="http://testserver")
        async with browser, anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(browser.get, "/admin/search?q=emma")
            await anyio.to_thread.run_sync(is_asked.wait)
            with anyio.move_on_after(5):
                page = await browser.get("/admin/publisher/list")
            is_over.set()
        return page.status_code

    app = make_app(library, Endless, PublisherAdmin, threads=2)
    assert anyio.run(open_a_list) == 200


def test_a_search_that_nobody_waits_for_is_not_run(library: Database) -> None:
    app = make_app(library, BookAdmin)

    async def gone() -> Message:
        return {"type": "http.disconnect"}

    request = Request({"type": "http", "headers": [], "state": {}}, gone)
    with statements(library) as seen:
        results = anyio.run(palette.find, app.state.site, request, "emma")
    assert (results.is_complete, seen) == (False, [])
