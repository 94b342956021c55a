"""The choices that a picker offers."""

from typing import Any, ClassVar

import pytest
from httpx2 import Response
from sqlalchemy import Select
from starlette.requests import Request
from starlette.testclient import TestClient

from admin.kit import ModelAdmin
from models.database import Database
from tests.databases import statements
from tests.kit.app import Book, BookAdmin, Chapter, Cover, Publisher, PublisherAdmin, Tag, make_app
from tests.kit.pages import Allow, store
from tests.personas import visit


def ask(
    client: TestClient, term: str = "", view: str = "book", name: str = "publisher"
) -> Response:
    return client.get(f"/admin/{view}/ajax/lookup", params={"name": name, "term": term})


def offered(answer: Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [choice["text"] for choice in answer.json()["results"]]


def picker(model: type, name: str, **options: Any) -> type[ModelAdmin]:
    """Return a view of the model with one picker."""

    class Picking(ModelAdmin, model=model):
        form_columns = [name]
        form_ajax_refs = {name: options}

    return Picking


def test_the_first_twenty_are_offered_in_the_declared_order(
    client: TestClient, library: Database
) -> None:
    store(library, *(Publisher(name=f"P{number:02}") for number in reversed(range(30))))
    with statements(library) as seen:
        assert offered(ask(client)) == [f"P{number:02}" for number in range(20)]
    assert len(seen) == 1


def test_choices_that_tie_are_offered_in_the_order_of_their_keys(library: Database) -> None:
    view = picker(Cover, "book", fields=("title",), order_by="pages")
    store(library, *(Book(title=f"B{number}") for number in range(25)))
    client = visit(make_app(library, view))
    ids = [choice["id"] for choice in ask(client, view="cover", name="book").json()["results"]]
    assert ids == [str(number) for number in range(1, 21)]


@pytest.mark.parametrize(
    ("term", "found"),
    [
        ("books penguin", ["Penguin Books"]),
        ("PENGUIN", ["Penguin Books"]),
        ("0%", []),
        ("00%", ["100% Press"]),
        ("_", []),
        ("nothing", []),
        (" ", ["100% Press", "O'Reilly", "Penguin Books"]),
        ("o'r", ["O'Reilly"]),
    ],
)
def test_every_word_is_found(
    client: TestClient, library: Database, term: str, found: list[str]
) -> None:
    store(library, *(Publisher(name=name) for name in ("Penguin Books", "100% Press", "O'Reilly")))
    assert offered(ask(client, term)) == found


def test_several_fields_are_searched_and_numbers_too(library: Database) -> None:
    view = picker(Chapter, "book", fields=("title", Book.pages, "publisher_id"))
    store(library, Book(title="Emma", pages=321), Book(title="Ulysses", pages=7))
    client = visit(make_app(library, view))
    assert offered(ask(client, "32 em", "chapter", "book")) == ["Emma"]


def test_a_choice_has_the_name_and_key_of_the_object(library: Database) -> None:
    view = picker(Book, "cover", fields=("artist",))
    view.form_columns = [Book.title]
    store(library, Cover(artist="Ann <b>", book=Book(title="Emma")))
    answer = ask(visit(make_app(library, view)), name="cover")
    assert answer.json() == {"results": [{"id": "1", "text": "Emma by Ann <b>"}]}


@pytest.mark.parametrize("term", ["\0", "a\0b", "x" * 201])
def test_what_can_not_be_searched_for_is_refused(client: TestClient, term: str) -> None:
    assert ask(client, term).status_code == 400


@pytest.mark.parametrize("name", ["", "chapters", "__class__", "title", "publisher\0"])
def test_unknown_pickers_are_refused(client: TestClient, name: str) -> None:
    assert ask(client, name=name).status_code == 400


class UnfilteredAdmin(BookAdmin, model=Book):
    column_filters: ClassVar[list[Any]] = []


@pytest.mark.parametrize(
    ("rights", "status"),
    [
        (["book:create", "publisher:list"], 200),
        (["book:edit", "publisher:list"], 200),
        (["book:list", "publisher:list"], 403),
        (["book:edit", "publisher:details"], 403),
        (["publisher:list"], 403),
    ],
)
def test_a_picker_needs_a_form_to_fill_and_the_right_to_list_what_it_offers(
    library: Database, rights: list[str], status: int
) -> None:
    views = (UnfilteredAdmin, PublisherAdmin)
    client = visit(make_app(library, *views, authorization_backend=Allow(*rights)))
    assert ask(client).status_code == status


def test_the_picker_of_a_filter_serves_who_may_only_look(library: Database) -> None:
    views = (BookAdmin, PublisherAdmin)
    may = make_app(library, *views, authorization_backend=Allow("book:list", "publisher:list"))
    may_not = make_app(library, *views, authorization_backend=Allow("book:list"))
    assert ask(visit(may)).status_code == 200
    assert ask(visit(may_not)).status_code == 403


def test_objects_outside_the_scope_of_their_view_are_not_offered(library: Database) -> None:
    class Scoped(PublisherAdmin, model=Publisher):
        def scope(self, stmt: Select[Any], request: Request) -> Select[Any]:
            return stmt.where(Publisher.name != "Secret")

    store(library, Publisher(name="Open"), Publisher(name="Secret"))
    assert offered(ask(visit(make_app(library, BookAdmin, Scoped)))) == ["Open"]


async def by_term(request: Request, term: str) -> Any:
    return Publisher.name.startswith(term[:1])


@pytest.mark.parametrize(
    "where",
    [
        Publisher.name == "Bee",
        [Publisher.name != "Ace", Publisher.name != "Abe"],
        lambda *_: Publisher.name == "Bee",
        by_term,
    ],
)
def test_a_picker_offers_only_what_its_condition_allows(library: Database, where: Any) -> None:
    view = picker(Book, "publisher", fields=("name",), where=where)
    store(library, Publisher(name="Ace"), Publisher(name="Abe"), Publisher(name="Bee"))
    assert offered(ask(visit(make_app(library, view)), "Be")) == ["Bee"]


def test_a_key_of_any_characters_is_handed_out_whole(library: Database) -> None:
    view = picker(Book, "tags", fields=("id",))
    view.form_columns = [Book.title]
    store(library, Tag(id="a/b;~,"))
    answer = ask(visit(make_app(library, view)), name="tags")
    assert answer.json()["results"] == [{"id": "a/b;~~,", "text": "a/b;~,"}]
