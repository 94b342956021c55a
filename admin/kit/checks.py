"""Declarations that can't be honoured safely stop the start, by the name of the attribute."""

from __future__ import annotations

from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any

from sqladmin import ModelView
from sqladmin.exceptions import ImproperlyConfigured
from sqladmin.helpers import get_direction
from sqlalchemy import Date, DateTime, String
from sqlalchemy.orm import RelationshipProperty

from admin.kit.columns import is_secret
from admin.kit.filters import ExactFilter, Filter
from admin.kit.forms import FormConverter
from admin.kit.lists.columns import (
    function_of,
    is_of_type,
    join,
    member_at,
    options_at,
    ordering_of,
    path_to,
)
from admin.kit.lists.query import RESERVED
from admin.kit.lists.views import view_problems
from admin.kit.reading import is_sensitive
from admin.kit.scopes import scope_problems

if TYPE_CHECKING:
    from collections.abc import Iterator

    from admin.kit.model_admin import ModelAdmin

COLUMN_ATTRIBUTES = {
    "column_list": "list_names",
    "column_details_list": "details_names",
    "column_export_list": "export_names",
    "list_select_related": "select_related",
    "column_searchable_list": "search_names",
    "column_sortable_list": "sort_names",
    "form_columns": "form_names",
    "form_readonly_columns": "readonly_names",
    # By default they are those of the details page.
    "column_choices": "choice_names",
}

# Which of them may name what is computed.
SHOWN = {"column_list", "column_details_list", "column_export_list"}

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
    for attribute, path in named_columns(view):
        if attribute in SHOWN:
            yield from shown_problems(view, attribute, path)
        else:
            yield from column_problems(view, attribute, path)
    yield from link_problems(view)
    yield from date_problems(view)
    yield from form_problems(view)
    yield from editable_problems(view)
    yield from filter_problems(view)
    yield from (("list_views", sentence) for sentence in view_problems(view))
    yield from secret_problems(view)
    yield from sensitive_problems(view)
    yield from scope_problems(view)
    yield from action_problems(view)
    for attribute in WITHOUT_EFFECT:
        if getattr(type(view), attribute) != getattr(ModelView, attribute):
            yield attribute, "it has no effect on these pages."
    if not hasattr(type(view).delete_model, "__final__"):
        yield "delete_model", "pages delete all of a selection at once: use on_model_delete."
    if view.can_import:
        yield "can_import", "SQLAdmin's import skips hooks and permissions; it stays off."
    if view.save_as:
        yield "save_as", "“Save as new” is not offered; add an action that copies the object."


def named_columns(view: ModelAdmin) -> Iterator[tuple[str, str]]:
    """Yield each path that the view names, and where."""
    for attribute, resolved in COLUMN_ATTRIBUTES.items():
        for path in getattr(view, resolved):
            yield attribute, path
    for path, _ in view.default_sort:
        yield "column_default_sort", path


def column_problems(view: ModelAdmin, attribute: str, path: str) -> Iterator[tuple[str, str]]:
    """Walk a dotted path; it must exist and no step may lead to many rows."""
    model: Any = view.model
    for name in path.split("."):
        if not hasattr(model, name):
            yield attribute, f"{path!r} does not exist on {view.model.__name__}."
            return
        prop = getattr(getattr(model, name), "property", None)
        if isinstance(prop, RelationshipProperty):
            if prop.uselist and attribute != "column_searchable_list":
                yield attribute, f"{path!r} leads to any number of rows; the page would load all."
            model = prop.mapper.class_
    if attribute in ("column_searchable_list", "column_sortable_list", "column_default_sort") and (
        isinstance(prop, RelationshipProperty) or prop is None
    ):
        yield attribute, f"{path!r} is not a column; name one, such as '{path}.name'."


def shown_problems(view: ModelAdmin, attribute: str, name: str) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with a column, or with what a computed one says of itself."""
    if function_of(view, name) is None:
        yield from column_problems(view, attribute, name)
    if list(getattr(view, COLUMN_ATTRIBUTES[attribute])).count(name) > 1:
        yield attribute, f"{name!r} is there twice."
    if iscoroutinefunction(function_of(view, name) or member_at(view.mapper, name)):
        yield attribute, f"{name!r} is asynchronous; cells can't wait for anything."
    options = options_at(view, name)
    if options.problem:
        yield attribute, f"{name!r}: {options.problem}"
    if options.ordering:
        yield from column_problems(view, "column_sortable_list", ordering_of(view, name))
    for path in options.requires:
        yield from column_problems(view, attribute, join(path_to(view, name), path))


def link_problems(view: ModelAdmin) -> Iterator[tuple[str, str]]:
    """Yield columns that should lead to the row, but aren't in the list."""
    for name in view.linked_names(view.list_names) - set(view.list_names):
        yield "list_display_links", f"{name!r} is not in column_list."


