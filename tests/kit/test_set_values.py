"""Actions that set attributes: what they show, and what they change, all of it or nothing."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier
from typing import Any

import pytest
from sqladmin.exceptions import ImproperlyConfigured
from sqlalchemy import event, select
from starlette.testclient import TestClient

from admin.kit import Refused, SetValues
from models import Change, ChangeSet
from models.database import Database
from tests.databases import statements
from tests.kit.app import Book, BookAdmin, Publisher, make_app
from tests.kit.browser import form_on
from tests.kit.pages import Allow, sentence, store, texts
from tests.kit.recorded import begin_history, make_recorded
from tests.personas import visit

PATH = "/admin/book/action/"


def day() -> date:
    return date(1816, 1, 2)


class ShelfAdmin(BookAdmin, model=Book):
    form_columns = [Book.title, Book.subtitle, Book.pages, Book.printed_on, Book.publisher]
    actions = [
        SetValues("lend", "Lend", {"lendable": True, "shelf": 3}),
        SetValues(
            "print",
            "Print…",
            {"shelf": 1},
            fields=["printed_on"],
            initial={"printed_on": day},
        ),
        SetValues("move", "Move…", fields=["publisher"]),
        SetValues("shorten", "Shorten", {"pages": -1}),
    ]


@pytest.fixture
def recorded(library: Database) -> Database:
    recorded = begin_history(library)
    store(recorded, Book(title="Emma"), Book(title="Persuasion", lendable=True, shelf=3))
    return recorded


@pytest.fixture
def client(recorded: Database) -> TestClient:
    return visit(make_recorded(recorded, ShelfAdmin))


def asked(client: TestClient, name: str, *keys: str, **sent: Any) -> dict[str, list[str]]:
    page = client.post(PATH + name, data={"pks": keys or ("1", "2"), **sent})
    assert page.status_code == 200, sentence(page)
    return form_on(page.text)


def book(library: Database, key: int = 1) -> Book:
    return library.read(lambda session: session.get_one(Book, key))


def test_it_shows_what_will_be_changed_and_changes_nothing(
    client: TestClient, recorded: Database
) -> None:
    page = client.post(f"{PATH}lend", data={"pks": ["1", "2"]})
    cells = texts(r"<td>(.*?)</td>", page.text)
    assert [" ".join(cell.split()) for cell in cells] == [
        "– becomes→ Yes",
        "– becomes→ 3",
        "Yes",
        "3",
    ]
    assert book(recorded).lendable is None


def test_it_changes_what_differs_in_one_change_set(client: TestClient, recorded: Database) -> None:
    """A row that is so already keeps its version; the message counts the others."""
    sent = asked(client, "lend", _back="page=1")
    sets = recorded.read(lambda s: len(s.scalars(select(ChangeSet)).all()))
    answer = client.post(f"{PATH}lend", data=sent)
    assert answer.headers["location"] == "/admin/book/list?page=1"
    assert "1 book was changed." in client.get("/admin/book/list").text
    assert (book(recorded).lendable, book(recorded).shelf) == (True, 3)
    assert (book(recorded).version, book(recorded, 2).version) == (2, 1)
    found = recorded.read(lambda s: s.scalars(select(ChangeSet).order_by(ChangeSet.id)).all())
    assert len(found) == sets + 1
    assert (found[-1].source, found[-1].reason) == ("action", "Lend")
    changes = recorded.read(lambda s: s.scalars(select(Change)).all())
    assert [change.key for change in changes if change.action == "update"] == ["1"]


def test_it_can_be_undone(client: TestClient, recorded: Database) -> None:
    client.post(f"{PATH}lend", data=asked(client, "lend"))
    page = client.get("/admin/book/list").text
    undo = page.partition('class="undo" method="post" action="')[2].partition('"')[0]
    assert client.post(undo).status_code == 302
    assert (book(recorded).lendable, book(recorded).shelf) == (None, None)


def test_it_is_done_once(client: TestClient, recorded: Database) -> None:
    """A second request with the same key, after another change, does nothing."""
    sent = asked(client, "lend", "1")
    client.post(f"{PATH}lend", data=sent)
    recorded.write(lambda session: setattr(session.get_one(Book, 1), "lendable", False))
    assert client.post(f"{PATH}lend", data=sent).status_code == 302
    page = sentence(client.get("/admin/book/list"))
    assert "1 book was changed before; it was not done again." in page
    assert book(recorded).lendable is False


def test_two_at_once_are_one(client: TestClient, recorded: Database) -> None:
    sent, barrier = asked(client, "lend"), Barrier(2)

    def send(_number: int) -> int:
        barrier.wait()
        return visit(client.app).post(f"{PATH}lend", data=sent).status_code

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(send, range(2))) == [302, 302]
    assert book(recorded).version == 2


def test_a_row_that_changed_since_is_named(client: TestClient, recorded: Database) -> None:
    sent = asked(client, "lend")
    recorded.write(lambda session: setattr(session.get_one(Book, 1), "title", "Emma II"))
    answer = client.post(f"{PATH}lend", data=sent)
    assert answer.status_code == 409
    assert "Emma II" in sentence(answer)
    assert book(recorded).lendable is None


def test_nothing_to_change_is_said(client: TestClient) -> None:
    client.post(f"{PATH}lend", data=asked(client, "lend", "2"))
    assert "nothing was changed." in client.get("/admin/book/list").text


def test_it_asks_for_fields(client: TestClient, recorded: Database) -> None:
    """They start with what the declaration says, and are checked as in the form."""
    sent = asked(client, "print", "1")
    assert sent["printed_on"] == [day().isoformat()]
    wrong = client.post(f"{PATH}print", data={**sent, "printed_on": "soon", "_reason": "Because"})
    assert wrong.status_code == 400
    assert 'value="soon"' in wrong.text
    assert 'value="Because"' in wrong.text
    empty = client.post(f"{PATH}print", data={**sent, "printed_on": ""})
    assert "This field is required." in empty.text
    assert client.post(f"{PATH}print", data={**sent, "printed_on": "1815-12-23"}).status_code == 302
    assert (book(recorded).printed_on, book(recorded).shelf) == (date(1815, 12, 23), 1)


def test_a_relation_is_set_by_its_key(client: TestClient, recorded: Database) -> None:
    store(recorded, Publisher(name="Orion"))
    sent = asked(client, "move")
    assert client.post(f"{PATH}move", data={**sent, "publisher": "9"}).status_code == 400
    assert client.post(f"{PATH}move", data={**sent, "publisher": "1"}).status_code == 302
    assert {book(recorded, key).publisher_id for key in (1, 2)} == {1}


def test_a_refusal_of_the_database_changes_nothing(client: TestClient, recorded: Database) -> None:
    answer = client.post(f"{PATH}shorten", data=asked(client, "shorten"))
    assert answer.status_code == 400
    assert "A rule of the database doesn't allow this." in sentence(answer)
    assert book(recorded).pages is None


def test_it_leads_back_to_the_page_it_was_begun_on(client: TestClient) -> None:
    for page in ("details/1?search=e", "edit/1"):
        assert "/admin/book/action/lend" in client.get(f"/admin/book/{page}").text
        sent = asked(client, "lend", "1", _from=f"/admin/book/{page}")
        answer = client.post(f"{PATH}lend", data=sent)
        assert answer.headers["location"] == f"/admin/book/{page}"


@pytest.mark.parametrize("place", ["https://elsewhere.example/", "javascript:alert(1)"])
def test_it_leads_nowhere_else(client: TestClient, place: str) -> None:
    page = client.post(f"{PATH}lend", data={"pks": "1", "_from": place})
    assert place not in page.text
    answer = client.post(f"{PATH}lend", data={**form_on(page.text), "_from": place})
    assert answer.headers["location"] == "/admin/book/list"


def test_it_needs_the_right_to_edit(library: Database) -> None:
    """Without it there is no button, and the address answers 403."""
    store(library, Book(title="Emma"))
    rights = Allow("book:list", "book:details", "book:delete")
    viewer = visit(make_app(library, ShelfAdmin, authorization_backend=rights))
    assert viewer.post(f"{PATH}lend", data={"pks": "1", "confirmed": "yes"}).status_code == 403
    assert "/action/" not in viewer.get("/admin/book/list").text
    assert book(library).lendable is None


def test_it_asks_the_backend_about_each_row(library: Database) -> None:
    class NotTheSecond(Allow):
        def has_permission(self, request: Any, identity: str, action: str, obj: Any = None) -> bool:
            return obj is None or action != "edit" or obj.title != "Persuasion"

    store(library, Book(title="Emma"), Book(title="Persuasion"))
    client = visit(make_app(library, ShelfAdmin, authorization_backend=NotTheSecond()))
    assert client.post(f"{PATH}lend", data=asked(client, "lend")).status_code == 403
    assert client.post(f"{PATH}lend", data=asked(client, "lend", "1")).status_code == 302
    assert (book(library).lendable, book(library, 2).lendable) == (True, None)


def test_hooks_see_each_row_and_may_refuse(library: Database) -> None:
    after: list[str] = []

    class Hooked(ShelfAdmin, model=Book):
        async def on_model_change(
            self, data: Any, model: Any, is_created: bool, request: Any
        ) -> None:
            if model.title == "Kept":
                raise Refused("Not this one.")
            data["subtitle"] = f"{model.title} lent"

        async def after_model_change(
            self, data: Any, model: Any, is_created: bool, request: Any
        ) -> None:
            after.append(model.title)

    store(library, Book(title="Emma"), Book(title="Kept"))
    client = visit(make_app(library, Hooked))
    answer = client.post(f"{PATH}lend", data=asked(client, "lend"))
    assert "Not this one." in sentence(answer)
    assert (book(library).lendable, after) == (None, [])
    assert client.post(f"{PATH}lend", data=asked(client, "lend", "1")).status_code == 302
    assert (book(library).subtitle, after) == ("Emma lent", ["Emma"])


@pytest.mark.parametrize("name", ["before_update", "after_update"])
def test_events_of_the_model_see_each_row(library: Database, name: str) -> None:
    seen: list[str] = []

    def listen(_mapper: Any, _connection: Any, target: Book) -> None:
        seen.append(target.title)

    store(library, Book(title="Emma"), Book(title="Persuasion"))
    client = visit(make_app(library, ShelfAdmin))
    event.listen(Book, name, listen)
    try:
        client.post(f"{PATH}lend", data=asked(client, "lend"))
    finally:
        event.remove(Book, name, listen)
    assert seen == ["Emma", "Persuasion"]


def test_a_thousand_rows_take_as_many_statements_as_ten(library: Database) -> None:
    store(library, *[Book(title=f"{n}") for n in range(900)])
    client = visit(make_app(library, ShelfAdmin))
    counts = []
    for keys in (range(1, 11), range(11, 901)):
        sent = asked(client, "lend", *map(str, keys))
        with statements(library) as run:
            assert client.post(f"{PATH}lend", data=sent).status_code == 302
        counts.append(len(run))
    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        (SetValues("x", "X", {"nothing": 1}), "'nothing' does not exist on Book."),
        (SetValues("x", "X", fields=["lendable"]), "'lendable' is not one of the form's columns."),
        (SetValues("x", "X", {"pages": 1}, places=["menu"]), "'menu' is no place for an action."),
        (SetValues("x", "X"), "it sets nothing."),
    ],
)
def test_a_wrong_declaration_stops_the_start(declared: SetValues, said: str) -> None:
    class Wrong(ShelfAdmin, model=Book):
        actions = [declared]

    with pytest.raises(ImproperlyConfigured, match=said):
        Wrong()
