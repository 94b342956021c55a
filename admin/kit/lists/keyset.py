"""The rows after a given one, in any order, by their values instead of an offset.

An index serves each comparison, so the thousandth page costs what the first one does; rows that
come or go meanwhile shift nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any, Self

from sqlalchemy import BindParameter, ColumnElement, and_, bindparam, tuple_, type_coerce
from sqlalchemy.sql.elements import Label, UnaryExpression
from sqlalchemy.types import NullType


@dataclass(frozen=True)
class Term:
    """One column of an order."""

    column: ColumnElement[Any]
    descending: bool = False
    nullable: bool = False

    @property
    def value(self) -> ColumnElement[Any]:
        """The column as the driver hands it out.

        A value that a type has converted may differ from the stored one, such as a time without
        microseconds on SQLite; the comparison would then skip or repeat rows.
        """
        return type_coerce(self.column, NullType())

    def literal(self, value: Any) -> ColumnElement[Any]:
        if isinstance(value, BindParameter):
            return value
        return bindparam(None, value, type_=NullType(), unique=True)

    @property
    def order(self) -> UnaryExpression[Any]:
        return self.column.desc() if self.descending else self.column.asc()

    @property
    def reversed(self) -> Self:
        return replace(self, descending=not self.descending)


Pair = tuple[Term, Any]


def cursor(terms: Sequence[Term]) -> list[Label[Any]]:
    """Return what to select besides a row, to know where it stands."""
    return [term.value.label(f"cursor_{number}") for number, term in enumerate(terms)]


def seek(
    terms: Sequence[Term],
    values: Sequence[Any],
    *,
    nulls_are_largest: bool,
    inclusive: bool = False,
) -> list[ColumnElement[bool]]:
    """Return conditions; a row that comes after the one with this `cursor` meets one of them.

    Ask for each of them apart: an index over the terms serves each, and no index serves them
    joined by OR. `inclusive` adds the row itself; the values of only the first terms then stand
    for the first row that has them. `nulls_are_largest` is true of PostgreSQL, false of SQLite.
    Instead of a value, a parameter may be given, which stands for more than NULL.
    """
    pairs = list(zip(terms, values, strict=False))
    start = len(pairs) - len(uniform_end(pairs))
    found = [
        and_(*ties(pairs[:depth]), condition)
        for depth in range(start)
        for condition in beyond(*pairs[depth], nulls_are_largest)
    ]
    if start < len(pairs):
        found.append(and_(*ties(pairs[:start]), *compared(pairs[start:], inclusive=inclusive)))
    elif inclusive:
        found.append(and_(*ties(pairs)))
    for depth in range(start, len(pairs)):
        term = pairs[depth][0]
        if term.nullable and nulls_are_largest != term.descending:
            found.append(and_(*ties(pairs[:depth]), term.column.is_(None)))
    return found


def uniform_end(pairs: Sequence[Pair]) -> list[Pair]:
    """Return the last pairs that one comparison of tuples can stand for."""
    downwards = pairs[-1][0].descending
    backwards = reversed(pairs)
    return [*takewhile(lambda pair: is_uniform(pair, downwards), backwards)][::-1]


def is_uniform(pair: Pair, downwards: bool) -> bool:
    return pair[0].descending == downwards and pair[1] is not None


def compared(pairs: Sequence[Pair], *, inclusive: bool) -> Iterator[ColumnElement[bool]]:
    """Yield the comparison of tuples, and one of the first column if an index needs it."""
    first, value = pairs[0]
    if len({term.column.table for term, _ in pairs if hasattr(term.column, "table")}) > 1:
        # No index spans two tables, but one may lead to where the first column begins.
        bound = first.literal(value)
        yield first.value <= bound if first.descending else first.value >= bound
    columns = tuple_(*(term.value for term, _ in pairs))
    bounds = tuple_(*(term.literal(value) for term, value in pairs))
    if inclusive:
        yield columns <= bounds if first.descending else columns >= bounds
    else:
        yield columns < bounds if first.descending else columns > bounds


def ties(pairs: Sequence[Pair]) -> list[ColumnElement[bool]]:
    return [
        term.column.is_(None) if value is None else term.value == term.literal(value)
        for term, value in pairs
    ]


def beyond(term: Term, value: Any, nulls_are_largest: bool) -> list[ColumnElement[bool]]:
    """Return the conditions for a value of this one column that comes after `value`."""
    nulls_come_last = nulls_are_largest != term.descending
    if value is None:
        return [] if nulls_come_last else [term.column.is_not(None)]
    bound = term.literal(value)
    further = term.value < bound if term.descending else term.value > bound
    return [further, term.column.is_(None)] if term.nullable and nulls_come_last else [further]
