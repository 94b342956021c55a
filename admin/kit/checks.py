"""Declarations that can't be honoured safely stop the start, by the name of the attribute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqladmin import ModelView
from sqladmin.exceptions import ImproperlyConfigured
from sqladmin.helpers import get_direction
from sqlalchemy.orm import RelationshipProperty

from admin.kit.changelist import RESERVED
from admin.kit.filters import Filter, RelatedFilter
from admin.kit.forms import FormConverter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import QueryableAttribute

    from admin.kit.model_admin import ModelAdmin

COLUMN_ATTRIBUTES = {
    "column_list": "list_names",
    "column_details_list": "details_names",
    "column_export_list": "export_names",
    "column_searchable_list": "search_names",
    "column_sortable_list": "sort_names",
    "form_columns": "form_names",
    "form_readonly_columns": "readonly_names",
}

# SQLAdmin's options and methods for pages that are not SQLAdmin's here.
WITHOUT_EFFECT = (
    "column_type_formatters",
    "column_type_formatters_detail",
    "count_query",
    "custom_export_cell",
    "edit_form_query",
    "export_data",
    "export_max_rows",
    "form_details_query",
    "get_detail_value",
    "get_export_name",
    "get_filters",
    "get_form_data_for_edit",
    "get_list_value",
    "get_model_objects",
    "get_object_for_delete",
    "get_object_for_details",
    "get_object_for_edit",
    "get_prop_value",
    "non_link_related_fields",
    "save_as_continue",
    "search_auto_submit",
    "show_compact_lists",
    "sort_query",
    "use_pretty_export",
    "validate_page_number",
)


def check_view(view: ModelAdmin) -> None:
    """Raise `ImproperlyConfigured` for the first declaration that can't be honoured."""
    for attribute, sentence in problems(view):
        raise ImproperlyConfigured(f"{type(view).__name__}.{attribute}: {sentence}")


def problems(view: ModelAdmin) -> Iterator[tuple[str, str]]:
    """Yield the attribute and what is wrong with it, for each problem."""
    yield from key_problems(view)
    for attribute, resolved in COLUMN_ATTRIBUTES.items():
        for path in getattr(view, resolved):
            yield from column_problems(view, attribute, path)
    for path, _ in view.default_sort:
        yield from column_problems(view, "column_default_sort", path)
    yield from form_problems(view)
    yield from filter_problems(view)
    for attribute in WITHOUT_EFFECT:
        if getattr(type(view), attribute) != getattr(ModelView, attribute):
            yield attribute, "it has no effect on these pages."
    if not hasattr(type(view).delete_model, "__final__"):
        yield "delete_model", "pages delete all of a selection at once: use on_model_delete."
    if view.can_import:
        yield "can_import", "SQLAdmin's import skips hooks and permissions; it stays off."
    if view.save_as:
        yield "save_as", "“Save as new” is not offered; add an action that copies the object."


def column_problems(view: ModelAdmin, attribute: str, path: str) -> Iterator[tuple[str, str]]:
    """Walk a dotted path; it must exist and no step may lead to many rows."""
    model: Any = view.model
    for name in path.split("."):
        if not hasattr(model, name):
            yield attribute, f"{path!r} does not exist on {view.model.__name__}."
            return
        prop = getattr(getattr(model, name), "property", None)
        if isinstance(prop, RelationshipProperty):
            if prop.uselist:
                yield attribute, f"{path!r} leads to any number of rows; the page would load all."
            model = prop.mapper.class_
    if attribute in ("column_searchable_list", "column_sortable_list", "column_default_sort") and (
        isinstance(prop, RelationshipProperty) or prop is None
    ):
        yield attribute, f"{path!r} is not a column; name one, such as '{path}.name'."


def form_problems(view: ModelAdmin) -> Iterator[tuple[str, str]]:
    """Yield fields that would load a table, lose rows, or only look read-only."""
    converter = FormConverter()
    for name in view.form_names:
        relationship = view.mapper.relationships.get(name)
        if relationship is None:
            is_known = name in view.overrides or converter.can_convert(view.mapper.attrs.get(name))
            if not is_known:
                yield "form_columns", f"{name!r} is of a type that forms don't know."
            continue
        if get_direction(relationship) == "ONETOONE":
            yield "form_columns", f"{name!r} is kept in the other table; edit it there."
        elif not relationship.uselist and name not in view.pickers:
            entry = {name: {"fields": ("name",), "order_by": "name"}}
            yield (
                "form_ajax_refs",
                (
                    f"{name!r} is missing, and a select would load every row; an entry such as "
                    f"{entry} says what to search by."
                ),
            )
    for name, attributes in view.form_widget_args.items():
        if {"readonly", "disabled"} & attributes.keys():
            yield "form_widget_args", f"{name!r} only looks read-only: use form_readonly_columns."


def filter_problems(view: ModelAdmin) -> Iterator[tuple[str, str]]:
    """Yield filters that are not the kit's, and parameters that mean two things."""
    taken = set(RESERVED)
    for filter_ in view.filters:
        if not isinstance(filter_, Filter):
            yield "column_filters", f"{type(filter_).__name__} is not a filter of admin.kit."
            continue
        if filter_.parameter_name in taken:
            yield "column_filters", f"the parameter {filter_.parameter_name!r} is taken."
        taken.add(filter_.parameter_name)
        if not issubclass(view.model, filter_.column.parent.class_):
            yield "column_filters", f"{filter_.column} is not a column of {view.model.__name__}."
        elif isinstance(filter_, RelatedFilter) != is_relation(filter_.column):
            yield "column_filters", f"{type(filter_).__name__} can't filter by {filter_.column}."


def is_relation(column: QueryableAttribute[Any]) -> bool:
    return isinstance(column.property, RelationshipProperty)


def key_problems(view: ModelAdmin) -> Iterator[tuple[str, str]]:
    """Yield primary keys that SQLAdmin's addresses can't be made of."""
    for column in view.pk_columns:
        key = view.mapper.get_property_by_column(column).key
        if key != column.name:
            yield "model", f"the key {column.name!r} must have an attribute of the same name."
