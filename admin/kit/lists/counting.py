"""How many rows there are, told without reading them all."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    ClauseElement,
    Executable,
    ScalarSelect,
    Select,
    case,
    cast,
    column,
    func,
    literal,
    select,
    table,
    true,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import OID
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.visitors import InternalTraversal
from sqlalchemy.types import NullType

from admin.kit.formats import write_number
from admin.kit.languages import gettext

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy import ColumnElement, Dialect, Table
    from sqlalchemy.orm import Session
    from sqlalchemy.sql.compiler import SQLCompiler

    from admin.kit.lists.query import Query

MOST_COUNTED = 10_000  # rows
MOST_FOUND = 1_000  # rows that a search finds, for which an index has to look at each
# In units of PostgreSQL: five thousand take some milliseconds. What is dearer waits to be asked.
MOST_COST = 5_000.0
# Rows that an index over trigrams names for all words, each apart, before the first one is counted.
MOST_NAMED = 20_000


CLASSES = table("pg_class", column("oid"), column("reltuples"))


class Kind(Enum):
    """How far a count is to be trusted."""

    EXACT = "exact"
    AT_LEAST = "at least"
    ABOUT = "about"


@dataclass(frozen=True)
class Count:
    """A number of rows; printed, it says how far it is to be trusted."""

    number: int
    kind: Kind = Kind.EXACT

    @property
    def is_exact(self) -> bool:
        return self.kind is Kind.EXACT

    def at_least(self, number: int) -> Count:
        """Return the count, knowing that there are so many."""
        wrong = self.number < number and not self.is_exact
        return Count(number, Kind.AT_LEAST) if wrong else self

    def __str__(self) -> str:
        number = write_number(self.number)
        if self.kind is Kind.ABOUT:
            return gettext("about %(count)s", count=number)
        return f"{number}+" if self.kind is Kind.AT_LEAST else number


def count_exactly(session: Session, query: Query) -> Count:
    """Count every row, however long it takes."""
    stmt = query.stmt.with_only_columns(func.count(), maintain_column_froms=True)
    return Count(session.scalar(stmt) or 0)


def count(session: Session, query: Query, known_size: int | None = None) -> Count:
    """Count up to `MOST_COUNTED` rows; where even that takes long, PostgreSQL estimates.

    SQLite has no estimates, and no network in between. Where rows are hidden, nothing is estimated:
    what PostgreSQL knows of a table, it knows of all of its rows. `known_size` is what `size_of`
    said.
    """
    is_estimated = session.get_bind().dialect.name == "postgresql" and not query.hides_rows
    if is_estimated and query.is_whole:
        rows = size(session, query) if known_size is None else known_size
        if rows > MOST_COUNTED:
            return Count(rounded(rows), Kind.ABOUT)
    most = MOST_FOUND if query.ways else MOST_COUNTED
    if query.ways and all(way.when is not None for way in query.ways):
        return count_sample(session, query, most)
    stmt = select(func.count()).select_from(query.some(most + 1).subquery())
    if is_estimated and not query.is_whole:
        cost, rows, named = estimate(session, stmt)
        is_dear = bool(query.ways) and named > MOST_NAMED
        if rows > MOST_COUNTED or (is_dear and rows > most):
            return Count(rounded(rows), Kind.ABOUT)
        if is_dear or cost > MOST_COST:
            return Count(0, Kind.AT_LEAST)
    number = session.scalar(stmt) or 0
    return Count(number) if number <= most else Count(most, Kind.AT_LEAST)


def count_sample(session: Session, query: Query, most: int) -> Count:
    """Count what was searched for on SQLite, as far as a few rows of each table tell."""
    some, is_cut = query.sample(most + 1)
    counted = select(func.count().label("rows")).select_from(some.subquery()).subquery()
    is_part = case((counted.c.rows > most, true()), else_=is_cut)
    number, is_least = session.execute(select(counted.c.rows, is_part)).one()
    return Count(min(number, most), Kind.AT_LEAST if is_least else Kind.EXACT)


def sorts(session: Session, stmt: Select[Any], values: Mapping[str, Any]) -> bool:
    """Say whether SQLite would sort all the rows it finds to answer with the first ones."""
    # The steps of a plan are none of the columns, whose types would read them.
    columns: list[Any] = [type_coerce(column, NullType()) for column in stmt.selected_columns]
    untyped = stmt.with_only_columns(*columns, maintain_column_froms=True)
    plan = session.execute(Explain(untyped), values).all()
    return any("TEMP B-TREE FOR ORDER BY" in step[-1] for step in plan)


def bounded(stmt: Select[Any], most: int) -> ScalarSelect[int]:
    """Return what counts the rows, but no more than one beyond the most that are told."""
    some = stmt.with_only_columns(literal(1).label("one"), maintain_column_froms=True)
    rows = some.order_by(None).limit(most + 1).subquery()
    return select(func.count()).select_from(rows).scalar_subquery()


@lru_cache(maxsize=1000)
def size_of(table: Table, dialect: Dialect) -> ColumnElement[int]:
    """Return what selects how many rows PostgreSQL counted when it last looked, -1 for never."""
    found = cast(func.to_regclass(dialect.identifier_preparer.format_table(table)), OID)
    stmt = select(cast(CLASSES.c.reltuples, BigInteger)).where(CLASSES.c.oid == found)
    return stmt.scalar_subquery().label("table_size")


def bounded_query(query: Query, most: int) -> ScalarSelect[int]:
    """Return the same for rows that may be searched for, in each table by its own index."""
    if len(query.ways) > 1:
        return select(func.count()).select_from(query.some(most + 1).subquery()).scalar_subquery()
    return bounded(query.stmt, most)


def size(session: Session, query: Query) -> int:
    return session.scalar(select(size_of(query.table, session.get_bind().dialect))) or -1


def estimate(session: Session, stmt: Select[Any]) -> tuple[float, int, int]:
    """Return what PostgreSQL thinks that a limited statement costs, and how many rows there are.

    And how many its bitmaps name, which costs more than it thinks where words are common.
    """
    (found,) = session.execute(Explain(stmt)).scalar_one()
    plan = found["Plan"]
    nodes = list(walk(plan))
    rows = sum(node["Plans"][0]["Plan Rows"] for node in nodes if is_limit(node))
    named = sum(node["Plan Rows"] for node in nodes if node["Node Type"] == "Bitmap Index Scan")
    return plan["Total Cost"], int(rows), int(named)


def walk(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield node
    for below in node.get("Plans", ()):
        yield from walk(below)


def is_limit(node: Mapping[str, Any]) -> bool:
    return bool(node["Node Type"] == "Limit")


def rounded(number: int) -> int:
    """Return two digits of an estimate: more would look like knowledge."""
    step = 10 ** max(0, len(str(number)) - 2)
    return int(round(number / step) * step)


class Explain(Executable, ClauseElement):
    """The database's plan of a statement, which isn't run."""

    # So each kind of statement is compiled once, as others are: it takes more than the rows.
    # SQLAlchemy's names for that are not quite public: a test says that they still work.
    _traverse_internals = [("stmt", InternalTraversal.dp_clauseelement)]
    _all_selected_columns = ()

    def __init__(self, stmt: Select[Any]) -> None:
        self.stmt = stmt


@compiles(Explain, "postgresql")
def explain(element: Explain, compiler: SQLCompiler, **options: Any) -> str:
    return "EXPLAIN (FORMAT JSON) " + compiler.process(element.stmt, **options)


@compiles(Explain, "sqlite")
def explain_query_plan(element: Explain, compiler: SQLCompiler, **options: Any) -> str:
    return "EXPLAIN QUERY PLAN " + compiler.process(element.stmt, **options)
