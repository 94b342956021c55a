"""“Change fields…” changes the same fields of many rows, after a look at what will be changed."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from admin.kit.actions.bulk_edit import offered
from models.database import Database
from tests.databases import Sqlite
from tests.kit.app import Book, BookAdmin, Publisher, PublisherAdmin, make_app
from tests.kit.browser import form_on
from tests.kit.pages import Allow, sentence, store, texts
from tests.kit.recorded import begin_history, make_recorded
from tests.personas import visit

PATH = "/admin/book/action/change"


class ShelfAdmin(BookAdmin, model=Book):
    form_columns = [Book.title, Book.subtitle, Book.pages, Book.lendable, Book.publisher]
    form_readonly_columns = [Book.price]


@pytest.fixture
def client(library: Database) -> TestClient:
    recorded = begin_history(library)
    store(recorded, *[Book(title=name, pages=100) for name in ("Emma", "Persuasion", "Sanditon")])
    return visit(make_recorded(recorded, ShelfAdmin, PublisherAdmin))


def opened(client: TestClient, *keys: str, **selected: Any) -> dict[str, Any]:
    """Open the page and leave it untouched."""
    return form_on(client.post(PATH, data={"pks": keys or ("1", "2"), **selected}).text)


def pages(library: Database) -> list[int | None]:
    return library.read(lambda s: [b.pages for b in s.query(Book).order_by(Book.id)])


def test_it_offers_the_forms_fields_and_no_other(client: TestClient) -> None:
    page = client.post(PATH, data={"pks": "1"})
    assert texts(r"<label [^>]*for=\"_change-.*?>(.*?)</label>", page.text) == [
        "Change Title",
        "Change Subtitle",
        "Change Pages",
        "Change Lendable",
        "Change Publisher",
    ]


def test_it_shows_before_it_changes(client: TestClient, library: Database) -> None:
    sent = {**opened(client), "pages": "7", "subtitle": "ignored", "_change": "pages"}
    look = client.post(PATH, data=sent)
    assert (look.status_code, pages(library)) == (200, [100, 100, 100])
    assert [" ".join(t.split()) for t in texts("<td>(.*?)</td>", look.text)] == [
        "100 becomes→ 7"
    ] * 2
    answer = client.post(PATH, data={**form_on(look.text), "_change": "pages"})
    assert (answer.status_code, pages(library)) == (302, [7, 7, 100])
    assert "2 books were changed." in client.get("/admin/book/list").text


def test_other_values_than_were_shown_are_shown_first(
    client: TestClient, library: Database
) -> None:
    sent = {**opened(client), "pages": "7", "_change": "pages"}
    shown = form_on(client.post(PATH, data=sent).text)
    again = client.post(PATH, data={**shown, "pages": "8", "_change": "pages"})
    assert (again.status_code, pages(library)) == (200, [100, 100, 100])
    client.post(PATH, data={**form_on(again.text), "_change": "pages"})
    assert pages(library) == [8, 8, 100]


def test_all_that_match_may_be_changed(client: TestClient, library: Database) -> None:
    sent = {**opened(client, _all="1", _back="search=s"), "pages": "7", "_change": "pages"}
    shown = form_on(client.post(PATH, data=sent).text)
    client.post(PATH, data={**shown, "_change": "pages"})
    assert pages(library) == [100, 100, 7]


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"pages": "7"}, "Tick the fields that you want to change."),
        ({"_change": "pages", "pages": "many"}, "Please correct the errors below."),
        ({"_change": "title", "title": ""}, "This field is required."),
        ({"_change": "price", "price": "1"}, "Tick the fields that you want to change."),
        ({"_change": "barcode", "barcode": "1"}, "Tick the fields that you want to change."),
        ({"_change": "publisher", "publisher": "99"}, "Choose one that exists."),
    ],
)
def test_mistakes_are_said_and_what_was_typed_is_kept(
    client: TestClient, library: Database, sent: dict[str, str], said: str
) -> None:
    answer = client.post(PATH, data={**opened(client), **sent})
    assert answer.status_code == 400
    assert said in sentence(answer)
    assert f'value="{sent.get("pages", "")}"' in answer.text
    assert pages(library) == [100, 100, 100]


def test_a_field_may_be_emptied(client: TestClient, library: Database) -> None:
    sent = {**opened(client), "pages": "", "_change": "pages"}
    shown = form_on(client.post(PATH, data=sent).text)
    client.post(PATH, data={**shown, "_change": "pages"})
    assert pages(library) == [None, None, 100]


def test_a_rule_of_the_database_refuses_all(client: TestClient, library: Database) -> None:
    sent = {**opened(client), "pages": "-7", "_change": "pages"}
    shown = form_on(client.post(PATH, data=sent).text)
    assert client.post(PATH, data={**shown, "_change": "pages"}).status_code == 400
    assert pages(library) == [100, 100, 100]


def test_what_no_two_rows_may_share_is_not_offered(sqlite: Sqlite) -> None:
    assert offered(PublisherAdmin()) == []


def test_it_is_hidden_from_and_refused_to_those_who_may_not_edit(library: Database) -> None:
    store(library, Book(title="Emma", pages=100), Publisher(name="Orion"))
    viewer = visit(make_app(library, ShelfAdmin, authorization_backend=Allow("book:list")))
    assert "Change fields" not in viewer.get("/admin/book/list").text
    assert viewer.post(PATH, data={"pks": "1"}).status_code == 403
