"""Columns of a list that are computed, and what all columns make of their values."""

import logging
from typing import Any

import pytest
from markupsafe import Markup
from sqladmin.exceptions import ImproperlyConfigured
from sqlalchemy import make_url
from starlette.requests import Request

from admin.kit import ModelAdmin, display
from admin.kit.lists.lazy import LazyLoadError
from models.database import Database, connect
from tests.databases import statements
from tests.kit.app import Book, Chapter, Publisher, PublisherAdmin, make_app
from tests.kit.pages import cells, fields, headings, links, rows, store
from tests.personas import visit

NOWHERE = connect(make_url("sqlite://"))
EMPTY = '<span class="empty-value">{}</span>'


@display(description="Thickness", ordering=Book.pages)
def thickness(book: Book) -> str:
    return "<thick>" if (book.pages or 0) > 300 else "thin"


def path_of(_book: Book, request: Request) -> str:
    return request.url.path


class ComputedAdmin(ModelAdmin, model=Book):
    """A column of each kind."""

    column_list = [Book.title, thickness, path_of, "shout", "house", "is_long"]
    column_sortable_list = [Book.title]
    form_columns = [Book.title]

    @display(description="In capitals", empty_value="silence", ordering="-title")
    def shout(self, book: Book) -> str:
        return book.subtitle.upper() if book.subtitle else ""

    @display(requires=["publisher"])
    def house(self, book: Book, request: Request) -> Any:
        return Markup("<b>{}</b>").format(book.publisher) if book.publisher else None

    @display(boolean=True)
    def is_long(self, book: Book) -> bool | None:
        return None if book.pages is None else book.pages > 300


def shelf(library: Database, **declared: Any) -> Any:
    view = type("ShelfAdmin", (ComputedAdmin,), declared, model=Book)
    return visit(make_app(library, view, PublisherAdmin))


def listed(library: Database, **declared: Any) -> Any:
    return shelf(library, **declared).get("/admin/book/list")


def test_functions_and_methods_are_columns_under_their_descriptions(library: Database) -> None:
    store(library, Book(title="Emma", subtitle="a", pages=301, publisher=Publisher(name="<O>")))
    page = listed(library)
    assert headings(page) == ["Title", "Thickness", "Path of", "In capitals", "House", "Is long"]
    assert cells(page) == [["Emma", "<thick>", "/admin/book/list", "A", "<O>", "Yes"]]
    assert "&lt;thick&gt;" in page.text
    assert "<b>&lt;O&gt;</b>" in page.text


