"""Which columns a page shows: the functions among those a view names, or what it names none."""

from __future__ import annotations

from functools import partial
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any

from sqladmin.helpers import get_direction
from sqlalchemy.orm import ColumnProperty, RelationshipProperty

from admin.kit.forms import FormConverter

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from sqlalchemy.orm import Mapper

    from admin.kit.model_admin import ModelAdmin


def is_declared(view: ModelAdmin, attribute: str) -> bool:
    """Say whether the view names columns; `__all__` names none in particular."""
    return getattr(view, attribute, None) not in (None, [], (), "__all__")


def is_function(declared: Any) -> bool:
    return isinstance(declared, FunctionType | MethodType | partial)


def name_of_function(function: Any) -> str:
    """Return the name of a column that a function computes; a lambda's is "lambda"."""
    inner = function.func if isinstance(function, partial) else function
    return str(inner.__name__).strip("<>")


def functions_in(view: ModelAdmin) -> dict[str, Callable[..., Any]]:
    """Return the functions that a view lists as columns, by name."""
    found: dict[str, Callable[..., Any]] = {}
    for attribute in ("column_list", "column_details_list", "column_export_list"):
        declared = getattr(view, attribute, None) or ()
        found |= {name_of_function(each): each for each in declared if is_function(each)}
    return found


def default_list(model: type, keys: list[str]) -> list[str]:
    """Return the one column of a list without a declaration: what the model calls a row."""
    is_named = any("__str__" in vars(each) for each in model.__mro__[:-1])
    return ["__str__"] if is_named else keys


def is_plain(mapper: Mapper[Any], name: str, directions: Collection[str]) -> bool:
    """Say whether it is a relation this way, or a column that no relation stands for."""
    prop = mapper.attrs[name]
    if isinstance(prop, RelationshipProperty):
        return get_direction(prop) in directions
    if not isinstance(prop, ColumnProperty):
        return False
    column = prop.columns[0]
    return not column.foreign_keys and column is not mapper.version_id_col


def is_secret(mapper: Mapper[Any], path: str) -> bool:
    """Say whether the column at a dotted path is marked as one whose values nobody may see."""
    name, _, rest = path.partition(".")
    prop = mapper.attrs.get(name)
    if isinstance(prop, RelationshipProperty):
        return bool(rest) and is_secret(prop.mapper, rest)
    return isinstance(prop, ColumnProperty) and bool(prop.columns[0].info.get("secret"))


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
