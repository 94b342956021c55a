"""What lists read of rows and of related objects, and how their statements are put together."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import event, func, insert, inspect, select, text
from sqlalchemy.orm import ORMExecuteState, Session, with_loader_criteria
from starlette.requests import Request

from admin.kit import ModelAdmin
from admin.kit.lists.counting import estimate
from admin.kit.lists.statements import select_whole
from admin.kit.reading import attributes_read, name_columns
from models.database import Database
from tests.databases import Postgresql, statements
from tests.kit.app import Book, BookAdmin, Chapter, ChapterAdmin, Cover, Publisher, make_app
from tests.kit.pages import cells, links, store
from tests.personas import visit

CHAPTERS = "/admin/chapter/list"


@pytest.fixture
def chapters(library: Database) -> Database:
    book = Book(title="Emma", subtitle="A comedy")
    store(library, Chapter(slug="s", heading="One", book=book))
    return library


@pytest.fixture
def listening() -> Iterator[Callable[..., None]]:
    """Listen to an event until the test is over."""
    heard: list[Any] = []

    def listen(*arguments: Any) -> None:
        event.listen(*arguments)
        heard.append(arguments)

    yield listen
    for arguments in heard:
        event.remove(*arguments)


def asked(database: Database, *views: type[ModelAdmin]) -> str:
    """Return what is asked for the list of chapters."""
    with statements(database) as seen:
        page = visit(make_app(database, *views)).get(CHAPTERS)
    assert cells(page) == [["One", "Emma"]]
    return "\n".join(seen)


# Related objects


def test_of_a_related_object_only_its_name_and_key_are_read(chapters: Database) -> None:
    assert "subtitle" not in asked(chapters, ChapterAdmin, BookAdmin)
    page = visit(make_app(chapters, ChapterAdmin, BookAdmin)).get(CHAPTERS)
    assert links(page, "Emma") == ["/admin/book/details/1"]


def test_an_empty_relation_is_empty(library: Database) -> None:
    class Books(ModelAdmin, model=Book):
        column_list = [Book.title, Book.publisher]
        form_columns = [Book.title]

    store(library, Book(title="Emma"), Book(title="Walden", publisher=Publisher(name="Orion")))
    page = visit(make_app(library, Books)).get("/admin/book/list")
    assert sorted(cells(page)) == [["Emma", "–"], ["Walden", "Orion"]]


def test_one_that_somebody_waits_for_is_read_whole(
    chapters: Database, listening: Callable[..., None]
) -> None:
    listening(Book, "load", lambda *_: None)
    assert "subtitle" in asked(chapters, ChapterAdmin, BookAdmin)


def test_one_that_a_permission_looks_at_is_read_whole(chapters: Database) -> None:
    class Comedies(BookAdmin, model=Book):
        def has_permission(self, request: Request, action: str, model: Any = None) -> bool:
            return model is None or model.subtitle == "A comedy"

    assert "subtitle" in asked(chapters, ChapterAdmin, Comedies)
    page = visit(make_app(chapters, ChapterAdmin, Comedies)).get(CHAPTERS)
    assert links(page, "Emma") == ["/admin/book/details/1"]


def test_a_name_is_known_where_columns_are_all_it_is_made_of() -> None:
    assert name_columns(inspect(Book)) == frozenset({"title"})
    assert name_columns(inspect(Cover)) is None


def one(book: Any) -> str:
    return f"{book.title} ({book.pages:d})"


def either(book: Any) -> str:
    return str(book.title.upper() if book.pages else book.subtitle)


@pytest.mark.parametrize(
    ("function", "names"), [(one, ["pages", "title"]), (either, ["pages", "subtitle", "title"])]
)
def test_what_is_read_in_any_branch_is_read(function: Any, names: list[str]) -> None:
    assert attributes_read(function) == frozenset(names)


def given_away(book: Any) -> str:
    return one(book)


def by_format(book: Any) -> str:
    return "{0.title}".format(book)  # noqa: UP030, UP032


def within(book: Any) -> str:
    return "".join(book.title for _ in range(2))


def renamed(book: Any) -> str:
    book = book.publisher
    return str(book.name)


def called(book: Any) -> str:
    return locals()["book"].title  # type: ignore[no-any-return]


class Above(Book):
    __abstract__ = True

    def __str__(self) -> str:
        return super().__str__()


@pytest.mark.parametrize(
    "function",
    [given_away, by_format, within, renamed, called, Above.__str__, object.__str__, max],
)
def test_what_may_read_more_is_not_known(function: Any) -> None:
    assert attributes_read(function) is None


# Statements


def test_what_an_application_does_to_each_statement_holds_for_lists(
    library: Database, listening: Callable[..., None]
) -> None:
    def hide(state: ORMExecuteState) -> None:
        criteria = with_loader_criteria(Book, Book.subtitle.is_(None))
        state.statement = state.statement.options(criteria)

    listening(library.read_sessions, "do_orm_execute", hide)
    store(library, Book(title="Emma", subtitle="A comedy"), Book(title="Walden"))

    class Titles(ModelAdmin, model=Book):
        column_list = [Book.title]
        form_columns = [Book.title]

    assert cells(visit(make_app(library, Titles)).get("/admin/book/list")) == [["Walden"]]


@pytest.mark.parametrize("query", ["", "?sortBy=-heading", "?page=2", "?sortBy=heading&last=1"])
def test_pages_of_one_kind_share_a_statement(library: Database, query: str) -> None:
    class Headings(ChapterAdmin, model=Chapter):
        column_sortable_list = [Chapter.heading]

    client = visit(make_app(library, Headings))
    client.get(f"{CHAPTERS}{query}")
    before = select_whole.cache_info().misses
    client.get(f"{CHAPTERS}{query}")
    assert select_whole.cache_info().misses == before


class TestOnPostgresql:
    @pytest.fixture
    def backend(self, postgresql: Postgresql) -> Postgresql:
        return postgresql

    def test_a_plan_is_compiled_once_for_each_kind_of_statement(self, library: Database) -> None:
        def fill(session: Session) -> None:
            session.execute(insert(Publisher), [{"name": f"P{n}"} for n in range(1000)])
            session.execute(text("ANALYZE publishers"))

        def work(session: Session) -> list[int]:
            session.connection(execution_options={"compiled_cache": cache})
            return [estimate(session, counted(most))[1] for most in (10, 900)]

        cache: dict[Any, Any] = {}
        library.write(fill)
        few, many = library.write(work)
        assert few < 100
        assert many > 800
        assert len(cache) == 1


def counted(most: int) -> Any:
    some = select(Publisher.id).where(Publisher.id <= most).limit(5000).subquery()
    return select(func.count()).select_from(some)
