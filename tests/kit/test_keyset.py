"""Walking through a table in chunks, in any order."""

from collections.abc import Iterator
from datetime import UTC
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Select, delete, insert, inspect, select, text
from sqlalchemy.orm import Session
from starlette.requests import Request

from admin.kit.lists.keyset import Term, cursor, seek
from admin.kit.lists.query import Query, order
from models.database import Database
from tests.kit.app import Binding, Book, Chapter, Publisher

COLUMNS: dict[str, st.SearchStrategy[Any]] = {
    "title": st.text("aÄB", max_size=2),
    "subtitle": st.none() | st.text("ab ", max_size=1),
    "pages": st.none() | st.integers(1, 3),
    "price": st.none() | st.decimals(0, 2, places=2),
    "binding": st.none() | st.sampled_from(Binding),
    "lendable": st.none() | st.booleans(),
    "printed_on": st.none() | st.dates(),
    "acquired_at": st.none() | st.datetimes(timezones=st.just(UTC)),
    "publisher_id": st.none() | st.sampled_from([1, 2]),
}
ORDERS = st.dictionaries(st.sampled_from([*COLUMNS, "id", "publisher.name"]), st.booleans())
SETTINGS = settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def ordered(orders: dict[str, bool]) -> tuple[Query, list[Term]]:
    """Return what a list of books with this order would ask for."""
    view: Any = SimpleNamespace(
        model=Book, pk_columns=inspect(Book).primary_key, default_sort=list(orders.items())
    )
    query = Query(Book, select(Book))
    return query, order(view, Request({"type": "http", "query_string": b""}), query)


def walk(session: Session, query: Query, terms: list[Term], size: int) -> Iterator[list[int]]:
    """Yield the ids, chunk by chunk."""
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    stmt = query.first(terms, [], size)
    while chunk := session.execute(stmt.add_columns(*cursor(terms))).all():
        yield [row[0].id for row in chunk]
        last = tuple(chunk[-1][1:])
        conditions = seek(terms, last, nulls_are_largest=is_postgresql)
        stmt = query.first(terms, conditions, size)


def all_ids(session: Session, query: Query, terms: list[Term]) -> list[int]:
    return [book.id for book in session.scalars(query.first(terms, [], 1000))]


def add_books(session: Session, rows: list[dict[str, Any]]) -> None:
    session.execute(insert(Publisher), [{"id": 1, "name": "A"}, {"id": 2, "name": "b"}])
    session.execute(insert(Book), [{"title": "", **row} for row in rows])


@SETTINGS
@given(
    rows=st.lists(st.fixed_dictionaries(COLUMNS), min_size=1, max_size=9),
    orders=ORDERS,
    size=st.integers(1, 4),
)
def test_a_walk_visits_each_row_once_in_the_order_asked_for(
    library: Database, rows: list[dict[str, Any]], orders: dict[str, bool], size: int
) -> None:
    query, terms = ordered(orders)
    with Session(library.writer) as session:
        add_books(session, rows)
        at_once = all_ids(session, query, terms)
        in_chunks = [id_ for chunk in walk(session, query, terms, size) for id_ in chunk]
    assert in_chunks == at_once
    assert len(at_once) == len(rows)


@SETTINGS
@given(
    pages=st.lists(st.none() | st.integers(1, 4), min_size=4, max_size=9),
    descending=st.booleans(),
    gone=st.sets(st.integers(1, 9), max_size=4),
    come=st.lists(st.none() | st.integers(1, 5), max_size=4),
)
def test_rows_that_come_and_go_meanwhile_move_no_others(
    library: Database,
    pages: list[int | None],
    descending: bool,
    gone: set[int],
    come: list[int | None],
) -> None:
    query, terms = ordered({"pages": descending})
    seen: list[int] = []
    with Session(library.writer) as session:
        ids = range(1, len(pages) + 1)
        rows = zip(ids, pages, strict=True)
        add_books(session, [{"id": id_, "pages": number} for id_, number in rows])
        for chunk in walk(session, query, terms, 2):
            if not seen:
                session.execute(delete(Book).where(Book.id.in_(gone)))
                for number, value in enumerate(come):
                    session.execute(insert(Book).values(id=100 + number, title="", pages=value))
            seen += chunk
    assert len(seen) == len(set(seen))
    assert set(ids) - gone <= set(seen)


def test_times_that_the_database_filled_in_are_not_skipped(sqlite: Any) -> None:
    """SQLite stores CURRENT_TIMESTAMP without microseconds; SQLAlchemy binds times with them."""
    database = sqlite.open(sqlite.empty())
    Book.metadata.create_all(database.writer)
    query, terms = ordered({"acquired_at": False})
    with Session(database.writer) as session:
        for _ in range(5):
            session.execute(
                text(
                    "INSERT INTO books (title, summary, acquired_at, version) "
                    "VALUES ('', '', '2024-01-01 00:00:00', 1)"
                )
            )
        assert [id_ for chunk in walk(session, query, terms, 2) for id_ in chunk] == [1, 2, 3, 4, 5]
    database.dispose()


@pytest.mark.parametrize("descending", [False, True])
def test_postgresql_finds_the_next_chunk_by_an_index(postgresql: Any, descending: bool) -> None:
    """A chunk deep inside the table reads as few pages as the first."""
    database = postgresql.open(postgresql.empty())
    Book.metadata.create_all(database.writer)
    terms = [Term(column, descending) for column in inspect(Chapter).primary_key]
    with Session(database.writer) as session:
        session.execute(text("INSERT INTO books (id, title, summary) VALUES (1, '', '')"))
        session.execute(
            text(
                "INSERT INTO chapters SELECT 1, lpad(n::text, 9, '0'), '' "
                "FROM generate_series(1, 20000) n"
            )
        )
        session.execute(text("ANALYZE chapters"))
        conditions = seek(terms, (1, "000010000"), nulls_are_largest=True)
        stmt = Query(Chapter, select(Chapter)).first(terms, conditions, 10)
        plan = explain(session, stmt)
    database.dispose()
    postgresql.drop(database.writer.engine.url)
    assert "Index Cond: (ROW(book_id" in plan
    assert "Filter" not in plan
    assert "Sort" not in plan


def explain(session: Session, stmt: Select[Any]) -> str:
    compiled = stmt.compile(session.get_bind(), compile_kwargs={"render_postcompile": True})
    connection = session.connection()
    rows = connection.exec_driver_sql(f"EXPLAIN {compiled}", compiled.params)
    return "\n".join(row[0] for row in rows)
