"""Which rows came after somebody looked: those with a larger key than all there were.

The key's own index finds them, whatever the size of the table. A row that was being stored while
somebody looked may have a smaller key, and count as seen.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Integer, Select, func, literal, select
from starlette.exceptions import HTTPException

from admin.kit.languages import gettext

if TYPE_CHECKING:
    from sqlalchemy import Column, ScalarSelect
    from starlette.requests import Request

    from admin.kit.model_admin import ModelAdmin

NEW = "_new"
LARGEST_KEY = 2**63 - 1


def counting_key(view: ModelAdmin) -> Column[Any] | None:
    """Return the key, if the database counts it up: a single whole number of the table's own."""
    keys = view.pk_columns
    is_counting = len(keys) == 1 and isinstance(keys[0].type, Integer)
    return keys[0] if is_counting and not keys[0].foreign_keys else None


def newest_key(view: ModelAdmin, request: Request) -> ScalarSelect[Any] | None:
    """Return what selects the largest key of the rows that this request may list."""
    if not view.hides_rows(request):
        return newest_of_all(view.declared)
    key = counting_key(view)
    if key is None:
        return None
    # In order, so that the key's index finds it.
    rows = view.list_query(request).with_only_columns(key, maintain_column_froms=True)
    return rows.order_by(None).order_by(key.desc()).limit(1).scalar_subquery()


@cache
def newest_of_all(view: ModelAdmin) -> ScalarSelect[Any] | None:
    """Return what selects the largest key of the table, put together once for each view."""
    key = counting_key(view)
    return None if key is None else select(func.max(key)).scalar_subquery()


def only_new(view: ModelAdmin, stmt: Select[Any], mark: int) -> Select[Any]:
    """Keep the rows that came after the one with this key."""
    key = counting_key(view)
    return stmt if key is None else stmt.where(key > literal(mark, BigInteger))


def read_mark(text: str) -> int:
    """Read a key from the address; raise a 400 for anything else."""
    if not re.fullmatch(r"[0-9]{1,19}", text) or int(text) > LARGEST_KEY:
        raise HTTPException(400, gettext("This is no row to count from."))
    return int(text)
