"""Search: which rows a term finds."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from admin.kit import ModelAdmin
from admin.kit.search import contains_words, words
from models.database import Database
from tests.kit.app import Binding, Book, Chapter, Publisher, make_app
from tests.kit.pages import cells, sentence, store
from tests.personas import visit

NON_ASCII = "Größe, Ελλάδα"


class EveryKind(ModelAdmin, model=Book):
    column_list = [Book.title]
    column_searchable_list = [Book.title, Book.subtitle, Book.pages, Book.binding, "publisher.name"]
    form_columns = [Book.title]


@pytest.fixture
def client(library: Database) -> TestClient:
    orion = Publisher(name="Orion")
    store(
        library,
        Book(title="Pride and Prejudice", subtitle="A Novel", pages=432, publisher=orion),
        Book(title="O'Brien's 100% _guide_", binding=Binding.HARD_COVER),
        Book(title=NON_ASCII, subtitle=r"C:\new"),
        Book(title='He said "hello there" twice', publisher=orion),
    )
    return visit(make_app(library, EveryKind))


def search(client: TestClient, term: str) -> list[str]:
    page = client.get("/admin/book/list", params={"search": term})
    assert page.status_code == 200
    return [row[0].split()[0] for row in cells(page)]


@pytest.mark.parametrize(
    ("term", "found"),
    [
        ("pride", ["Pride"]),
        ("  NOVEL \t prejudice ", ["Pride"]),
        ("orion novel 43", ["Pride"]),
        ("novel hello", []),
        ("orion", ["Pride", "He"]),
        ("HARD_COVER", ["O'Brien's"]),
        ('"hello there"', ["He"]),
        ('"there hello"', []),
        ('said "hello there" orion', ["He"]),
        ("o'brien's guide", ["O'Brien's"]),
        ('"hello', ["He"]),
        ('there"', ["He"]),
        ('""', []),
        ("'", ["O'Brien's"]),
        ("100%", ["O'Brien's"]),
        ("%", ["O'Brien's"]),
        ("r_s", []),
        ("_guide_", ["O'Brien's"]),
        ("\\", ["Größe,"]),
        (r"c:\new", ["Größe,"]),
        ("größe", ["Größe,"]),
        ("' OR 1=1 --", []),
        (" ", ["Pride", "O'Brien's", "Größe,", "He"]),
    ],
)
def test_every_word_is_found_in_some_column(
    client: TestClient, term: str, found: list[str]
) -> None:
    assert sorted(search(client, term)) == sorted(found)


def test_case_of_any_script_is_ignored_except_on_sqlite(
    client: TestClient, library: Database
) -> None:
    """SQLite knows the case of ASCII letters only."""
    is_sqlite = library.writer.dialect.name == "sqlite"
    assert search(client, "ΕΛΛΆΔΑ") == ([] if is_sqlite else ["Größe,"])
    assert search(client, "GRÖSSE") == []


@pytest.mark.parametrize("term", ["\0", "pride\0", "x" * 201, "x " * 150])
def test_what_can_not_be_searched_for_is_refused_in_a_sentence(
    client: TestClient, term: str
) -> None:
    answer = client.get("/admin/book/list", params={"search": term + "."})
    assert answer.status_code == 400
    assert "The search" in sentence(answer)


def test_a_list_without_searched_columns_ignores_a_search(library: Database) -> None:
    class Unsearched(ModelAdmin, model=Book):
        column_list = [Book.title]
        form_columns = [Book.title]

    page = visit(make_app(library, Unsearched)).get("/admin/book/list?search=%00")
    assert "There are no books yet." in page.text


def test_a_search_may_lead_through_two_relations(library: Database) -> None:
    class ByHouse(ModelAdmin, model=Chapter):
        column_list = [Chapter.heading]
        column_searchable_list = [Chapter.heading, "book.publisher.name"]
        form_columns = [Chapter.heading]

    one = Book(title="A", publisher=Publisher(name="Orion"))
    store(library, Chapter(slug="1", heading="One", book=one))
    store(library, Chapter(slug="2", heading="Orion", book=Book(title="B")))
    assert [
        row[0]
        for row in cells(visit(make_app(library, ByHouse)).get("/admin/chapter/list?search=orion"))
    ] == ["One", "Orion"]


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        ("a b", ["a", "b"]),
        ('"a b" c', ["a b", "c"]),
        ('a"b c"', ['a"b', 'c"']),
        ("\u00a0a\u3000b", ["a", "b"]),
    ],
)
def test_quotes_keep_words_together_only_around_them(term: str, expected: list[str]) -> None:
    assert words(term) == expected


texts = st.text("aB%_\\ '\"", max_size=6)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    rows=st.lists(st.tuples(texts, st.none() | texts, st.none() | texts), min_size=1, max_size=6),
    term=texts,
)
def test_a_row_is_found_if_and_only_if_each_word_is_in_one_of_its_columns(
    library: Database, rows: list[tuple[str, str | None, str | None]], term: str
) -> None:
    """The publisher's name may be missing, and so may the publisher."""
    with Session(library.writer) as session:
        names = {name for _, _, name in rows if name is not None}
        publishers = {name: Publisher(name=name) for name in names}
        for number, (title, subtitle, name) in enumerate(rows):
            publisher = publishers.get(name) if name is not None else None
            book = Book(id=number, title=title, subtitle=subtitle, publisher=publisher)
            session.add(book)
        session.flush()
        condition = contains_words(Book, ["title", "subtitle", "publisher.name"], term)
        found = set(session.scalars(select(Book.id).where(condition)))
    holds = [[(text or "").lower() for text in row] for row in rows]
    expected = {
        number
        for number, row in enumerate(holds)
        if all(any(word.lower() in text for text in row) for word in words(term))
    }
    assert found == expected
