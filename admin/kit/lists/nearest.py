"""The first rows of what a filter leaves, where walking to them and sorting them may both be slow.

The first rows of the order are looked at, and only where too few of them are left is all that the
filter's index leads to sorted, by keys alone; one statement does both.
"""

from __future__ import annotations

from operator import ge, gt, le, lt
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, case, func, select, union_all
from sqlalchemy.sql.elements import BinaryExpression
from sqlalchemy.sql.visitors import iterate

from admin.kit.keys import key_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Column, ColumnElement

    from admin.kit.lists.keyset import Term
    from admin.kit.lists.query import Query

# As many rows of an order are looked at before all that a filter leaves are sorted.
NEAR = 2000
RANGES = (ge, gt, le, lt)


def nearest(
    query: Query,
    terms: Sequence[Term],
    conditions: Sequence[ColumnElement[bool]],
    limit: ColumnElement[int],
) -> Select[Any] | None:
    """Return the first rows, looked for among the first of the table, and else by the filter.

    None says that the rows can't be asked for so.
    """
    keys = key_columns(query.model)
    is_simple = len(keys) == 1 and len(conditions) <= 1 and not query.ways and not query.joins
    if query.stmt.whereclause is None or not is_simple:
        return None
    order = [term.order for term in terms]
    some = near(query, terms, conditions).order_by(*order).limit(limit).cte()
    count = select(func.count()).select_from(some).scalar_subquery()
    others = far(query, terms, conditions).limit(case((count < limit, limit), else_=0))
    both = union_all(select(some), select(others.subquery())).subquery()
    found = select(both).limit(2 * limit)
    return select(query.model).where(keys[0].in_(found)).order_by(*order).limit(limit)


def near(
    query: Query, terms: Sequence[Term], conditions: Sequence[ColumnElement[bool]]
) -> Select[Any]:
    """Return the keys of such rows among the first of the table in this order."""
    (key,) = key_columns(query.model)
    table = select(key).where(*conditions).order_by(*(term.order for term in terms))
    if is_by(terms, [key]):
        # This one is walked along, and the walk ends with the page.
        last = table.limit(1).offset(NEAR).correlate(None).scalar_subquery()
        bound = key >= last if terms[0].descending else key <= last
        return query.stmt.where(*conditions, bound).with_only_columns(key)
    first = table.limit(NEAR).correlate(None)
    return query.unled(query.stmt).where(key.in_(first)).with_only_columns(key)


def far(
    query: Query, terms: Sequence[Term], conditions: Sequence[ColumnElement[bool]]
) -> Select[Any]:
    """Return the keys in this order, led to by the filter and sorted without the rest.

    The offset keeps PostgreSQL from walking along the order instead.
    """
    (key,) = key_columns(query.model)
    found = query.stmt.where(*conditions).with_only_columns(key)
    if not is_by(terms, [key]):
        return found.order_by(*(term.order for term in terms))
    keys = found.offset(0).subquery()
    return select(keys).order_by(keys.c[0].desc() if terms[0].descending else keys.c[0])


def is_ranged(query: Query, terms: Sequence[Term]) -> bool:
    """Say whether a range of something else is listed in the order of keys.

    Times grow with the keys, so the rows of a month lie together: PostgreSQL thinks that they
    are everywhere, and walks to them from the end of the table.
    """
    keys = key_columns(query.model)
    if query.stmt.whereclause is None or not is_by(terms, keys):
        return False
    compared = (
        each.left
        for each in iterate(query.stmt.whereclause)
        if isinstance(each, BinaryExpression) and each.operator in RANGES
    )
    return any(not column.compare(keys[0]) for column in compared)


def is_by(terms: Sequence[Term], keys: Sequence[Column[Any]]) -> bool:
    """Say whether the one key alone is the order."""
    return len(terms) == len(keys) == 1 and terms[0].column.compare(keys[0])
