"""The rows after a given one, in any order, by their values instead of an offset.

An index serves the comparison, so the thousandth chunk costs what the first one does; rows that
come or go meanwhile shift nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, false, or_, tuple_, type_coerce
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
        return bindparam(None, value, type_=NullType(), unique=True)

    @property
    def order(self) -> UnaryExpression[Any]:
        return self.column.desc() if self.descending else self.column.asc()


def cursor(terms: Sequence[Term]) -> list[Label[Any]]:
    """Return what to select besides a row, to know where it stands."""
    return [term.value.label(f"cursor_{number}") for number, term in enumerate(terms)]


def after(
    terms: Sequence[Term], values: Sequence[Any], *, nulls_are_largest: bool
) -> ColumnElement[bool]:
    """Return the condition for rows that come after the row with this `cursor`.

    The terms end with a unique key. `nulls_are_largest` is true of PostgreSQL and false of SQLite.
    """
    if is_uniform(terms) and None not in values:
        columns = tuple_(*(term.value for term in terms))
        bound = tuple_(*map(Term.literal, terms, values))
        return columns < bound if terms[0].descending else columns > bound
    pairs = list(zip(terms, values, strict=True))
    return or_(
        *(
            and_(
                *(ties(*pair) for pair in pairs[:depth]), follows(*pairs[depth], nulls_are_largest)
            )
            for depth in range(len(pairs))
        )
    )


def is_uniform(terms: Sequence[Term]) -> bool:
    """Say whether a comparison of tuples, which an index can serve, means this order."""
    same_direction = len({term.descending for term in terms}) == 1
    return same_direction and not any(term.nullable for term in terms)


def ties(term: Term, value: Any) -> ColumnElement[bool]:
    return term.column.is_(None) if value is None else term.value == term.literal(value)


def follows(term: Term, value: Any, nulls_are_largest: bool) -> ColumnElement[bool]:
    """Return the condition for a value of this one column that comes after `value`."""
    nulls_come_last = nulls_are_largest != term.descending
    if value is None:
        return false() if nulls_come_last else term.column.is_not(None)
    bound = term.literal(value)
    beyond = term.value < bound if term.descending else term.value > bound
    return or_(beyond, term.column.is_(None)) if term.nullable and nulls_come_last else beyond
