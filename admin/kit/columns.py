"""Which columns a page shows where its view names none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqladmin.helpers import get_direction
from sqlalchemy.orm import ColumnProperty, RelationshipProperty

from admin.kit.forms import FormConverter

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy.orm import Mapper

    from admin.kit.model_admin import ModelAdmin


def is_declared(view: ModelAdmin, attribute: str) -> bool:
    """Say whether the view names columns; `__all__` names none in particular."""
    return getattr(view, attribute, None) not in (None, [], (), "__all__")


def is_plain(mapper: Mapper[Any], name: str, directions: Collection[str]) -> bool:
    """Say whether it is a relation this way, or a column that no relation stands for."""
    prop = mapper.attrs[name]
    if isinstance(prop, RelationshipProperty):
        return get_direction(prop) in directions
    if not isinstance(prop, ColumnProperty):
        return False
    column = prop.columns[0]
    return not column.foreign_keys and column is not mapper.version_id_col


def can_type(mapper: Mapper[Any], name: str) -> bool:
    """Say whether forms have a field for it."""
    prop = mapper.attrs[name]
    return isinstance(prop, RelationshipProperty) or FormConverter().can_convert(prop)


def in_table_order(mapper: Mapper[Any], names: Sequence[str]) -> list[str]:
    """Sort properties as the table's columns stand: a relation where its key does, or last."""
    order = {column: position for position, column in enumerate(mapper.columns)}

    def position(name: str) -> tuple[bool, int]:
        prop: Any = mapper.attrs[name]
        is_relation = isinstance(prop, RelationshipProperty)
        is_last = is_relation and get_direction(prop) != "MANYTOONE"
        columns = prop.local_columns if is_relation else prop.columns
        return is_last, min(order.get(column, len(order)) for column in columns)

    return sorted(names, key=position)
