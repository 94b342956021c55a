"""Search: which rows a term finds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import inspect, select, text
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from admin.kit import ModelAdmin, trigrams
from admin.kit.search import alternatives, contains_words, first_rows, words
from models.database import Database
from tests.databases import Sqlite
from tests.kit.app import Binding, Book, Chapter, Publisher, Tag, make_app
from tests.kit.pages import cells, sentence, store
from tests.pages import Page
from tests.personas import visit
from tests.records import add_post, add_user

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
        ("'hello there' orion", ["He"]),
        ("'there hello'", []),
        ("'", []),
        ("o'", ["O'Brien's"]),
        ("100%", ["O'Brien's"]),
        ("%", []),
        ("_", []),
        ("0% ", []),
        ("r_s", []),
        ("_guide_", ["O'Brien's"]),
        ("\\", []),
        ("c:", ["Größe,"]),
        ("pr", ["Pride"]),
        ("ri", []),
        ("or he", ["He"]),
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


@pytest.mark.parametrize("term", ["ΕΛΛΆΔΑ", "GRÖßE", "größe ελλάδα"])
def test_case_of_any_script_is_ignored(client: TestClient, term: str) -> None:
    assert search(client, term) == ["Größe,"]


@pytest.mark.parametrize(("term", "on_sqlite"), [("GRößE", True), ("GRÖßE", False)])
def test_without_an_index_sqlite_ignores_the_case_of_ascii_letters_only(
    library: Database, term: str, on_sqlite: bool
) -> None:
    store(library, Chapter(slug="1", heading="Größe", book=Book(title="A")))
    is_found = on_sqlite or library.writer.dialect.name == "postgresql"
    assert ids(library, ["heading"], term, Chapter) == (["1"] if is_found else [])


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
        ("'a b' c", ["a b", "c"]),
        ("a'b c'", ["a'b", "c'"]),
        ("'a \"b\" c'", ['a "b" c']),
        ("a b", ["a", "b"]),
        ('"a b" c', ["a b", "c"]),
        ('a"b c"', ['a"b', 'c"']),
        ("\u00a0a\u3000b", ["a", "b"]),
    ],
)
def test_quotes_keep_words_together_only_around_them(term: str, expected: list[str]) -> None:
    assert words(term) == expected


@dataclass(frozen=True)
class Row:
    title: str
    subtitle: str | None
    publisher: str | None

    def has(self, word: str) -> bool:
        """Say what the search promises, in other words."""
        texts = [text.lower() for text in (self.title, self.subtitle, self.publisher) if text]
        if len(word) < 3:
            return any(text.startswith(word.lower()) for text in texts)
        return any(word.lower() in text for text in texts)


texts = st.text("abBéÉ%_\\ '\"*^:", max_size=6)
rows = st.builds(Row, texts, st.none() | texts, st.none() | texts)
COLUMNS = ["title", "subtitle", "publisher.name"]


def write(session: Session, number: int, row: Row | None) -> None:
    """Store a row under this key, whatever was there, or remove what was there."""
    if (old := session.get(Book, number)) is not None and row is None:
        session.delete(old)
    if row is not None:
        name = row.publisher
        known = session.scalar(select(Publisher).where(Publisher.name == name))
        publisher = known or (None if name is None else Publisher(name=name))
        book = old or Book(id=number)
        book.title, book.subtitle, book.publisher = row.title, row.subtitle, publisher
        session.add(book)
    session.flush()


def found_by(session: Session, term: str, few: int, monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """Return what the alternatives of the list find, where more than `few` rows are many."""
    monkeypatch.setattr(trigrams, "FEW", few)
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    ways = alternatives(Book, COLUMNS, term, is_sqlite=is_sqlite)
    return {book.id for book in session.scalars(first_rows(select(Book), ways, [Book.id], 99))}


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    writes=st.lists(st.tuples(st.integers(1, 4), st.none() | rows), min_size=1, max_size=8),
    term=texts,
)
def test_a_row_is_found_if_and_only_if_each_word_is_in_one_of_its_columns(
    library: Database,
    monkeypatch: pytest.MonkeyPatch,
    writes: list[tuple[int, Row | None]],
    term: str,
) -> None:
    """Whatever was added, changed and removed before; the publisher may be missing."""
    there = {number: row for number, row in dict(writes).items() if row is not None}
    expected = {n for n, row in there.items() if all(map(row.has, words(term)))}
    with Session(library.writer) as session:
        for number, row in writes:
            write(session, number, row)
        condition = contains_words(Book, COLUMNS, term)
        assert set(session.scalars(select(Book.id).where(condition))) == expected
        assert found_by(session, term, 3000, monkeypatch) == expected
        assert found_by(session, term, 0, monkeypatch) == expected
        assert found_by(session, term, 1, monkeypatch) == expected


def test_a_cascade_of_the_database_takes_rows_out_of_the_index(sqlite: Sqlite) -> None:
    """The table of FTS5 is kept by triggers, not by the ORM."""
    database = sqlite.open(sqlite.migrated())
    add_post(database, add_user(database, "Alice"), "Hello there")
    hits = text("SELECT count(*) FROM posts_trigrams WHERE posts_trigrams MATCH 'hello'")
    assert database.read(lambda session: session.scalar(hits)) == 1
    database.write(lambda session: session.execute(text("DELETE FROM users")))
    assert database.read(lambda session: session.scalar(hits)) == 0
    database.dispose()
    sqlite.drop(database.writer.engine.url)


def ids(library: Database, columns: Sequence[Any], term: str, model: Any = Book) -> list[Any]:
    with Session(library.writer) as session:
        key = inspect(model).primary_key[-1]
        condition = contains_words(model, columns, term)
        return list(session.scalars(select(key).where(condition).order_by(key)))


@pytest.mark.parametrize("few", [0, 3000])
def test_many_words_are_asked_for_in_few_ways(
    library: Database, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    """Three words may be in one table or the other; the two shortest are only compared."""
    orion = Publisher(name="Epsilon Delta")
    store(library, Book(title="Alpha Beta", subtitle="Gamma", publisher=orion), Book(title="Alpha"))
    term = "alpha beta gamma delta epsilon"
    assert len(alternatives(Book, COLUMNS, term, is_sqlite=False)) == 8
    with Session(library.writer) as session:
        assert found_by(session, term, few, monkeypatch) == {1}
        assert found_by(session, f"{term} zeta", few, monkeypatch) == set()


@pytest.mark.parametrize(
    ("column", "term", "found"),
    [
        ("^title", "emma", [1]),
        ("^title", "EM", [1]),
        ("^title", "mma", []),
        ("^title", "%", []),
        ("=title", "emma woodhouse", []),
        ("=title", "'EMMA Woodhouse'", [1]),
        ("=title", "'Emma Woodhous_'", []),
        ("^publisher.name", "ori", [1]),
        ("=publisher.name", "orion", [1]),
        ("=publisher.name", "orio", []),
        ("^summary", "born", [1]),
        ("=summary", "BORN", [1]),
        ("=id", "1", [1]),
        ("=id", "one", []),
        ("=id", "01", [1]),
        ("=id", "9" * 30, []),
        ("=pages", "432", [1]),
        ("=pages", "4", []),
        ("^pages", "4", [1]),
        ("=price", "7.50", [1]),
        ("=price", "7,50", []),
        ("=binding", "paperback", [1]),
        ("=binding", "paper", []),
        ("=printed_on", "1815-12-23", [1]),
        ("=printed_on", "1815", []),
        ("=acquired_at", "2020", []),
        ("tags.id", "novel", [1]),
        ("chapters.heading", "visit", [1]),
    ],
)
def test_a_column_says_how_words_are_compared(
    library: Database, column: str, term: str, found: list[int]
) -> None:
    emma = Book(title="Emma Woodhouse", summary="Born", pages=432, price=Decimal("7.5"))
    emma.binding, emma.printed_on = Binding.PAPERBACK, date(1815, 12, 23)
    emma.publisher = Publisher(name="Orion")
    emma.tags = [Tag(id="novel"), Tag(id="new novel")]
    emma.chapters = [Chapter(slug=slug, heading=f"A visit {slug}") for slug in "ab"]
    store(library, emma, Book(title="Dilemma", publisher=Publisher(name="Not Orion")))
    assert ids(library, [column], term) == found


def test_a_number_is_compared_as_a_number() -> None:
    """A cast would keep the database from using the index of the key."""
    assert "CAST" not in str(contains_words(Book, ["=id", "=pages"], "432"))


class Searched(ModelAdmin, model=Book):
    column_list = [Book.title]
    column_searchable_list = ["^title", "=id", "tags.id"]
    search_help_text = "Begin with the title & go on."
    form_columns = [Book.title]


def box(library: Database, view: type[ModelAdmin]) -> tuple[dict[str, str], str]:
    """Return the search box of a list and the text that describes it."""
    page = Page(visit(make_app(library, view)).get("/admin/book/list"))
    (field,) = page.root.find("input", id="search")
    described = page.root.find("small", id=field.attributes.get("aria-describedby", "-"))
    return field.attributes, "".join(element.text for element in described)


def test_a_line_below_the_box_says_how_words_are_found(library: Database) -> None:
    field, described = box(library, Searched)
    assert described == "Begin with the title & go on."
    assert field["placeholder"] == "Title, Id, Tags id"
    assert "one or two letters match only at the beginning" in box(library, EveryKind)[1]


def test_an_empty_text_is_no_line(library: Database) -> None:
    class Silent(EveryKind):
        search_help_text = ""

    assert box(library, Silent)[1] == ""


def test_a_search_through_many_related_rows_finds_a_row_once(library: Database) -> None:
    tags = [Tag(id="novel"), Tag(id="new novel")]
    store(library, Book(title="Emma", tags=tags), Book(title="Novel"))
    assert search(visit(make_app(library, Searched)), "nov") == ["Emma", "Novel"]


def test_a_search_of_its_own_has_no_alternatives(library: Database) -> None:
    class Own(EveryKind):
        def search_query(self, stmt: Any, term: str) -> Any:
            return stmt.where(Book.title == term)

    (view,) = make_app(library, Own).state.site.model_views()
    assert view.search_alternatives("emma") == []
    (view,) = make_app(library, EveryKind).state.site.model_views()
    assert view.search_alternatives("emma")
