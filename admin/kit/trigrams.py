"""What an index over trigrams is asked, in the words of the database at hand.

It is an `Index` whose `info` has "trigrams". On PostgreSQL it is one of pg_trgm, which serves
ILIKE; on SQLite that entry names a table of FTS5 over the same columns, by their one key, in which
START stands before each text and END after it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Boolean, ColumnClause, Integer, column, func, select, table
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import UnaryExpression
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.operators import custom_op
from sqlalchemy.sql.visitors import replacement_traverse

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Column, ColumnElement, Index, Select, Table
    from sqlalchemy.sql.compiler import SQLCompiler

PLUS: Any = custom_op("+")
START, END = "\2\2", "\3"
# As many rows as are sorted or counted about as fast as a page is found by walking an index.
FEW = 3000


class ByDialect(FunctionElement[bool]):
    """A condition that SQLite is asked in its own way."""

    inherit_cache = True
    type = Boolean()

    def __init__(self, elsewhere: ColumnElement[bool], on_sqlite: ColumnElement[bool]) -> None:
        super().__init__(elsewhere.self_group(), on_sqlite.self_group())

    def self_group(self, against: Any = None) -> ByDialect:
        """Stay as it is: compared with 1, as SQLite's truths are, no index would serve it."""
        return self


@compiles(ByDialect)
def elsewhere(element: ByDialect, compiler: SQLCompiler, **options: Any) -> str:
    return f"({compiler.process(element.clauses.clauses[0], **options)})"


@compiles(ByDialect, "sqlite")
def on_sqlite(element: ByDialect, compiler: SQLCompiler, **options: Any) -> str:
    return f"({compiler.process(element.clauses.clauses[1], **options)})"


def trigram_index(searched: Table) -> Index | None:
    """Return the table's index over trigrams, if it has one and a key that FTS5 can keep."""
    keys = searched.primary_key.columns.values()
    if len(keys) != 1 or not isinstance(keys[0].type, Integer):
        return None
    return next((index for index in searched.indexes if index.info.get("trigrams")), None)


def indexed_names(searched: Table) -> set[str]:
    """Return the names of the columns over which the table has an index of trigrams."""
    index = trigram_index(searched)
    return set() if index is None else {column.name for column in index.columns}


def key_of(searched: Table) -> Column[Any]:
    (key,) = searched.primary_key.columns
    return key


def matches(searched: Table, expression: str, *, at_most: int | None = None) -> Select[Any]:
    """Return, on SQLite, the keys of the rows that match this expression of FTS5."""
    index = trigram_index(searched)
    if index is None:
        raise LookupError(f"{searched.name} has no index over trigrams.")
    name = index.info["trigrams"]
    fts = table(name, column("rowid", Integer()), column(name))
    return select(fts.c.rowid).where(fts.c[name].op("MATCH")(expression)).limit(at_most)


def is_in(key: ColumnElement[Any], keys: Select[Any], *, leads: bool = True) -> ColumnElement[bool]:
    """Say that the key is among them; one that doesn't lead is only compared, row by row."""
    return (key if leads else key + 0).in_(keys)


def unindexed_column(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return UnaryExpression(column, operator=PLUS, type_=column.type)


def unindexed(condition: ColumnElement[bool], searched: Table) -> ColumnElement[bool]:
    """Return the condition with a plus before the table's columns: SQLite then uses no index.

    Without statistics it takes any index for one that leaves ten rows.
    """

    def replace(element: Any, **_options: Any) -> Any:
        is_own = isinstance(element, ColumnClause) and hash(element.table) == hash(searched)
        return unindexed_column(element) if is_own else None

    return replacement_traverse(condition, {}, replace)


def are_more(found: Select[Any], most: int) -> ColumnElement[bool]:
    """Say whether the select, which costs little to begin, finds more rows than that."""
    # SQLite counts once what has a name, however often it is asked.
    counted = select(func.count().label("rows")).select_from(found.limit(most + 1).subquery()).cte()
    return select(counted.c.rows).scalar_subquery() > most


def every(parts: Iterable[str]) -> str:
    return " AND ".join(f"({part})" for part in parts)


def phrase(names: Sequence[str], text: str, *, starts: bool = False, ends: bool = False) -> str:
    """Return the expression for a text within one of the columns, each character as it is."""
    marked = f"{START if starts else ''}{text}{END if ends else ''}"
    return f"{{{' '.join(map(quoted, names))}}} : {quoted(marked)}"


def quoted(text: str) -> str:
    doubled = text.replace('"', '""')
    return f'"{doubled}"'