def test_the_model_s_methods_and_properties_are_columns_too(
    library: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Book, "half", lambda book: book.pages // 2, raising=False)
    twice = property(display(description="Twice", boolean=True)(lambda book: book.pages * 2))
    monkeypatch.setattr(Book, "twice", twice, raising=False)
    monkeypatch.setattr(Publisher, "loud", lambda house: house.name.upper(), raising=False)
    store(library, Book(title="Emma", pages=8, publisher=Publisher(name="Orion")))
    page = listed(library, column_list=["__str__", "half", "twice", "publisher.loud"])
    assert headings(page) == ["Book", "Half", "Twice", "Publisher loud"]
    assert cells(page) == [["Emma", "4", "Yes", "ORION"]]


def test_a_list_without_a_declaration_says_what_rows_call_themselves(library: Database) -> None:
    class Undeclared(ModelAdmin, model=Publisher):
        pass

    store(library, Publisher(name="Orion"))
    page = visit(make_app(library, Undeclared)).get("/admin/publisher/list")
    assert (headings(page), cells(page)) == (["Publisher"], [["Orion"]])


def test_a_computed_column_sorts_by_what_it_declares(library: Database) -> None:
    store(library, *(Book(title=title, pages=n) for n, title in enumerate("cab", 1)))
    page = listed(library)
    [ascending], [descending] = links(page, "Thickness"), links(page, "In capitals")
    assert [row[0] for row in cells(shelf(library).get(ascending))] == [*"cab"]
    assert [row[0] for row in cells(shelf(library).get(descending))] == [*"cba"]


def test_an_empty_value_is_what_the_column_the_view_or_the_site_says(library: Database) -> None:
    store(library, Book(title="Emma"))
    assert cells(listed(library))[0][3:] == ["silence", "–", "Unknown"]
    page = listed(library, empty_value_display="<nil>")
    assert EMPTY.format("&lt;nil&gt;") in page.text
    assert cells(page)[0][3:] == ["silence", "<nil>", "Unknown"]
    app = make_app(library, ComputedAdmin)
    app.state.site.empty_value_display = "none"
    assert cells(visit(app).get("/admin/book/list"))[0][3:] == ["silence", "none", "Unknown"]


def test_a_boolean_is_one_of_three_words(library: Database) -> None:
    store(library, *(Book(title=str(n), lendable=n) for n in (None, True, False)))
    page = listed(library, column_list=[Book.title, Book.lendable])
    assert sorted(row[1] for row in cells(page)) == ["No", "Unknown", "Yes"]
    assert 'class="unknown"' in page.text


def test_a_related_boolean_is_blank_without_a_related_row(library: Database) -> None:
    book = Book(title="Emma", lendable=None)
    store(library, Chapter(slug="a", heading="A", book=book))
    declared = {"column_list": ["book.lendable"], "form_columns": [Chapter.heading]}
    view = type("Odd", (ModelAdmin,), declared, model=Chapter)
    app = make_app(library, view)
    assert cells(visit(app).get("/admin/chapter/list")) == [["Unknown"]]
    column = app.state.site.views[0].columns["book.lendable"]
    assert "Empty" in column.cell(Chapter(), Request({"type": "http"}))


def test_what_raises_is_said_in_its_cell_and_logged_once(
    library: Database, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_book: Book) -> str:
        raise AttributeError("a secret")

    store(library, Book(title="Emma"), Book(title="Persuasion"))
    with caplog.at_level(logging.ERROR):
        page = listed(library, column_list=[Book.title, broken])
    assert [row[1] for row in cells(page)] == ["can't be shown"] * 2
    [record] = caplog.records
    reference = record.getMessage().split()[1].strip(":")
    assert f'title="Reference: {reference}."' in page.text
    assert "ShelfAdmin.broken" in record.getMessage()
    assert "a secret" not in page.text


def test_a_name_that_raises_leaves_its_pages_standing(
    library: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_publisher: Publisher) -> str:
        raise ValueError("a secret")

    store(library, Book(title="Emma", publisher=Publisher(name="Orion")))
    monkeypatch.setattr(Publisher, "__str__", fail)
    shown = [Book.title, Book.publisher]
    client = shelf(library, column_list=shown, column_filters=[Book.publisher])
    assert cells(client.get("/admin/book/list")) == [["Emma", "can't be shown"]]
    for page in (
        "publisher/list",
        "book/details/1",
        "publisher/details/1",
        "publisher/edit/1",
        "book/list?publisher=1",
        "publisher/delete?pks=1",
    ):
        answer = client.get(f"/admin/{page}")
        assert (page, answer.status_code) == (page, 200)
        assert "a secret" not in answer.text


@pytest.mark.parametrize(
    ("declared", "linked"),
    [((), ["Emma"]), ((Book.pages,), ["9"]), ((Book.title, "pages"), ["Emma", "9"]), (None, [])],
)
def test_the_columns_that_lead_to_the_row_can_be_chosen(
    library: Database, declared: Any, linked: list[str]
) -> None:
    store(library, Book(title="Emma", pages=9))
    page = listed(library, column_list=[Book.title, Book.pages], list_display_links=declared)
    assert [text for text in ("Emma", "9") if links(page, text) == ["/admin/book/edit/1"]] == linked
    assert "scope=row" in page.text


def test_what_a_column_requires_is_loaded_with_the_rows(library: Database) -> None:
    store(library, *(Book(title=str(n), publisher=Publisher(name=str(n))) for n in range(9)))
    with statements(library) as seen:
        page = listed(library)
    assert [row[4] for row in cells(page)].count("–") == 0
    assert len(seen) == 1


def test_a_column_that_loads_something_for_each_row_is_refused(library: Database) -> None:
    def house(book: Book) -> str:
        return str(book.publisher)

    store(library, Book(title="Emma", publisher=Publisher(name="Orion")))
    app = make_app(library, type("Lazy", (ComputedAdmin,), {"column_list": [house]}, model=Book))
    view = app.state.site.views[0]
    with library.read_sessions() as session, pytest.raises(LazyLoadError, match="'house' loads"):
        view.rows([session.get(Book, 1)], list(view.columns.values()), Request({"type": "http"}))


@pytest.mark.parametrize("declared", [{"list_select_related": [Book.publisher]}, {}])
def test_in_production_it_costs_statements_and_nothing_breaks(
    library: Database, declared: dict[str, Any]
) -> None:
    def house(book: Book) -> str:
        return str(book.publisher)

    store(library, *(Book(title=str(n), publisher=Publisher(name=str(n))) for n in range(3)))
    lazy = type("Lazy", (ComputedAdmin,), {"column_list": [house], **declared}, model=Book)
    client = visit(make_app(library, lazy, refuses_lazy_loads=False))
    with statements(library) as seen:
        page = client.get("/admin/book/list")
    assert sorted(row[0] for row in cells(page)) == ["0", "1", "2"]
    assert len(seen) == (1 if declared else 4)


def test_choices_are_shown_by_label(library: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(Book.__table__.c.shelf.info, "choices", {1: "<Front>", 2: "Back"})
    store(library, *(Book(title=str(n), shelf=n, subtitle="s") for n in (1, 3)))
    declared: dict[str, Any] = {
        "column_list": [Book.title, Book.shelf, Book.subtitle],
        "form_args": {"subtitle": {"choices": [("s", "Special"), "other"]}},
    }
    page = listed(library, **declared)
    assert cells(page) == [["1", "<Front>", "Special"], ["3", "3", "Special"]]
    assert fields(shelf(library).get("/admin/book/details/1"))["Shelf"] == "<Front>"


@pytest.mark.parametrize(
    ("address", "is_link"),
    [
        ("https://example.org/a?b=<c>", True),
        ("HTTP://EXAMPLE.ORG", True),
        ("javascript:alert(1)", False),
        ("java\nscript:alert(1)", False),
        ("https://example.org\n", False),
        ("//example.org", False),
        ("http:///path", False),
        ("https://[", False),
        ("ftp://example.org", False),
        ("mailto:a@example.org", False),
    ],
)
def test_only_addresses_of_the_web_are_links(
    library: Database, monkeypatch: pytest.MonkeyPatch, address: str, is_link: bool
) -> None:
    monkeypatch.setitem(Book.__table__.c.subtitle.info, "url", True)
    store(library, Book(title="Emma", subtitle=address))
    for page in (
        listed(library, column_list=[Book.title, Book.subtitle]),
        shelf(library).get("/admin/book/details/1"),
    ):
        assert links(page, address.strip()) == ([address] if is_link else [])
        assert ('rel="noopener noreferrer"' in page.text) is is_link


def test_text_that_looks_like_an_address_stays_text(library: Database) -> None:
    store(library, Book(title="Emma", subtitle="https://example.org"))
    page = listed(library, column_list=[Book.title, Book.subtitle])
    assert links(page, "https://example.org") == []


def test_numbers_have_separators_but_keys_have_none(
    library: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(Book.__table__.c.shelf.info, "grouped", False)
    store(library, Publisher(id=4321, name="Orion"))
    store(
        library,
        Book(id=1234, title="E", pages=1234567, shelf=2026, price="1234.50", publisher_id=4321),
    )
    names = [Book.id, Book.publisher_id, Book.pages, Book.shelf, Book.price]
    page = listed(library, column_list=names)
    assert cells(page) == [["1234", "4321", "1,234,567", "2026", "1,234.50"]]


def test_exports_hold_what_is_computed(library: Database) -> None:
    store(library, Book(title="Emma", pages=301))
    client = shelf(library, column_export_list=[thickness, "publisher.name", "is_long"])
    assert rows(client) == [{"thickness": "<thick>", "publisher.name": None, "is_long": True}]


def contradictory(_book: Book) -> None:
    """Say nothing."""


async def slow(_book: Book) -> None:
    """Say nothing."""


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"column_list": ["whisper"]}, "column_list: 'whisper' does not exist on Book"),
    ({"column_list": [display(boolean=True, empty_value="-")(contradictory)]},
     "column_list: 'contradictory': boolean=True shows"),
    ({"column_list": [display(ordering="titel")(lambda _: "")]}, "'titel' does not exist"),
    ({"column_list": [display(requires=["titel.x"])(lambda _: "")]}, "'titel.x' does not exist"),
    ({"column_list": [display(requires=["chapters"])(lambda _: "")]}, "'chapters' leads to any"),
    ({"column_list": [lambda _: "", lambda _: ""]}, "'lambda' is there twice"),
    ({"column_list": [slow]}, "'slow' is asynchronous"),
    ({"list_display_links": ["pages"]}, "list_display_links: 'pages' is not in column_list"),
    ({"list_select_related": [Book.chapters]}, "list_select_related: 'chapters' leads to any"),
]  # fmt: skip


@pytest.mark.parametrize(("declared", "sentence"), WRONG)
def test_a_wrong_declaration_stops_the_start(declared: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ImproperlyConfigured) as error:
        shelf(NOWHERE, **declared)
    assert sentence in str(error.value)
