"""Every kind of relation, key and column is recorded and comes back."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from admin.kit.history import Journal, undo
from models import Change, ChangeSet, HistoryHead
from models.database import Database
from tests.databases import Backend
from tests.history.conftest import summary
from tests.kit.app import Base, Binding, Book, Chapter, Cover, Publisher, Tag

JOURNAL = Journal(Base.registry, change_sets=ChangeSet, changes=Change, heads=HistoryHead)
Work = Any  # a function of a session and two numbers


@pytest.fixture
def tables(backend: Backend) -> Iterator[Connection]:
    with backend.shared.connect() as connection, connection.begin() as transaction:
        Base.metadata.create_all(connection)
        yield connection
        transaction.rollback()


@contextmanager
def opened(tables: Connection) -> Iterator[Database]:
    """Lend a recorded library that forgets."""
    with tables.begin_nested() as savepoint:
        raw = Database(tables, tables, join_transaction_mode="create_savepoint")
        yield raw.recorded_by(JOURNAL)
        savepoint.rollback()


@pytest.fixture
def library(tables: Connection) -> Iterator[Database]:
    with opened(tables) as database:
        yield database


def rows(session: Session) -> list[Any]:
    """Return all that is stored, but for versions."""
    return [
        {name: value for name, value in row.items() if name != "version"}
        for table in Base.metadata.sorted_tables
        for row in session.execute(select(table).order_by(*table.primary_key.columns)).mappings()
    ]


def operations(database: Database) -> list[Any]:
    stmt = select(ChangeSet.operation).order_by(ChangeSet.id)
    return database.read(lambda session: list(session.scalars(stmt)))


def pick(session: Session, model: Any, number: int) -> Any:
    found = list(session.scalars(select(model).order_by(*model.__table__.primary_key.columns)))
    return found[number % len(found)] if found else None


def add_book(session: Session, number: int, other: int) -> None:
    publisher, tag = pick(session, Publisher, other), pick(session, Tag, other)
    book = Book(title=f"Book {number}", price=Decimal(number) / 4, binding=Binding.PAPERBACK)
    book.printed_on, book.lendable = date(2026, 1, 1 + number), [None, True, False][other % 3]
    book.acquired_at = datetime(2026, 1, 1, other, tzinfo=UTC)
    book.publisher = publisher
    book.cover = Cover(artist=f"Artist {other}") if other % 2 else None
    book.chapters = [Chapter(slug=f"{n};~é", heading=f"Chapter {n}") for n in range(number % 3)]
    book.tags = [tag] if tag else []
    session.add(book)


def add_publisher(session: Session, number: int, other: int) -> None:
    count = len(list(session.scalars(select(Publisher))))
    session.add(Publisher(name=f"Publisher {number} {count} {other}"))


def add_tag(session: Session, number: int, other: int) -> None:
    if session.get(Tag, f"tag;{number}") is None:
        session.add(Tag(id=f"tag;{number}"))


def retag(session: Session, number: int, other: int) -> None:
    book, tag = pick(session, Book, number), pick(session, Tag, other)
    if book and tag:
        book.tags.remove(tag) if tag in book.tags else book.tags.append(tag)


def recover(session: Session, number: int, other: int) -> None:
    """Replace the cover: the old one is an orphan, and both have the same unique book."""
    if book := pick(session, Book, number):
        book.cover = None
        session.flush()
        book.cover = Cover(artist=f"Another {other}")


def drop_chapters(session: Session, number: int, other: int) -> None:
    if book := pick(session, Book, number):
        book.chapters.clear()


def rename_chapter(session: Session, number: int, other: int) -> None:
    if chapter := pick(session, Chapter, number):
        chapter.slug = f"{other}{chapter.slug}"[:50]


def delete(model: Any) -> Work:
    def work(session: Session, number: int, other: int) -> None:
        obj = pick(session, model, number)
        if obj is not None and not (model is Publisher and obj.books):
            session.delete(obj)

    return work


def undo_last(session: Session, number: int, other: int) -> None:
    stmt = select(ChangeSet.operation).order_by(ChangeSet.id.desc()).limit(1)
    if last := session.scalar(stmt):
        undo(JOURNAL, session, last)


WORK: dict[str, Work] = {
    "add book": add_book,
    "add publisher": add_publisher,
    "add tag": add_tag,
    "retag": retag,
    "recover": recover,
    "drop chapters": drop_chapters,
    "rename chapter": rename_chapter,
    "delete book": delete(Book),
    "delete tag": delete(Tag),
    "delete publisher": delete(Publisher),
    "delete cover": delete(Cover),
    "undo": undo_last,
}
STEPS = st.lists(st.tuples(st.sampled_from(sorted(WORK)), st.integers(0, 9), st.integers(0, 9)))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(steps=STEPS)
def test_undoing_everything_leads_back(
    tables: Connection, steps: list[tuple[str, int, int]]
) -> None:
    with opened(tables) as database:
        for work in (add_publisher, add_tag, add_book, add_book):
            database.write(partial(work, number=2, other=1))
        start, first = database.read(rows), len(operations(database))
        for name, number, other in steps:
            database.write(partial(WORK[name], number=number, other=other))
        end, done = database.read(rows), operations(database)[first:]
        for operation in reversed(done):
            database.write(partial(undo, JOURNAL, operation=operation))
        assert database.read(rows) == start
        for operation in reversed(operations(database)[first + len(done) :]):
            database.write(partial(undo, JOURNAL, operation=operation))
        assert database.read(rows) == end


def test_a_link_is_a_change_of_its_own(library: Database) -> None:
    library.write(lambda s: s.add_all([Tag(id="old"), Book(title="Emma")]))
    library.write(partial(retag, number=0, other=0))
    ((action, table, key, _, after),) = summary(library)
    assert (action, table, key) == ("create", "book_tags", "1;old")
    assert after == '{"book_id":1,"tag_id":"old"}'


def test_links_go_with_what_they_link(library: Database) -> None:
    library.write(lambda s: s.add(Book(title="Emma", tags=[Tag(id="old")])))
    library.write(partial(delete(Book), number=0, other=0))
    assert [entry[:2] for entry in summary(library)] == [
        ("delete", "book_tags"),
        ("delete", "books"),
    ]