def date_problems(view: ModelAdmin) -> Iterator[tuple[str, str]]:
    """Yield a drill-down by what is no date."""
    name = view.date_hierarchy
    if name and not is_of_type(view.mapper.attrs.get(name), Date | DateTime):
        yield "date_hierarchy", f"{name!r} is not a column of dates or times."


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


def editable_problems(view: ModelAdmin) -> Iterator[tuple[str, str]]:
    """Yield columns that the list can't edit as the edit page would."""
    attribute = "column_editable_list"
    for name in view.editable_names:
        if name in view.readonly_names:
            yield attribute, f"{name!r} is in form_readonly_columns."
        elif name not in view.form_names or name not in (view.edit_rules or view.form_names):
            yield attribute, f"{name!r} is not a field of the edit form."
        elif name not in view.list_names:
            yield attribute, f"{name!r} is not in column_list."
    for hook, instead in (("update_model", "on_model_change"), ("form_edit_query", "scope")):
        is_own = getattr(type(view), hook).__module__ != type(view).delete_model.__module__
        if view.editable_names and is_own:
            yield hook, f"lists that are edited don't call it: use {instead}."


def filter_problems(view: ModelAdmin) -> Iterator[tuple[str, str]]:
    """Yield filters that are not the kit's, and parameters that mean two things."""
    taken = set(RESERVED)
    for filter_ in view.filters:
        if not isinstance(filter_, Filter):
            yield "column_filters", f"{type(filter_).__name__} is not a filter of admin.kit."
            continue
        if not filter_.parameter_name or taken & set(filter_.parameters):
            yield "column_filters", f"the parameter {filter_.parameter_name!r} is taken."
        taken.update(filter_.parameters)
        first = next((one for one in (*filter_.through, filter_.column) if one is not None), None)
        if first is not None and not issubclass(view.model, first.parent.class_):
            yield "column_filters", f"{first} is not a column of {view.model.__name__}."
        elif not filter_.can_filter():
            yield "column_filters", f"{type(filter_).__name__} can't filter by {filter_.column}."


def secret_problems(view: ModelAdmin) -> Iterator[tuple[str, str]]:
    """Yield columns that operators could add to the list, and that nobody may see."""
    for path in view.choice_names:
        if is_secret(view.mapper, path):
            yield "column_choices", f"{path!r} is marked as secret."


def sensitive_problems(view: ModelAdmin) -> Iterator[tuple[str, str]]:
    """Yield what would tell of sensitive columns other than by asking for one value."""
    for attribute, names in (
        ("column_sortable_list", view.sort_names),
        ("column_default_sort", [path for path, _ in view.default_sort]),
        ("column_editable_list", view.editable_names),
        ("date_hierarchy", [view.date_hierarchy or ""]),
    ):
        for name in names:
            if is_sensitive(view.mapper, name):
                yield attribute, f"{name!r} is sensitive: its order and its days tell its values."
    yield from found_by_parts(view)
    yield from sensitive_fields(view)


def found_by_parts(view: ModelAdmin) -> Iterator[tuple[str, str]]:
    """Yield searches and filters that look for a part of a sensitive value."""
    for column, name in zip(view.search_columns, view.search_names, strict=True):
        if is_sensitive(view.mapper, name) and not str(column).startswith("="):
            yield (
                "column_searchable_list",
                f"{name!r} is sensitive: search for all of it, '={name}'.",
            )
    for filter_ in view.filters:
        operand = getattr(filter_, "operand", None)
        if operand is not None and operand.is_exact and not isinstance(filter_, ExactFilter):
            yield "column_filters", f"{filter_.column} is sensitive: use an ExactFilter."
    for name, loader in view.pickers.items():
        mapper = view.mapper.relationships[name].mapper
        if any(is_sensitive(mapper, getattr(field, "key", field)) for field in loader.fields):
            yield "form_ajax_refs", f"{name!r} would search by a sensitive column."


def sensitive_fields(view: ModelAdmin) -> Iterator[tuple[str, str]]:
    """Yield sensitive columns that forms can't keep to themselves."""
    if view.form is not None:
        names = [p.key for p in view.mapper.column_attrs if is_sensitive(view.mapper, p.key)]
        for name in names:
            if hasattr(view.form, name):
                yield "form", f"{name!r} is sensitive: leave the field to form_columns."
    for name in view.form_names:
        stored = view.mapper.columns.get(name)
        if is_sensitive(view.mapper, name) and not isinstance(getattr(stored, "type", 0), String):
            yield "form_columns", f"{name!r} is sensitive, and not a text."


def action_problems(view: ModelAdmin) -> Iterator[tuple[str, str]]:
    for declared in view.actions:
        problem = "" if isinstance(declared, str) else declared.check(view)
        if problem:
            yield "actions", problem


def key_problems(view: ModelAdmin) -> Iterator[tuple[str, str]]:
    """Yield primary keys that SQLAdmin's addresses can't be made of."""
    for column in view.pk_columns:
        key = view.mapper.get_property_by_column(column).key
        if key != column.name:
            yield "model", f"the key {column.name!r} must have an attribute of the same name."
