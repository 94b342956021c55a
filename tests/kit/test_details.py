"""The page of one object."""

import pytest
from starlette.testclient import TestClient

from admin.kit import ModelAdmin, opened
from models.database import Database
from tests.databases import statements
from tests.kit.app import Book, BookAdmin, Chapter, Cover, Publisher, PublisherAdmin, Tag, make_app
from tests.kit.pages import Allow, fields, keys, links, sentence, store
from tests.kit.screens import allowed
from tests.personas import visit


def test_columns_and_relations_are_shown_and_foreign_keys_only_as_objects(
    client: TestClient, library: Database
) -> None:
    publisher = Publisher(name="Orion")
    store(library, Book(title="Emma", summary="One.\n  Two.", lendable=True, publisher=publisher))
    shown = fields(client.get("/admin/book/details/1"))
    assert (shown["Title"], shown["Summary"], shown["Lendable"]) == ("Emma", "One.\n  Two.", "Yes")
    assert (shown["Publisher"], shown["Pages"]) == ("Orion", "–")
    assert not {"Publisher id", "Version"} & set(shown)


def test_undeclared_columns_stand_as_in_the_table_and_a_relation_for_its_key(
    client: TestClient, library: Database
) -> None:
    store(library, Book(title="Emma"))
    shown = list(fields(client.get("/admin/book/details/1")))
    assert shown[:3] == ["Id", "Title", "Subtitle"]
    assert shown[shown.index("Acquired at") :][:3] == ["Acquired at", "Publisher", "Cover"]


def test_declared_columns_stand_in_their_order_under_their_labels(library: Database) -> None:
    class Declared(ModelAdmin, model=Book):
        column_details_list = ["publisher.name", Book.title]
        column_labels = {"publisher.name": "House"}
        form_columns = [Book.title]

    store(library, Book(title="<b>", publisher=Publisher(name="Orion")))
    page = visit(make_app(library, Declared)).get("/admin/book/details/1")
    assert list(fields(page).items())[:2] == [("House", "Orion"), ("Title", "<b>")]
    assert "<b>" not in page.text


@pytest.mark.parametrize("count", [1, 40])
def test_children_are_counted_and_never_loaded(
    client: TestClient, library: Database, count: int
) -> None:
    chapters = [Chapter(slug=str(n), heading=f"Chapter {n}") for n in range(count)]
    store(library, Book(title="Emma", chapters=chapters, tags=[Tag(id="t")]))
    with statements(library) as seen:
        page = client.get("/admin/book/details/1")
    assert fields(page)["Chapters"] == str(count)
    assert len(seen) == 3
    assert "Chapter 0" not in page.text


def test_counting_stops_at_a_limit(
    client: TestClient, library: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opened, "MOST_COUNTED", 2)
    for number, name in enumerate(("Two", "Three"), 2):
        books = [Book(title=f"{name} {n}") for n in range(number)]
        store(library, Publisher(name=name, books=books))
    assert fields(client.get("/admin/publisher/details/1"))["Books"] == "2"
    assert fields(client.get("/admin/publisher/details/2"))["Books"] == "2+"


def test_a_count_leads_to_the_list_of_what_was_counted(
    client: TestClient, library: Database
) -> None:
    store(library, Book(title="Other"))
    store(library, Publisher(name="Orion", books=[Book(title="One"), Book(title="Two")]))
    [path] = links(client.get("/admin/publisher/details/1"), "2")
    assert path == "/admin/book/list?publisher=1"
    assert len(keys(client.get(path))) == 2


def test_what_may_not_be_listed_is_not_counted(library: Database) -> None:
    store(library, Publisher(name="Orion", books=[Book(title="One")]))
    page = allowed(library, "publisher:details", "book:details").get("/admin/publisher/details/1")
    assert "Books" not in fields(page)


def test_related_objects_are_links_only_where_they_may_be_opened(library: Database) -> None:
    store(library, Book(title="Emma", publisher=Publisher(name="Orion")))
    may_open = allowed(library, "book:details", "publisher:details").get("/admin/book/details/1")
    may_not = allowed(library, "book:details", "publisher:list").get("/admin/book/details/1")
    assert links(may_open, "Orion") == ["/admin/publisher/details/1"]
    assert links(may_not, "Orion") == []
    assert fields(may_not)["Publisher"] == "Orion"


@pytest.mark.parametrize(
    ("rights", "offered"),
    [(["edit", "delete"], ["Edit", "Delete"]), (["edit"], ["Edit"]), ([], [])],
)
def test_only_what_the_operator_may_do_is_offered(
    library: Database, rights: list[str], offered: list[str]
) -> None:
    store(library, Publisher(name="Orion"))
    client = allowed(library, "publisher:details", *(f"publisher:{right}" for right in rights))
    page = client.get("/admin/publisher/details/1")
    assert [text for text in ("Edit", "Delete") if links(page, text)] == offered


@pytest.mark.parametrize("path", ["details/2", "details/", "details", "details/1/"])
def test_what_does_not_exist_is_said_to_be_gone(
    client: TestClient, library: Database, path: str
) -> None:
    store(library, Publisher(name="Orion"))
    answer = client.get(f"/admin/publisher/{path}")
    assert answer.status_code == 404
    assert "There is nothing here" in sentence(answer)


def test_the_way_back_keeps_the_place_in_the_list(client: TestClient, library: Database) -> None:
    store(library, Publisher(name="Orion"))
    query = "search=o&page=1&next=https%3A%2F%2Fevil.example&pks=7&_back=x"
    page = client.get(f"/admin/publisher/details/1?{query}")
    assert links(page, "Publishers")[1:] == [f"/admin/publisher/list?{query}"]
    assert links(page, "Edit") == [f"/admin/publisher/edit/1?{query}"]


def test_a_formatter_is_asked_for_markup_or_text(library: Database) -> None:
    class Formatted(BookAdmin, model=Book):
        column_formatters_detail = {Book.title: lambda obj, name: f"<{getattr(obj, name)}>"}
        column_formatters = {Book.pages: lambda obj, _name, _request: obj.title * 2}

    store(library, Book(title="Emma"))
    client = visit(make_app(library, Formatted, PublisherAdmin))
    assert fields(client.get("/admin/book/details/1"))["Title"] == "<Emma>"
    assert "EmmaEmma" in client.get("/admin/book/list").text


def test_a_name_that_loads_something_is_read_while_the_session_is_open(
    client: TestClient, library: Database
) -> None:
    store(library, Cover(artist="Ann", book=Book(title="Emma")))
    assert "<h1>Emma by Ann</h1>" in client.get("/admin/cover/details/1").text


def test_two_sites_may_share_a_view(library: Database) -> None:
    store(library, Publisher(name="Orion"))
    first = visit(make_app(library, PublisherAdmin))
    second = visit(make_app(library, PublisherAdmin, authorization_backend=Allow()))
    assert first.get("/admin/publisher/details/1").status_code == 200
    assert second.get("/admin/publisher/details/1").status_code == 403
