"""A view's scope: rows outside of it answer exactly as rows that don't exist."""

from typing import Any

import pytest
from sqlalchemy import Select, select
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.testclient import TestClient

from admin.kit import ModelAdmin, RelatedFilter, action
from models.database import Database
from tests.kit.app import Book, Publisher, PublisherAdmin, make_app
from tests.kit.pages import cells, fields, keys, store
from tests.personas import visit

HIDDEN, MISSING = "1", "99"


class OpenBooks(ModelAdmin, model=Book):
    column_list = [Book.title]
    column_searchable_list = [Book.title]
    column_filters = [RelatedFilter(Book.publisher)]
    form_columns = [Book.title, Book.publisher]
    form_ajax_refs = {"publisher": {"fields": ("name",)}}

    def scope(self, stmt: Select[Any], request: Request) -> Select[Any]:
        return stmt.where(Book.title != "Hidden")

    @action("shout", "Shout")
    async def shout(self, request: Request) -> None:
        def change(session: Session, books: list[Book]) -> None:
            for book in books:
                book.title = book.title.upper()

        await self.selected_objects(request, change)


class OpenPublishers(PublisherAdmin, model=Publisher):
    def scope(self, stmt: Select[Any], request: Request) -> Select[Any]:
        return stmt.where(Publisher.name != "Secret")


@pytest.fixture
def client(library: Database) -> TestClient:
    """Open a browser at a shelf of one hidden and one open book of the same publisher."""
    orion = Publisher(name="Orion")
    store(library, Book(title="Hidden", publisher=orion))
    store(library, Book(title="Open", publisher=orion), Publisher(name="Secret"))
    return visit(make_app(library, OpenBooks, OpenPublishers))


def titles(library: Database) -> set[str]:
    with Session(library.writer) as session:
        return set(session.scalars(select(Book.title)))


@pytest.mark.parametrize("query", ["", "?search=hidden", "?search=n", "?publisher=1", "?page=9"])
def test_lists_and_their_counts_leave_them_out(client: TestClient, query: str) -> None:
    page = client.get(f"/admin/book/list{query}")
    assert HIDDEN not in keys(page)
    assert "of 2" not in page.text
    assert "Hidden" not in {row[0] for row in cells(page)}


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_exports_leave_them_out(client: TestClient, kind: str) -> None:
    text = client.get(f"/admin/book/export/{kind}").text
    assert "Open" in text
    assert "Hidden" not in text


def test_related_counts_leave_them_out(client: TestClient) -> None:
    assert fields(client.get("/admin/publisher/details/1"))["Books"] == "1"


def test_pickers_and_forms_leave_them_out(client: TestClient) -> None:
    assert "Secret" not in client.get("/admin/book/ajax/lookup?name=publisher&term=e").text
    for key in ("2", MISSING):
        answer = client.post("/admin/book/edit/2", data={"publisher": key})
        assert answer.status_code == 400
        assert "Choose one that exists." in answer.text


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "details/{}"),
        ("HEAD", "details/{}"),
        ("GET", "edit/{}"),
        ("POST", "edit/{}"),
        ("GET", "delete?pks={}"),
        ("GET", "delete?pks=2,{}"),
        ("POST", "delete"),
        ("POST", "action/shout"),
    ],
)
def test_they_answer_as_if_they_did_not_exist(
    client: TestClient, library: Database, method: str, path: str
) -> None:
    def ask(key: str) -> tuple[int, str]:
        sent = {"pks": ["2", key], "title": "Taken", "_back": "", "_operation": "a key"}
        data = sent if method == "POST" else None
        answer = client.request(method, f"/admin/book/{path.format(key)}", data=data)
        # What was asked for and sent is kept on the page.
        text = answer.text.replace(path.format(key), "").replace(f'value="{key}"', "")
        return answer.status_code, text

    assert ask(HIDDEN) == ask(MISSING)
    assert ask(HIDDEN)[0] == 404
    assert titles(library) == {"Hidden", "Open"}
