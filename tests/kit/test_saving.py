"""Saving leads where the button says, and says what was stored."""

from typing import Any

import pytest
from sqlalchemy import exc
from starlette.testclient import TestClient

from admin.kit import ModelAdmin
from models.database import Database
from tests.kit.app import Book, BookAdmin, Chapter, Publisher, make_app
from tests.kit.browser import form_on
from tests.personas import visit


@pytest.mark.parametrize(
    ("button", "place"),
    [
        ("Save", "/admin/publisher/list"),
        ("Save and continue editing", "/admin/publisher/edit/1"),
        ("Save and add another", "/admin/publisher/create"),
        ("anything else", "/admin/publisher/list"),
    ],
)
def test_the_buttons_lead_somewhere(client: TestClient, button: str, place: str) -> None:
    answer = client.post("/admin/publisher/create", data={"name": "Murray", "save": button})
    assert (answer.status_code, answer.headers["location"]) == (302, place)


def test_it_says_what_was_stored(client: TestClient) -> None:
    client.post("/admin/publisher/create", data={"name": "Murray"})
    page = client.get("/admin/publisher/list").text
    assert 'The publisher <a class="alert-link" href="/admin/publisher/edit/1">“Murray”</a>' in page
    assert "was added." in page


def test_it_goes_back_to_the_place_in_the_list(library: Database, client: TestClient) -> None:
    library.write(lambda session: session.add(Publisher(name="Murray")))
    path = "/admin/publisher/edit/1?page=3&search=m%26m"
    answer = client.post(path, data={"name": "Egerton"})
    assert answer.headers["location"] == "/admin/publisher/list?page=3&search=m%26m"


def test_a_relation_is_shown_chosen_and_emptied(library: Database, client: TestClient) -> None:
    """The picker's input holds the key, the hint beside it the name."""
    library.write(lambda s: s.add_all([Publisher(name="Murray"), Publisher(name="Egerton")]))
    client.post("/admin/book/create", data={"title": "Emma", "publisher": "1"})
    page = client.get("/admin/book/edit/1").text
    assert 'data-chosen="Murray"' in page
    sent = form_on(page)
    assert sent["publisher"] == ["1"]
    for key in ("2", ""):
        client.post("/admin/book/edit/1", data={"publisher": key})
        stored = library.read(lambda session: session.get_one(Book, 1).publisher_id)
        assert stored == (int(key) if key else None)


def test_a_relation_that_must_be_set_is_required(client: TestClient) -> None:
    answer = client.post("/admin/cover/create", data={"artist": "Ann", "book": ""})
    assert answer.status_code == 400
    assert 'id="book-error">This field is required.' in answer.text


def test_the_name_of_a_related_row_may_need_other_rows(library: Database) -> None:
    """A form shows it all the same, after its session is closed."""

    class ChapterWithBook(ModelAdmin, model=Chapter):
        form_columns = [Chapter.heading, Chapter.book]
        form_ajax_refs = {"book": {"fields": ("title",)}}

    book = Book(title="Emma", publisher=Publisher(name="Murray"))
    library.write(lambda s: s.add(Chapter(book=book, slug="one", heading="One")))
    client = visit(make_app(library, ChapterWithBook))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Book, "__str__", lambda self: f"{self.title} by {self.publisher}")
        page = client.get("/admin/chapter/edit/1%3Bone")
        assert 'data-chosen="Emma by Murray"' in page.text
        assert client.post("/admin/chapter/edit/1%3Bone", data={"heading": "1"}).status_code == 302


def test_an_empty_text_becomes_null_where_it_may(library: Database, client: TestClient) -> None:
    library.write(lambda session: session.add(Book(title="Emma", subtitle="x", summary="x")))
    client.post("/admin/book/edit/1", data={"subtitle": "", "summary": ""})
    book = library.read(lambda session: session.get_one(Book, 1))
    assert (book.subtitle, book.summary) == (None, "")


@pytest.mark.parametrize(
    "path", ["edit/99", "edit/abc", "edit/1%2F", "edit/1%00", "edit/" + "9" * 30]
)
def test_what_does_not_exist_can_not_be_saved(client: TestClient, path: str) -> None:
    assert client.post(f"/admin/book/{path}", data={"title": "x"}).status_code == 404
    assert client.get(f"/admin/book/{path}").status_code == 404


def test_a_row_outside_the_scope_can_not_be_saved(library: Database) -> None:
    class Scoped(BookAdmin, model=Book):
        def scope(self, stmt: Any, request: Any) -> Any:
            return stmt.where(Book.title != "Hidden")

    library.write(lambda session: session.add(Book(title="Hidden")))
    client = visit(make_app(library, Scoped))
    assert client.get("/admin/book/edit/1").status_code == 404
    assert client.post("/admin/book/edit/1", data={"title": "x"}).status_code == 404


def test_a_forbidden_row_can_not_be_saved(library: Database) -> None:
    class Careful(BookAdmin, model=Book):
        async def check_can_edit(self, request: Any, model: Any) -> bool:
            return model is None or model.title != "Kept"

    library.write(lambda session: session.add(Book(title="Kept")))
    client = visit(make_app(library, Careful))
    assert client.post("/admin/book/edit/1", data={"title": "x"}).status_code == 403
    assert library.read(lambda session: session.get_one(Book, 1).title) == "Kept"


def test_a_row_without_permission_to_create_is_not_created(library: Database) -> None:
    class Closed(BookAdmin, model=Book):
        can_create = False

    client = visit(make_app(library, Closed))
    assert client.get("/admin/book/create").status_code == 403
    assert client.post("/admin/book/create", data={"title": "x"}).status_code == 403


def gone(*_work: object, **_options: object) -> None:
    raise exc.OperationalError("UPDATE", {}, Exception("server closed the connection"))


@pytest.mark.parametrize("name", ["delete", "edit"])
def test_what_was_sent_survives_a_database_that_is_away_from_the_start(
    library: Database, client: TestClient, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Where not even the form can be shown, a page keeps all of it to be sent again."""
    for work in ("read", "write"):
        monkeypatch.setattr(library, work, gone)
    path = f"/admin/publisher/{name}/1" if name == "edit" else "/admin/publisher/delete"
    answer = client.post(path, data={"name": "typed", "pks": ["1", "2"]})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    kept = form_on(answer.text)
    assert kept.pop("_operation")
    assert kept == {"name": ["typed"], "pks": ["1", "2"]}


def test_typed_text_survives_a_database_that_is_away(
    library: Database, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes back with status 503, so that it can be sent again."""
    monkeypatch.setattr(library, "write", gone)
    answer = client.post("/admin/publisher/create", data={"name": "typed"})
    assert answer.status_code == 503
    assert form_on(answer.text)["name"] == ["typed"]
    assert "The database can&#39;t be reached at the moment." in answer.text
