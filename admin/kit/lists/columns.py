"""The columns of a page, resolved once a view: what each reads, shows, links to and sorts by."""

from __future__ import annotations

import inspect
import logging
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from types import FunctionType
from typing import TYPE_CHECKING, Any

from markupsafe import Markup
from sqlalchemy import JSON, Boolean, Float, Integer, Numeric
from sqlalchemy.ext.hybrid import hybrid_method
from sqlalchemy.orm import ColumnProperty, RelationshipProperty
from sqlalchemy.orm.interfaces import MANYTOONE
from wtforms import URLField

from admin.kit.computed import UNDECLARED, Options, options_of
from admin.kit.display import (
    EMPTY_AS,
    LONGEST_CELL,
    MASK,
    display,
    display_boolean,
    display_choice,
    display_json_sheet,
    display_json_short,
    display_number,
    display_object,
    display_short,
    display_url,
    empty,
    escaped,
    escaped_all,
    html,
    masked,
    plain_text,
)
from admin.kit.errors import UNAVAILABLE
from admin.kit.filters import stored_type
from admin.kit.keys import key_of
from admin.kit.languages import gettext
from admin.kit.lists.drawing import draw, draw_around, is_nothing
from admin.kit.lists.lazy import LazyLoadError
from admin.kit.reading import (
    is_sensitive,
    may_be_called,
    naming_function,
    reads,
    sensitive_attributes,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sqlalchemy.orm import Mapper, MapperProperty
    from starlette.requests import Request

    from admin.kit.model_admin import ModelAdmin

    Show = Callable[[Any], Markup]

log = logging.getLogger(__name__)

ROUTINES = (FunctionType, staticmethod, classmethod, hybrid_method)
BROKEN = Markup('<span class="broken-value" title="{}">{}</span>')
NOTHING = Markup("")  # where a relation on the way is empty


@dataclass(frozen=True, eq=False)
class Column:
    """One column of a page.

    `value` reads an object, and asks for the request if it `takes_request`; `show` makes HTML of
    what it read. `is_stored` says that this is an attribute as the database has it, or the one
    related object; `is_linked`, that the cell leads to the row itself.
    """

    view: ModelAdmin
    name: str
    value: Callable[..., Any]
    show: Show
    options: Options = UNDECLARED
    takes_request: bool = False
    is_stored: bool = False
    is_linked: bool = False
    is_boolean: bool = False
    may_be_related: bool = False
    is_masked: bool = False
    sort_name: str | None = None
    requires: Sequence[str] = ()

    @property
    def label(self) -> str:
        return self.view.label(self.name)

    @property
    def css_class(self) -> str:
        return f"field-{self.name.strip('_').replace('.', '-')}"

    @property
    def descends_first(self) -> bool:
        """Say whether the first click on the heading sorts from the largest down."""
        return self.options.ordering.startswith("-")

    def read(self, obj: Any, request: Request) -> Any:
        return self.value(obj, request) if self.takes_request else self.value(obj)

    def cell(self, obj: Any, request: Request) -> Markup:
        """Return the value as HTML; one that can't be computed says so, and the page stays."""
        try:
            return self.draw(obj, request)
        except LazyLoadError:
            raise self.refusal() from None
        except UNAVAILABLE:
            raise
        except Exception as error:  # noqa: BLE001 - the application's own code
            return self.broken(error, request)

    def cells(self, objects: Sequence[Any], request: Request) -> list[Markup]:
        """Return the cells of one column; a plain one is drawn at once, as lists have hundreds."""
        if self.takes_request or (self.may_be_related and not self.is_stored):
            return [self.cell(obj, request) for obj in objects]
        nothing = display_boolean(None) if self.is_boolean else self.nothing()
        try:
            values = list(map(self.value, objects))
            if self.may_be_related:
                return draw_around(values, nothing, partial(self.related, request=request))
            return draw_around(values, nothing, partial(draw, self.show))
        except Exception:  # noqa: BLE001 - found out below which it is, and why
            return [self.cell(obj, request) for obj in objects]

    def related(self, values: Sequence[Any], request: Request) -> list[Markup]:
        """Return the cells of related objects, each of which leads to the object's page."""
        may_be_named = all(map(may_be_called, set(map(type, values))))
        shown = draw(self.show, values if may_be_named else list(map(nameable, values)))
        if self.is_linked:
            return shown
        paths = escaped_all(self.view.related_paths(values, request))
        return [linked(cell, path) for cell, path in zip(shown, paths, strict=True)]

    def draw(self, obj: Any, request: Request) -> Markup:
        """Return the value as HTML, or raise what computing it raises."""
        value = self.read(obj, request)
        if value is None and self.is_boolean:
            return display_boolean(None)
        if is_nothing(value):
            return self.nothing()
        shown = self.show(nameable(value) if self.may_be_related else value)
        if self.may_be_related and not self.is_linked and is_object(value):
            return linked(shown, escaped(self.view.related_path(value, request)))
        return shown

    def text(self, obj: Any, request: Request) -> str:
        """Return what names the object in a line of text, or "" where there is nothing."""
        cell = self.cell(obj, request)
        return "" if cell == self.nothing() else plain_text(cell)

    def exported(self, obj: Any, request: Request) -> Any:
        """Return the value for a file, where one that can't be computed says so as well."""
        try:
            value = self.read(obj, request)
        except Exception as error:  # noqa: BLE001 - the application's own code
            return self.broken(error, request).striptags()
        if self.is_masked:
            return None if is_nothing(value) else MASK
        return None if value is NOTHING else nameable(value)

    def nothing(self) -> Markup:
        """Return what stands for an empty value: the column's, the view's or the site's text."""
        text = self.options.empty_value
        if text is None:
            text = self.view.empty_value_display or self.view.site.empty_value_display
        return EMPTY_AS.format(text) if text else empty()

    def broken(self, error: Exception, request: Request) -> Markup:
        """Say that this one can't be shown, and log why: once a column, whatever the rows."""
        reference = getattr(request.state, "request_id", "")
        logged = request.scope.setdefault("broken_columns", set())
        if self not in logged:
            logged.add(self)
            where = f"{type(self.view).__name__}.{self.name}"
            log.error("Reference %s: %s", reference, where, exc_info=error)
        title = gettext("Reference: %(reference)s.", reference=reference)
        return BROKEN.format(title, gettext("can't be shown"))

    def refusal(self) -> LazyLoadError:
        return LazyLoadError(
            f"{type(self.view).__name__}: the column {self.name!r} loads something for each row; "
            f"name it in list_select_related, or with @display(requires=…)."
        )


def linked(cell: Markup, path: str) -> Markup:
    """Return the cell as a link, if there is a path; it is as HTML has it."""
    # `Markup` takes five times as long in an f-string.
    return html("".join(('<a href="', path, '">', cell, "</a>"))) if path else cell  # noqa: FLY002


def is_object(value: Any) -> bool:
    return hasattr(value, "_sa_class_manager")


def nameable(value: Any) -> Any:
    """Return the value; of an object whose name is made of what is withheld, only its key."""
    return value if not is_object(value) or may_be_called(type(value)) else key_of(value)


def columns_of(
    view: ModelAdmin,
    names: Iterable[str],
    formatters: Mapping[str, Callable[..., Any]],
    *,
    is_list: bool = False,
    is_clear: bool = False,
) -> dict[str, Column]:
    """Resolve columns by name, in this order; those of a list may lead to their row.

    Sensitive ones are masked, unless they are asked for in clear.
    """
    names = list(names)
    linked = view.linked_names(names) if is_list else set()
    return {
        name: column_of(
            view,
            name,
            formatters.get(name),
            is_list=is_list,
            is_linked=name in linked,
            is_masked=not is_clear and is_sensitive_column(view, name),
        )
        for name in names
    }


def column_of(
    view: ModelAdmin,
    name: str,
    formatter: Callable[..., Any] | None,
    *,
    is_list: bool,
    is_linked: bool,
    is_masked: bool = False,
) -> Column:
    """Resolve one column: by its formatter, by what computes it, else by its attribute."""
    show: Show = display_short if is_list else display
    options, prop = options_at(view, name), property_at(view.mapper, name)
    value, takes_request = reader_of(view, name)
    may_be_related = prop is None or isinstance(prop, RelationshipProperty)
    is_stored = formatter is None and is_attribute(view, name)
    if formatter is not None:
        value, takes_request = formatted(view, formatter, name)
        prop, may_be_related = None, False
    if is_masked:
        show, may_be_related = show_mask, False
        value, takes_request = reader_of(view, name)
    elif options.boolean:
        show = display_boolean
    elif isinstance(prop, ColumnProperty):
        show = shower_of(view, name, prop, is_list=is_list) or show
    elif is_list and isinstance(prop, RelationshipProperty) and calls_itself(prop):
        show = display_object
    is_boolean = not is_masked and (options.boolean or is_of_type(prop, Boolean))
    if is_boolean and show in (display, display_short):
        show = display_boolean
    return Column(
        view,
        name,
        value,
        show,
        options,
        takes_request=takes_request,
        is_stored=is_stored,
        is_linked=is_linked,
        is_boolean=is_boolean,
        may_be_related=may_be_related,
        is_masked=is_masked,
        sort_name=view.sort_name(name),
        requires=required_by(view, name),
    )


def show_mask(_value: Any) -> Markup:
    return masked()


def is_sensitive_column(view: ModelAdmin, name: str) -> bool:
    """Say whether a column is marked as sensitive, or computed from one that is."""
    withheld = sensitive_attributes(view.model)
    if not withheld or is_sensitive(view.mapper, name):
        return bool(withheld)
    own = function_of(view, name)
    if own is not None:
        return reads(view.mapper, own, withheld)
    if property_at(view.mapper, name) is not None:
        return False
    *relations, last = name.split(".")
    mapper = view.mapper
    for relation in relations:
        mapper = mapper.relationships[relation].mapper
    function = naming_function(mapper.class_) if last == "__str__" else member_at(mapper, last)
    return reads(mapper, function, withheld)


# What a column reads


def reader_of(view: ModelAdmin, name: str) -> tuple[Callable[..., Any], bool]:
    """Return what reads the column of an object, and whether it wants the request as well."""
    function = function_of(view, name)
    if function is not None:
        return function, takes(function, 2)
    *relations, last = name.split(".")
    member = member_at(view.mapper, name)
    if isinstance(member, ROUTINES):
        return partial(call_at, relations=relations, name=last), False
    return (
        partial(read_at, relations=relations, name=last) if relations else attrgetter(last)
    ), False


def function_of(view: ModelAdmin, name: str) -> Callable[..., Any] | None:
    """Return the function that computes a column, unless it is the model's own."""
    if name in view.callables:
        return view.callables[name]
    if name in view.mapper.attrs or not is_of_view(view, name):
        return None
    method: Callable[..., Any] = getattr(view, name)
    return method


def is_of_view(view: ModelAdmin, name: str) -> bool:
    """Say whether a subclass defines this method; the kit's own methods are no columns."""
    kits = next(c for c in type(view).__mro__ if c.__module__ == "admin.kit.model_admin")
    member = inspect.getattr_static(type(view), name, None)
    return isinstance(member, ROUTINES) and not hasattr(kits, name)


def read_at(obj: Any, *, relations: Sequence[str], name: str) -> Any:
    """Return the value at a path; where a relation is empty, nothing rather than unknown."""
    for relation in relations:
        obj = getattr(obj, relation)
        if obj is None:
            return NOTHING
    return getattr(obj, name)


def call_at(obj: Any, *, relations: Sequence[str], name: str) -> Any:
    """Return what the method at a path says."""
    method = read_at(obj, relations=relations, name=name)
    return method() if callable(method) else method


def formatted(
    view: ModelAdmin, formatter: Callable[..., Any], name: str
) -> tuple[Callable[..., Any], bool]:
    """Return a reader that asks SQLAdmin's kind of formatter."""
    if view._formatter_accepts_request(formatter):  # noqa: SLF001 - SQLAdmin's rule
        return lambda obj, request: formatter(obj, name, request), True
    return lambda obj: formatter(obj, name), False


def takes(function: Callable[..., Any], count: int) -> bool:
    """Say whether it can be called with so many arguments."""
    try:
        inspect.signature(function).bind(*range(count))
    except (TypeError, ValueError):
        return False
    return True


# What is known about it


def property_at(mapper: Mapper[Any], path: str) -> MapperProperty[Any] | None:
    """Return the mapped property at a path, or None for what the model computes."""
    name, _, rest = path.partition(".")
    prop = mapper.attrs.get(name)
    if not rest:
        return prop
    return property_at(prop.mapper, rest) if isinstance(prop, RelationshipProperty) else None


def member_at(mapper: Mapper[Any], path: str) -> Any:
    """Return what the class has at a path, such as a property or a function, or None."""
    name, _, rest = path.partition(".")
    if not rest:
        return inspect.getattr_static(mapper.class_, name, None)
    prop = mapper.attrs.get(name)
    return member_at(prop.mapper, rest) if isinstance(prop, RelationshipProperty) else None


def calls_itself(relation: RelationshipProperty[Any]) -> bool:
    """Say whether it leads to one object, whose name is plain text."""
    return not relation.uselist and not hasattr(relation.mapper.class_, "__html__")


def is_attribute(view: ModelAdmin, name: str) -> bool:
    """Say whether it is a column or a relation of the model, computed by nothing.

    The other end of a one-to-one relation may name itself by the row, which then has to be there.
    """
    prop = view.mapper.attrs.get(name)
    is_one = isinstance(prop, RelationshipProperty) and prop.direction is MANYTOONE
    return function_of(view, name) is None and (is_one or isinstance(prop, ColumnProperty))


def options_at(view: ModelAdmin, name: str) -> Options:
    """Return what the column's function, method or property declares of itself."""
    function = function_of(view, name)
    return options_of(member_at(view.mapper, name) if function is None else function)


def required_by(view: ModelAdmin, name: str) -> list[str]:
    """Return the paths to load for a column: its own, and what its function declares."""
    own = [] if function_of(view, name) is not None else [name]
    return own + [join(path_to(view, name), path) for path in options_at(view, name).requires]


def ordering_of(view: ModelAdmin, name: str) -> str:
    """Return the path that a computed column sorts by, or ""."""
    ordering = options_at(view, name).ordering.removeprefix("-")
    return join(path_to(view, name), ordering) if ordering else ""


def path_to(view: ModelAdmin, name: str) -> str:
    """Return the path of what a function computes from: "" unless it is a related model's."""
    return "" if function_of(view, name) is not None else name.rpartition(".")[0]


def join(before: str, path: str) -> str:
    return f"{before}.{path}" if before else path


# How it is shown


def shower_of(
    view: ModelAdmin, name: str, prop: ColumnProperty[Any], *, is_list: bool
) -> Show | None:
    """Return how to show values of which the column says more than their type does."""
    column, longest = prop.columns[0], LONGEST_CELL if is_list else None
    labels = choice_labels(view, name, column.info)
    if labels:
        return partial(display_choice, labels=labels, longest=longest)
    if is_url(view, name, column.info):
        return partial(display_url, longest=longest)
    if is_of_type(prop, JSON):
        return display_json_short if is_list else display_json_sheet
    is_key = column.primary_key or column.foreign_keys
    if is_of_type(prop, Integer | Numeric | Float) and not is_key:
        return display_number if column.info.get("grouped", True) else None
    return None


def is_of_type(prop: Any, kind: Any) -> bool:
    return isinstance(prop, ColumnProperty) and isinstance(stored_type(prop.columns[0]), kind)


def choice_labels(view: ModelAdmin, name: str, info: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return the labels by value that the column's `info` or the form declares."""
    if "choices" in info:
        return dict(info["choices"])
    declared = view.form_args.get(name, {}).get("choices", ())
    pairs = declared if isinstance(declared, list | tuple) else ()
    return {pair[0]: pair[1] for pair in pairs if isinstance(pair, list | tuple)}


def is_url(view: ModelAdmin, name: str, info: Mapping[Any, Any]) -> bool:
    field = view.overrides.get(name)
    return bool(info.get("url")) or (isinstance(field, type) and issubclass(field, URLField))
