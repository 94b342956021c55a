"""Which filter a declared column gets, and which columns conditions may name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from sqladmin.exceptions import ImproperlyConfigured
from sqlalchemy import Boolean

from admin.kit.filters.columns import follow, is_relation, stored_type
from admin.kit.filters.kinds import (
    BooleanFilter,
    ChoiceFilter,
    ColumnFilter,
    ExactFilter,
    Filter,
    NumberFilter,
    PeriodFilter,
    RelatedFilter,
    TextFilter,
    ValuesFilter,
)
from admin.kit.filters.operands import is_sensitive_column, operand_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from admin.kit.filters.columns import Column
    from admin.kit.model_admin import ModelAdmin

BY_KIND: dict[str, type[Filter]] = {
    "choice": ChoiceFilter,
    "moment": PeriodFilter,
    "number": NumberFilter,
    "text": TextFilter,
}


def declared_filters(view: ModelAdmin) -> list[Filter]:
    """Return the filters of `column_filters`: what is declared as a column gets its type's."""
    return [
        filter_for(view, declared) if is_column(declared) else cast("Filter", declared)
        for declared in view.column_filters
    ]


def is_column(declared: Any) -> bool:
    return isinstance(declared, str) or hasattr(declared, "property")


def filter_for(view: ModelAdmin, declared: Any) -> Filter:
    """Return the filter by a column or a dotted path."""
    path: str = declared if isinstance(declared, str) else declared.key
    found = follow(view.model, path)
    if found is None:
        problem = f"{path!r} does not lead to a column of {view.model.__name__}."
        raise ImproperlyConfigured(f"{type(view).__name__}.column_filters: {problem}")
    through, column = found
    kind = kind_of(column)
    if kind is None:
        problem = f"{path!r} is of a type that no filter knows; declare an EmptyFilter."
        raise ImproperlyConfigured(f"{type(view).__name__}.column_filters: {problem}")
    return kind(column, view.label(path), path, through=through)


def kind_of(column: Column) -> type[Filter] | None:
    """Return the kind of filter for the column's type."""
    if is_relation(column):
        return RelatedFilter
    if is_sensitive_column(column):
        return ExactFilter
    if isinstance(stored_type(column), Boolean):
        return BooleanFilter
    operand = operand_of("", "", column)
    if operand is None:
        return None
    is_key = operand.kind == "text" and "contains" not in operand.operators
    return ValuesFilter if is_key else BY_KIND[operand.kind]


def askable_filters(view: ModelAdmin) -> dict[str, Filter]:
    """Return what groups of conditions may name: what the list shows, filters or searches.

    What a formatter may hide is not shown; and of what is only asked to be empty, no more is told.
    """
    found: dict[str, Filter] = {
        path_of(one): one for one in view.filters if isinstance(one, ColumnFilter)
    }
    for path in askable_paths(view):
        place = follow(view.model, path)
        if path not in found and place is not None and kind_of(place[1]) is not None:
            found[path] = filter_for(view, path)
    return found


def path_of(filter_: Filter) -> str:
    return ".".join(one.key for one in (*filter_.through, filter_.column) if one is not None)


def askable_paths(view: ModelAdmin) -> Iterator[str]:
    for path in view.list_names:
        if path not in view._list_formatters:  # noqa: SLF001 - where SQLAdmin keeps them
            yield path
    yield from view.search_names
