"""The selects of a list's pages; what nobody narrowed is asked by one that is put together once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Integer, bindparam, select
from sqlalchemy.types import NullType

from admin.kit.lists.keyset import cursor, seek
from admin.kit.lists.query import Query

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import ColumnElement, Select

    from admin.kit.lists.keyset import Term
    from admin.kit.lists.loading import Objects, Values

MOST, SKIPPED = bindparam("most", type_=Integer), bindparam("skipped", type_=Integer)


@dataclass(frozen=True)
class Leg:
    """Which rows to read at once: the first ones, or those next to a row, whose cursor is given.

    `given` has, for each value of that cursor, whether it is more than NULL; the values themselves
    are parameters, as are the numbers of rows to read and to skip.
    """

    terms: tuple[Term, ...]
    given: tuple[bool, ...] = ()
    skips: bool = False
    inclusive: bool = False
    nulls_are_largest: bool = False

    @property
    def conditions(self) -> list[ColumnElement[bool]]:
        """Return conditions, of which each row that comes after the given one meets one."""
        if not self.given:
            return []
        values = [value_at(n) if is_given else None for n, is_given in enumerate(self.given)]
        largest, inclusive = self.nulls_are_largest, self.inclusive
        return seek(self.terms, values, nulls_are_largest=largest, inclusive=inclusive)

    def select(
        self,
        query: Query,
        loading: Objects | Values,
        extra: Iterable[ColumnElement[Any]],
    ) -> Select[Any]:
        """Return what selects the rows: what is loaded of each, its cursor, and these columns."""
        stmt = query.first(self.terms, self.conditions, MOST, SKIPPED if self.skips else None)
        return loading.select(stmt).add_columns(*cursor(self.terms), *extra)


def value_at(number: int) -> ColumnElement[Any]:
    return bindparam(value_name(number), type_=NullType())


def value_name(number: int) -> str:
    """Return a name that no column's own parameter has: those end with a number."""
    return f"value_{number}_at"


def parameters(values: Sequence[Any], limit: int, skipped: int) -> dict[str, Any]:
    """Return what the select of a leg is asked with."""
    given = {value_name(n): value for n, value in enumerate(values) if value is not None}
    return {"most": limit, **({"skipped": skipped} if skipped else {}), **given}


@lru_cache(maxsize=500)
def select_whole(loading: Values, leg: Leg, *extra: ColumnElement[Any]) -> Select[Any]:
    """Return the select of a list that shows every row, whoever asks."""
    model = loading.view.model
    return leg.select(Query(model, select(model), is_whole=True), loading, extra)
