"""Actions change ticked rows: by POST, for whom they are allowed, after asking if declared so."""

import threading
from typing import Any

import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from admin.kit import ModelAdmin, Refused, action
from models.database import Database
from tests.kit.app import Book, BookAdmin, make_app
from tests.kit.browser import form_on
from tests.personas import visit

THREADS: list[str] = []


class ActiveAdmin(BookAdmin, model=Book):
    def scope(self, stmt: Any, request: Any) -> Any:
        return stmt.where(Book.title != "Hidden")

    def has_permission(self, request: Any, action: str, obj: Any = None) -> bool:
        return action != "action:secret"

    @action(name="lend", label="Lend")
    async def lend(self, request: Any) -> None:
        def change(session: Any, books: list[Book]) -> None:
            for book in books:
                book.lendable = True

        await self.selected_objects(request, change)

    @action(name="burn", label="Burn", confirmation_message="Burn the books?")
    async def burn(self, request: Any) -> PlainTextResponse:
        return PlainTextResponse("Burnt.")

    @action(name="count", label="Count")
    def count(self, request: Any) -> None:
        THREADS.append(threading.current_thread().name)

    @action(name="secret", label="Secret")
    async def secret(self, request: Any) -> None:
        raise AssertionError

    @action(name="refuse", label="Refuse")
    async def refuse(self, request: Any) -> None:
        raise Refused("Not on a Sunday.")


@pytest.fixture
def reader(library: Database) -> TestClient:
    library.write(lambda s: s.add_all([Book(title=t) for t in ("Emma", "Persuasion", "Hidden")]))
    return visit(make_app(library, ActiveAdmin))


def run(client: TestClient, slug: str, *keys: str, **sent: str) -> Any:
    return client.post(f"/admin/book/action/{slug}", data={"pks": list(keys), **sent})


def lent(library: Database) -> list[str]:
    query = library.read(
        lambda s: s.query(Book).filter(Book.lendable.is_(True)).order_by(Book.id).all()
    )
    return [book.title for book in query]


def test_it_changes_the_ticked_rows(library: Database, reader: TestClient) -> None:
    """It leads back to the place in the list."""
    answer = run(reader, "lend", "1", "2", _back="page=2&search=x")
    assert answer.headers["location"] == "/admin/book/list?page=2&search=x"
    assert lent(library) == ["Emma", "Persuasion"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_only_a_post_runs_it(library: Database, reader: TestClient, method: str) -> None:
    assert reader.request(method, "/admin/book/action/lend?pks=1").status_code == 405
    assert lent(library) == []


@pytest.mark.parametrize("keys", [["3"], ["1", "3"], ["1", "99"], ["abc"], ["1;2"]])
def test_a_row_that_is_hidden_or_missing_stops_it(
    library: Database, reader: TestClient, keys: list[str]
) -> None:
    assert run(reader, "lend", *keys).status_code == 404
    assert lent(library) == []


def test_nothing_selected_is_a_warning(library: Database, reader: TestClient) -> None:
    answer = run(reader, "lend", _back="page=2")
    assert answer.headers["location"] == "/admin/book/list?page=2"
    assert "Nothing was selected, so nothing was changed." in reader.get("/admin/book/list").text


def test_it_asks_first_if_it_was_declared_so(reader: TestClient) -> None:
    """The page that asks sends the same rows again, with the answer."""
    page = run(reader, "burn", "1", "2", _back="page=2")
    assert page.status_code == 200
    assert "Burn the books?" in page.text
    sent = form_on(page.text)
    assert (sent["pks"], sent["_back"]) == (["1", "2"], ["page=2"])
    assert reader.post("/admin/book/action/burn", data=sent).text == "Burnt."


def test_a_plain_function_does_not_hold_up_other_requests(reader: TestClient) -> None:
    """It runs in a worker thread."""
    THREADS.clear()
    assert run(reader, "count", "1").status_code == 302
    assert THREADS
    assert "AnyIO worker thread" in THREADS[0]


def test_it_needs_its_own_permission(reader: TestClient) -> None:
    """Without it there is no button, and the address answers 403."""
    assert run(reader, "secret", "1").status_code == 403
    for page in ("list", "details/1"):
        text = reader.get(f"/admin/book/{page}").text
        assert "/admin/book/action/lend" in text
        assert "/admin/book/action/secret" not in text


def test_it_may_refuse(reader: TestClient) -> None:
    answer = run(reader, "refuse", "1")
    assert (answer.status_code, "Not on a Sunday." in answer.text) == (400, True)


def test_it_needs_the_right_to_edit_each_row(library: Database) -> None:
    class Careful(ActiveAdmin, model=Book):
        async def check_can_edit(self, request: Any, model: Any) -> bool:
            return model is None or model.title != "Persuasion"

    library.write(lambda s: s.add_all([Book(title=t) for t in ("Emma", "Persuasion")]))
    assert run(visit(make_app(library, Careful)), "lend", "1", "2").status_code == 403
    assert lent(library) == []


def test_a_start_asks_no_property_of_a_view(library: Database) -> None:
    asked: list[ModelAdmin] = []

    class Curious(BookAdmin, model=Book):
        @property
        def opinion(self) -> str:
            asked.append(self)
            return "Good."

    make_app(library, Curious)
    assert asked == []
