"""Editing in the list: all rows of a page, or one cell, by the rules of the edit form."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqladmin.exceptions import ImproperlyConfigured
from sqlalchemy import delete, func, insert, select, update
from starlette.testclient import TestClient

from admin.kit import ModelAdmin
from models import Change, ChangeSet
from models.database import Database
from tests.databases import statements
from tests.kit.app import Binding, Book, Publisher, PublisherAdmin, make_app
from tests.kit.browser import form_on
from tests.kit.pages import Allow, cells, follow, keys, store
from tests.kit.recorded import begin_history
from tests.kit.sheets import (
    CELLS,
    LIST,
    SHEET,
    SheetAdmin,
    books,
    cell,
    editor,
    errors,
    keep,
    open_sheets,
    opened,
    prefix_of,
    save,
    typed,
)
from tests.pages import Page
from tests.personas import visit

NOON = datetime(2026, 3, 4, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
def library(library: Database) -> Database:
    return begin_history(library)


@pytest.fixture
def emma(library: Database) -> Book:
    house = Publisher(name="Murray")
    emma = Book(
        title="Emma",
        subtitle="A novel\rin volumes",
        pages=300,
        lendable=True,
        binding=Binding.PAPERBACK,
        price=Decimal("12.50"),
        printed_on=date(1815, 12, 23),
        acquired_at=NOON,
        publisher=house,
    )
    store(library, house, Publisher(name="Egerton"), emma)
    return emma


@pytest.fixture
def walden(library: Database) -> Book:
    walden = Book(title="Walden", pages=200)
    store(library, walden)
    return walden


@pytest.fixture
def seats(library: Database, emma: Book, walden: Book) -> tuple[TestClient, TestClient]:
    return open_sheets(library)


@pytest.fixture
def olga(seats: tuple[TestClient, TestClient]) -> TestClient:
    return seats[0]


@pytest.fixture
def vera(seats: tuple[TestClient, TestClient]) -> TestClient:
    return seats[1]


def change_sets(library: Database) -> int:
    stmt = select(func.count(ChangeSet.id)).where(ChangeSet.source == "cell")
    return library.read(lambda session: session.scalar(stmt)) or 0


def fill_up(library: Database, titles: list[str]) -> None:
    stmt = insert(Book).execution_options(unrecorded=True)
    rows = [{"title": title, "summary": "", "version": 1} for title in titles]
    library.write(lambda session: session.execute(stmt, rows))


def alerts(client: TestClient) -> list[str]:
    return Page(client.get(LIST)).alerts


# A page of rows


def test_changed_rows_are_stored_in_one_change_set(
    olga: TestClient, library: Database, emma: Book, walden: Book
) -> None:
    sent = typed(typed(opened(olga), emma, title="Persuasion"), walden, pages="250")
    assert save(olga, sent).status_code == 302
    assert alerts(olga) == ["2 books were changed."]
    stored = books(library)
    assert (stored[emma.id].title, stored[walden.id].pages) == ("Persuasion", 250)
    assert change_sets(library) == 1


def test_what_nobody_touched_is_not_stored(olga: TestClient, library: Database, emma: Book) -> None:
    """Each kind of column is sent back as a browser sends it, and is the same."""
    assert save(olga, opened(olga)).status_code == 302
    assert alerts(olga) == ["Nothing was changed."]
    assert change_sets(library) == 0
    (stored, was) = books(library)[emma.id], emma
    assert (stored.version, stored.subtitle, stored.acquired_at) == (1, was.subtitle, NOON)


def test_the_message_undoes_all_rows(
    olga: TestClient, library: Database, emma: Book, walden: Book
) -> None:
    save(olga, typed(typed(opened(olga), emma, title="One"), walden, title="Two"))
    (form,) = Page(olga.get(LIST)).root.find("form", **{"class": "undo"})
    olga.post(form.attributes["action"])
    assert sorted(book.title for book in books(library).values()) == ["Emma", "Walden"]


def test_one_row_is_named(olga: TestClient, emma: Book) -> None:
    save(olga, typed(opened(olga), emma, title="Persuasion"))
    assert alerts(olga) == ["The book “Persuasion” was changed."]


def test_the_history_says_it_was_a_cell(olga: TestClient, library: Database, emma: Book) -> None:
    save(olga, typed(opened(olga), emma, title="Persuasion"))
    stmt = select(ChangeSet.source, ChangeSet.operator_name, Change.before).join(
        Change, Change.operation == ChangeSet.operation
    )
    stmt = stmt.where(Change.action == "update")
    (row,) = library.read(lambda session: session.execute(stmt).all())
    assert row[:2] == ("cell", "olga")
    assert "Emma" in str(row[2])
    assert "300" not in str(row[2])


@pytest.mark.parametrize(
    ("name", "value", "stored"),
    [
        ("subtitle", "", None),
        ("pages", "7", 7),
        ("lendable", "no", False),
        ("binding", "HARD_COVER", Binding.HARD_COVER),
        ("price", "9.75", Decimal("9.75")),
        ("printed_on", "2020-02-29", date(2020, 2, 29)),
        ("acquired_at", "2026-03-04T13:00:00", NOON.replace(hour=13, microsecond=0)),
        ("publisher_id", "", None),
        ("publisher_id", "2", 2),
    ],
)
def test_every_kind_of_column_is_edited(
    olga: TestClient, library: Database, emma: Book, name: str, value: str, stored: Any
) -> None:
    column = name.removesuffix("_id")
    path, sent = cell(olga, emma, column)
    answer = olga.post(path, data=typed(sent, emma, **{column: value}))
    assert answer.status_code == 200, answer.text
    assert getattr(books(library)[emma.id], name) == stored


def test_errors_stand_at_their_cells_and_nothing_is_stored(
    olga: TestClient, library: Database, emma: Book, walden: Book
) -> None:
    sent = typed(typed(opened(olga), emma, title="", pages="many"), walden, title="Kept")
    answer = save(olga, sent)
    assert answer.status_code == 400
    assert errors(answer) == ["This field is required.", "Enter a whole number."]
    again = Page(answer).fields()
    assert again[f"{prefix_of(sent, str(emma.id))}-pages"] == "many"
    assert again[f"{prefix_of(sent, str(walden.id))}-title"] == "Kept"
    (field,) = Page(answer).root.find("input", name=f"{prefix_of(sent, str(emma.id))}-title")
    assert field.attributes["aria-invalid"] == "true"
    assert field.attributes["aria-describedby"].split() == [field.attributes["id"] + "-error"]
    assert change_sets(library) == 0


def test_what_was_refused_is_stored_once_it_is_mended(
    olga: TestClient, library: Database, emma: Book, walden: Book
) -> None:
    sent = typed(typed(opened(olga), emma, pages="many"), walden, title="Kept")
    again = typed(form_on(save(olga, sent).text), emma, pages="31")
    assert save(olga, again).status_code == 302
    assert (books(library)[emma.id].pages, books(library)[walden.id].title) == (31, "Kept")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"title": "Forbidden"}, "Not this title."),
        ({"pages": "-1"}, "A rule of the database doesn't allow this."),
        ({"publisher": "77"}, "Choose one that exists."),
    ],
)
def test_hooks_and_the_database_refuse_at_the_cell(
    olga: TestClient,
    library: Database,
    emma: Book,
    walden: Book,
    change: dict[str, str],
    sentence: str,
) -> None:
    answer = save(olga, typed(typed(opened(olga), walden, title="First"), emma, **change))
    assert answer.status_code == 400
    assert errors(answer) == [sentence]
    assert "First" in Page(answer).fields().values()
    assert sorted(book.title for book in books(library).values()) == ["Emma", "Walden"]


# Rows of other people


def test_rows_that_moved_meanwhile_are_edited_all_the_same(
    olga: TestClient, library: Database, emma: Book
) -> None:
    sent = opened(olga, "&pageSize=2&sortBy=title")
    store(library, Book(title="Aaa"), Book(title="Aab"))
    save(olga, typed(sent, emma, pages="1"), "?pageSize=2&sortBy=title")
    assert [b.title for b in books(library).values() if b.pages == 1] == ["Emma"]


def test_different_cells_of_a_row_are_merged(
    olga: TestClient, vera: TestClient, library: Database, emma: Book
) -> None:
    mine = typed(opened(olga), emma, title="Mine")
    save(vera, typed(opened(vera), emma, pages="5"))
    assert save(olga, mine).status_code == 302
    stored = books(library)[emma.id]
    assert (stored.title, stored.pages) == ("Mine", 5)


def test_the_same_change_twice_is_no_collision(
    olga: TestClient, vera: TestClient, library: Database, emma: Book
) -> None:
    mine = typed(opened(olga), emma, title="Both")
    save(vera, typed(opened(vera), emma, title="Both"))
    save(olga, mine)
    assert alerts(olga) == ["Nothing was changed."]


def test_a_collision_stores_nothing_and_shows_both(
    olga: TestClient, vera: TestClient, library: Database, emma: Book, walden: Book
) -> None:
    mine = typed(typed(opened(olga), emma, title="Mine"), walden, title="Other")
    save(vera, typed(opened(vera), emma, title="Theirs"))
    answer = save(olga, mine)
    assert answer.status_code == 409
    assert errors(answer) == ["Choose which one to keep."]
    assert "Keep what vera stored" in Page(answer).root.text
    assert [e.text for e in Page(answer).root.find("div", **{"class": "version"})] == ["Theirs"]
    assert {"Theirs", "Walden"} == {book.title for book in books(library).values()}


@pytest.mark.parametrize(("choice", "title"), [("mine", "Mine"), ("theirs", "Theirs")])
def test_a_choice_settles_it(
    seats: tuple[TestClient, TestClient], library: Database, emma: Book, choice: str, title: str
) -> None:
    olga, vera = seats
    mine = typed(opened(olga), emma, title="Mine", pages="1")
    save(vera, typed(opened(vera), emma, title="Theirs"))
    again = keep(form_on(save(olga, mine).text), "title", choice)
    assert save(olga, again).status_code == 302
    stored = books(library)[emma.id]
    assert (stored.title, stored.pages) == (title, 1)


def test_without_a_choice_it_asks_again(
    olga: TestClient, vera: TestClient, library: Database, emma: Book
) -> None:
    mine = typed(opened(olga), emma, title="Mine")
    save(vera, typed(opened(vera), emma, title="Theirs"))
    answer = save(olga, form_on(save(olga, mine).text))
    assert answer.status_code == 409
    assert books(library)[emma.id].title == "Theirs"


def test_a_change_past_the_history_collides_as_well(
    olga: TestClient, library: Database, emma: Book
) -> None:
    """Neither a version nor an entry tells of it, but the cell does."""
    mine = typed(opened(olga), emma, title="Mine")
    past = update(Book).values(title="Past it").execution_options(unrecorded=True)
    library.write(lambda session: session.execute(past.where(Book.id == emma.id)))
    answer = save(olga, mine)
    assert answer.status_code == 409
    assert "Keep what is stored" in Page(answer).root.text


def test_a_row_that_is_gone_keeps_what_was_typed(
    olga: TestClient, library: Database, emma: Book, walden: Book
) -> None:
    sent = typed(typed(opened(olga), emma, title="Mine"), walden, title="Other")
    library.write(lambda session: session.delete(session.get_one(Book, emma.id)))
    answer = save(olga, sent)
    assert answer.status_code == 404
    assert errors(answer) == ["This row is gone. What you typed is kept here, and not stored."]
    assert "Mine" in Page(answer).fields().values()
    assert books(library)[walden.id].title == "Walden"


def test_a_row_that_is_gone_and_was_not_touched_is_no_matter(
    olga: TestClient, library: Database, emma: Book, walden: Book
) -> None:
    sent = typed(opened(olga), walden, title="Other")
    library.write(lambda session: session.delete(session.get_one(Book, emma.id)))
    assert save(olga, sent).status_code == 302
    assert books(library)[walden.id].title == "Other"


# What is stored once


def test_a_form_that_is_sent_twice_is_stored_once(
    olga: TestClient, library: Database, emma: Book
) -> None:
    sent = typed(opened(olga), emma, title="Once")
    save(olga, sent)
    assert save(olga, sent).status_code == 302
    assert alerts(olga)[-1] == "This was stored before; it was not stored again."
    assert change_sets(library) == 1


def test_a_form_that_was_undone_is_not_stored_again(
    olga: TestClient, library: Database, emma: Book
) -> None:
    sent = typed(opened(olga), emma, title="Once")
    save(olga, sent)
    (form,) = Page(olga.get(LIST)).root.find("form", **{"class": "undo"})
    olga.post(form.attributes["action"])
    assert save(olga, sent).status_code == 302
    assert books(library)[emma.id].title == "Emma"


# What is refused


def forged(key: Any, was: Any, prefix: str = "0", asked: Any = ()) -> str:
    return json.dumps([prefix, key, was, list(asked)])


def test_a_forged_post_adds_no_row(olga: TestClient, library: Database) -> None:
    sent = {"_row": [forged("99", {"title": ["x"]})], "0-title": ["New"]}
    assert save(olga, sent).status_code == 404
    assert len(books(library)) == 2


def test_a_forged_post_edits_no_other_column(
    olga: TestClient, library: Database, emma: Book
) -> None:
    was = {"title": ["Emma"], "shelf": [""], "id": ["1"]}
    sent = {"_row": [forged(str(emma.id), was)], "0-shelf": ["9"], "0-id": ["77"]}
    assert save(olga, sent).status_code == 302
    assert books(library)[emma.id].shelf is None


def test_rows_outside_the_scope_are_not_there(olga: TestClient, library: Database) -> None:
    hidden = Book(title="Hidden")
    store(library, hidden)
    sent = {"_row": [forged(str(hidden.id), {"title": ["x"]})], "0-title": ["Seen"]}
    answer = save(olga, sent)
    assert answer.status_code == 404
    assert "Hidden" not in answer.text
    assert olga.get(f"/admin/book/cell/{hidden.id}?name=title").status_code == 404
    assert books(library)[hidden.id].title == "Hidden"


def test_rows_that_may_not_be_edited_stay_text(olga: TestClient, library: Database) -> None:
    locked = Book(title="Locked")
    store(library, locked)
    assert str(locked.id) not in [json.loads(told)[1] for told in opened(olga)["_row"]]
    sent = {"_row": [forged(str(locked.id), {"title": ["Locked"]})], "0-title": ["Open"]}
    assert save(olga, sent).status_code == 403
    assert olga.get(f"/admin/book/cell/{locked.id}?name=title").status_code == 403
    assert books(library)[locked.id].title == "Locked"
    assert "<tr data-fixed>" in olga.get(LIST).text


@pytest.mark.parametrize(
    "told",
    [
        "",
        "[]",
        "[" * 100_000,
        "nonsense",
        '["0", 1, {}, []]',
        '["0", "1", [], []]',
        '["0", "1", {"title": "x"}, []]',
        '["0", "1", {"title": [1]}, []]',
        '["<", "1", {"title": ["x"]}, []]',
        '["0", "1", {"title": ["x"]}, ["pages"]]',
        '["0", "\\ud800", {"title": ["x"]}, []]',
        '["0", "1", {"title": ["\\ud800"]}, []]',
        '[0, "1", {"title": ["x"]}, [[]]]',
    ],
)
def test_nonsense_is_a_400(olga: TestClient, told: str) -> None:
    assert save(olga, {"_row": [told], "0-title": ["x"]}).status_code == 400


@pytest.mark.parametrize("key", ["x", "01", "\0", "99999999999999999999", ""])
def test_an_impossible_key_is_not_there(olga: TestClient, key: str) -> None:
    sent = {"_row": [forged(key, {"title": ["x"]})], "0-title": ["y"]}
    assert save(olga, sent).status_code == 404


def test_a_row_is_sent_once(olga: TestClient, emma: Book) -> None:
    told = [forged(str(emma.id), {"title": ["x"]}, prefix) for prefix in "01"]
    assert save(olga, {"_row": told, "0-title": ["a"], "1-title": ["b"]}).status_code == 400


def test_who_may_only_look_is_offered_nothing(library: Database, emma: Book) -> None:
    options = {"authorization_backend": Allow("book:list", "book:details")}
    vera = visit(make_app(library, SheetAdmin, **options))
    page = vera.get(LIST).text
    assert "data-cells" not in page
    assert "_edit" not in page
    assert vera.get(SHEET).status_code == 403
    assert vera.post(CELLS, data={}).status_code == 403
    assert vera.get(f"/admin/book/cell/{emma.id}?name=title").status_code == 403
    assert vera.post(f"/admin/book/cell/{emma.id}?name=title").status_code == 403


def test_a_picker_one_may_not_use_is_no_matter_to_other_cells(
    library: Database, emma: Book
) -> None:
    rights = Allow("book:list", "book:edit")
    app = make_app(library, SheetAdmin, PublisherAdmin, authorization_backend=rights)
    vera = visit(app)
    path, sent = cell(vera, emma, "title")
    assert vera.post(path, data=typed(sent, emma, title="Mine")).status_code == 200
    path, sent = cell(vera, emma, "publisher")
    assert vera.post(path, data=typed(sent, emma, publisher="2")).status_code == 403
    assert books(library)[emma.id].publisher_id == 1


@pytest.mark.parametrize("name", ["shelf", "id", "", "nonsense", "__class__"])
def test_other_columns_are_no_cells(olga: TestClient, emma: Book, name: str) -> None:
    path = f"/admin/book/cell/{emma.id}?name={name}"
    assert olga.get(path).status_code == 400
    assert olga.post(path, data={}).status_code == 400


def test_a_list_without_such_columns_is_as_it_was(library: Database) -> None:
    store(library, Book(title="Emma"))
    client = visit(make_app(library))
    assert client.get(LIST).text.count("<tr>") == 2
    assert "data-cells" not in client.get(LIST).text
    assert client.get(SHEET).status_code == 403


# The place in the list


def test_it_keeps_filters_place_and_order(olga: TestClient, library: Database) -> None:
    store(library, *(Book(title=f"Book {number}") for number in range(5)))
    query = "search=Book&pageSize=2&page=2&sortBy=title"
    shown = keys(olga.get(f"{LIST}?{query}"))
    page = follow(olga, olga.get(f"{LIST}?{query}"), "Edit in the list")
    sent = form_on(page.text)
    assert [json.loads(told)[1] for told in sent["_row"]] == shown
    answer = save(olga, {**sent, "save": ["Save"]}, f"?{query}")
    assert answer.headers["location"] == f"{LIST}?{query}"
    stays = save(olga, {**sent, "save": ["Save and continue editing"]}, f"?{query}")
    assert stays.headers["location"] == f"{LIST}?{query}&_edit=1"


def test_a_page_of_250_rows_is_saved(olga: TestClient, library: Database, emma: Book) -> None:
    fill_up(library, [f"{n} {'م' * 90}" for n in range(248)])
    sent = opened(olga, "&pageSize=250")
    assert len(sent["_row"]) == 250
    for told in sent["_row"]:
        sent = typed(sent, json.loads(told)[1], subtitle="م" * 90, lendable="yes")
    assert save(olga, sent).status_code == 302
    assert alerts(olga) == ["250 books were changed."]
    assert change_sets(library) == 1


def test_cells_cost_a_list_no_statement_and_few_bytes(
    olga: TestClient, library: Database, emma: Book
) -> None:
    fill_up(library, [f"Book {n}" for n in range(98)])

    class Plain(SheetAdmin, model=Book):
        column_editable_list = []

    plain = visit(make_app(library, Plain))
    with statements(library) as without:
        before = plain.get(f"{LIST}?pageSize=250")
    with statements(library) as with_cells:
        after = olga.get(f"{LIST}?pageSize=250")
    assert len(with_cells) == len(without)
    assert len(after.content) - len(before.content) < 600


# One cell


def test_a_cell_is_stored_and_shown_as_the_list_shows_it(
    olga: TestClient, library: Database, emma: Book
) -> None:
    path, sent = cell(olga, emma, "lendable")
    answer = olga.post(path, data=typed(sent, emma, lendable="no"))
    assert 'class="no"' in answer.json()["cells"]["lendable"]
    assert answer.json()["cells"]["title"] == "Emma"
    assert "was changed" in answer.json()["messages"]
    assert "/undo" in answer.json()["messages"]
    assert books(library)[emma.id].lendable is False
    assert alerts(olga) == []


def test_a_cell_changes_nothing_else(olga: TestClient, library: Database, emma: Book) -> None:
    path, sent = cell(olga, emma, "title")
    olga.post(path, data={**typed(sent, emma, title="Mine", pages="1"), "pages": ["1"]})
    stored = books(library)[emma.id]
    assert (stored.title, stored.pages) == ("Mine", 300)


def test_an_error_comes_back_with_the_cell(olga: TestClient, library: Database, emma: Book) -> None:
    path, sent = cell(olga, emma, "title")
    answer = olga.post(path, data=typed(sent, emma, title="x" * 101))
    assert answer.status_code == 400
    assert "cannot be longer than 100 characters" in answer.json()["editor"]
    assert 'role="alert"' in answer.json()["editor"]
    assert change_sets(library) == 0


def test_a_cell_collides_and_is_settled(
    olga: TestClient, vera: TestClient, library: Database, emma: Book
) -> None:
    path, sent = cell(olga, emma, "title")
    save(vera, typed(opened(vera), emma, title="Theirs"))
    answer = olga.post(path, data=typed(sent, emma, title="Mine"))
    assert answer.status_code == 409
    again = editor(answer)
    olga.post(path, data=keep(again, "title", "mine"))
    assert books(library)[emma.id].title == "Mine"


def test_a_cell_of_a_row_that_is_gone_keeps_what_was_typed(
    olga: TestClient, library: Database, emma: Book
) -> None:
    path, sent = cell(olga, emma, "title")
    library.write(lambda session: session.execute(delete(Book).execution_options(unrecorded=True)))
    answer = olga.post(path, data=typed(sent, emma, title="Mine"))
    assert answer.status_code == 404
    assert "This row is gone." in answer.json()["editor"]
    assert 'value="Mine"' in answer.json()["editor"]


def test_a_cell_sent_twice_is_stored_once(olga: TestClient, library: Database, emma: Book) -> None:
    path, sent = cell(olga, emma, "title")
    sent = typed(sent, emma, title="Once")
    olga.post(path, data=sent)
    again = olga.post(path, data=sent)
    assert "stored before" in again.json()["messages"]
    assert change_sets(library) == 1


def test_a_cell_is_of_the_row_it_is_sent_to(olga: TestClient, emma: Book, walden: Book) -> None:
    _, sent = cell(olga, emma, "title")
    path = f"/admin/book/cell/{walden.id}?name=title"
    assert olga.post(path, data=sent).status_code == 400


def test_a_row_that_leaves_the_scope_says_so(
    olga: TestClient, library: Database, emma: Book
) -> None:
    path, sent = cell(olga, emma, "title")
    answer = olga.post(path, data=typed(sent, emma, title="Hidden"))
    assert answer.json()["cells"] == {}
    assert books(library)[emma.id].title == "Hidden"


# Declarations


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"column_editable_list": [Book.shelf]}, "'shelf' is not a field of the edit form"),
        ({"column_editable_list": [Book.summary]}, "'summary' is not in column_list"),
        ({"column_editable_list": ["publisher.name"]}, "is not a field of the edit form"),
        ({"column_editable_list": ["nonsense"]}, "nonsense"),
        (
            {"column_editable_list": [Book.pages], "form_readonly_columns": [Book.pages]},
            "'pages' is in form_readonly_columns",
        ),
        (
            {"column_editable_list": [Book.pages], "form_edit_rules": ["title"]},
            "'pages' is not a field of the edit form",
        ),
        (
            {"column_editable_list": [Book.pages], "update_model": lambda *_: None},
            "use on_model_change",
        ),
    ],
)
def test_what_can_not_be_edited_stops_the_start(
    library: Database, changes: dict[str, Any], sentence: str
) -> None:
    declared = {
        "column_list": [Book.title, Book.pages, Book.shelf],
        "form_columns": [Book.title, Book.pages, Book.summary],
        **changes,
    }
    view = type("WrongAdmin", (ModelAdmin,), declared, model=Book)
    with pytest.raises(ImproperlyConfigured, match=sentence):
        make_app(library, view)


def test_the_rows_show_what_was_stored(olga: TestClient, emma: Book, walden: Book) -> None:
    save(olga, typed(opened(olga), emma, title="Persuasion"))
    assert sorted(row[0] for row in cells(olga.get(LIST))) == ["Persuasion", "Walden"]
