"""Lists of the toy that are edited, and the operators who do it."""

import json
from typing import Any

from httpx2 import Response
from sqlalchemy import Select, select
from starlette.requests import Request
from starlette.testclient import TestClient

from admin.kit import ModelAdmin, Refused
from models.database import Database
from tests.kit.app import Book, EveryoneIsOlga
from tests.kit.browser import form_on
from tests.kit.recorded import make_recorded
from tests.pages import Page
from tests.personas import visit

LIST, SHEET, CELLS = "/admin/book/list", "/admin/book/list?_edit=1", "/admin/book/cells"
Sent = dict[str, list[str]]


class WhoeverTheySay(EveryoneIsOlga):
    """Takes the operator's name from a header."""

    async def identify(self, request: Request) -> bool:
        request.state.operator_name = request.headers.get("x-operator", "olga")
        return True


class SheetAdmin(ModelAdmin, model=Book):
    """All kinds of columns, a rule of its own, a book that stays as it is, and one unseen."""

    column_list = [
        Book.title,
        Book.subtitle,
        Book.pages,
        Book.lendable,
        Book.binding,
        Book.price,
        Book.printed_on,
        Book.acquired_at,
        Book.publisher,
        Book.shelf,
    ]
    column_editable_list = [
        Book.title,
        Book.subtitle,
        Book.pages,
        Book.lendable,
        Book.binding,
        Book.price,
        Book.printed_on,
        Book.acquired_at,
        Book.publisher,
    ]
    column_sortable_list = [Book.title, Book.pages]
    column_searchable_list = [Book.title]
    form_ajax_refs = {"publisher": {"fields": ("name",), "order_by": "name"}}
    page_size_options = [2, 250]

    def scope(self, stmt: Select[Any], request: Request) -> Select[Any]:
        return stmt.where(Book.title != "Hidden")

    async def check_can_edit(self, request: Request, model: Any) -> bool:
        return await super().check_can_edit(request, model) and model.title != "Locked"

    async def on_model_change(
        self, data: dict[str, Any], model: Any, is_created: bool, request: Request
    ) -> None:
        if data.get("title") == "Forbidden":
            raise Refused("Not this title.", field="title")


def open_sheets(library: Database) -> tuple[TestClient, TestClient]:
    """Seat Olga and Vera at the same list."""
    app = make_recorded(library, SheetAdmin, authentication_backend=WhoeverTheySay())
    olga, vera = visit(app), visit(app)
    olga.headers["x-operator"], vera.headers["x-operator"] = "olga", "vera"
    return olga, vera


def opened(client: TestClient, query: str = "") -> Sent:
    """Open the list to edit it; return what the form would send."""
    page = client.get(f"{SHEET}{query}")
    assert page.status_code == 200, page.text
    return form_on(page.text)


def typed(sent: Sent, book: Book | str, **changes: str) -> Sent:
    """Type into cells of a row."""
    prefix = prefix_of(sent, book if isinstance(book, str) else str(book.id))
    return {**sent, **{f"{prefix}-{name}": [value] for name, value in changes.items()}}


def prefix_of(sent: Sent, key: str) -> str:
    rows = [json.loads(told) for told in sent["_row"]]
    (prefix,) = [row[0] for row in rows if row[1] == key]
    return str(prefix)


def keep(sent: Sent, name: str, choice: str) -> Sent:
    """Choose a version of each cell of a column that collided."""
    asked = [json.loads(told)[0] for told in sent["_row"] if name in json.loads(told)[3]]
    return {**sent, **{f"_keep-{prefix}-{name}": [choice] for prefix in asked}}


def save(client: TestClient, sent: Sent, query: str = "") -> Response:
    return client.post(f"{CELLS}{query}", data=sent)


def cell(client: TestClient, book: Book, name: str) -> tuple[str, Sent]:
    """Open one cell as the script does; return its address and what it would send."""
    path = f"/admin/book/cell/{book.id}?name={name}"
    return path, editor(client.get(path))


def editor(response: Response) -> Sent:
    """Return what the inputs of an open cell would send."""
    return form_on(f"<form>{response.json()['editor']}</form>")


def errors(response: Response) -> list[str]:
    """Return the sentences at the cells."""
    found = Page(response).root.find("div", **{"class": "invalid-feedback"})
    return [sentence.text for sentence in found]


def books(library: Database) -> dict[int, Book]:
    """Return the stored books by key."""
    rows = library.read(lambda session: session.scalars(select(Book)).all())
    return {book.id: book for book in rows}
