"""What of a view an operator's roles keep from them, and the view without it.

Pages ask the view that the site hands out for a request. Where roles hide columns, or rows that
are related to its own, that is a copy whose lists, forms, filters, files and searches know nothing
of these: to a page, a hidden column is one that was never declared.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqladmin.authorization import WILDCARD, Action
from sqlalchemy import false, inspect, tuple_
from sqlalchemy.orm import ColumnProperty, RelationshipProperty
from sqlalchemy.sql.visitors import iterate

from admin.kit.filters.choosing import askable_filters, path_of
from admin.kit.keys import key_columns
from admin.kit.lists.columns import columns_of, function_of, member_at, ordering_of, required_by
from admin.kit.lists.views import parse, unknown
from admin.kit.reading import is_called_by_secrets, nameless, naming_function, reads
from admin.kit.scopes import condition_of, permissions_of
from admin.kit.zones import has_instants

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Mapper
    from starlette.requests import Request

    from admin.kit.model_admin import ModelAdmin
    from admin.kit.permissions import Permissions
    from admin.kit.reading import Attribute
    from admin.kit.site import AdminSite

    # For each model of which not all rows may be listed, the condition of those that may be.
    Limits = Mapping[type, ColumnElement[bool]]

# Sets of rights for which a view remembers what is left of it.
MOST_REMEMBERED = 200
BOUND, WITHHELD, LIMITS = "admin_bound", "admin_withheld", "admin_limits"


@dataclass(frozen=True)
class Withheld:
    """The attributes that one request may not show; and the models it may not show all rows of."""

    hidden: frozenset[Attribute] = frozenset()
    limited: frozenset[type] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.hidden or self.limited)


NOTHING = Withheld()


def bound(view: ModelAdmin, request: Request, action: str = Action.EDIT) -> ModelAdmin:
    """Return the view as this operator's roles leave it, for forms that do this."""
    known: dict[Any, ModelAdmin] = request.scope.setdefault(BOUND, {})
    key = (view.identity, action)
    if key not in known:
        known[key] = bind(view.declared, request, action)
    return known[key]


def unbind(request: Request) -> None:
    """Forget what was found out for this request, whose operator is looked up again."""
    for name in (BOUND, WITHHELD, LIMITS):
        request.scope.pop(name, None)


def bind(view: ModelAdmin, request: Request, action: str) -> ModelAdmin:
    permissions = permissions_of(request)
    if permissions is None or permissions.is_superuser:
        return view
    readonly = permissions.readonly(view.identity, action)
    if sees_all(permissions):
        return without(view, NOTHING, frozenset(), readonly) if readonly else view
    limits = limits_for(view, request)
    whole = withheld_from(view.site, request)
    related = {mapper.class_ for mapper in view.related_mappers}
    hidden = frozenset((model, name) for model, name in whole.hidden if model in related)
    own = permissions.hidden(view.identity)
    if not (limits or hidden or own or readonly):
        return view
    left = without(view, Withheld(hidden, frozenset(limits)), own, readonly)
    return within(left, limits) if limits else left


def sees_all(permissions: Permissions) -> bool:
    """Say at a glance, before view after view is asked, whether nothing is kept from somebody."""
    everywhere = (role.rights.get(WILDCARD) for role in permissions.roles)
    return permissions.is_superuser or any(
        right is not None and right.allows(Action.LIST) and not (right.scope or right.hidden)
        for right in everywhere
    )


def limits_for(view: ModelAdmin, request: Request) -> Limits:
    """Return the limits of the models that the view's relations lead to."""
    known: dict[type, ColumnElement[bool] | None] = request.scope.setdefault(LIMITS, {})
    found = {}
    for mapper in view.related_mappers:
        model = mapper.class_
        if model not in known:
            known[model] = limit_of(view.site, request, model)
        if (condition := known[model]) is not None:
            found[model] = condition
    return found


def limit_of(site: AdminSite, request: Request, model: type) -> ColumnElement[bool] | None:
    """Return the condition of the rows of a model that may be listed, or None for all of them.

    A model without a view of its own has no limits; where no view of it may be listed, no row may.
    """
    views = site.views_of({model})
    for view in views:
        if view.is_accessible(request) and view.has_permission(request, Action.LIST):
            if not view.is_scoped:
                return condition_of(view, request, Action.LIST)
            keys = key_columns(model)
            listed = view.list_query(request).order_by(None).with_only_columns(*keys)
            return tuple_(*keys).in_(listed) if len(keys) > 1 else keys[0].in_(listed)
    return false() if views else None


def withheld_from(site: AdminSite, request: Request) -> Withheld:
    """Return all that the roles withhold on any view; found once a request."""
    if WITHHELD not in request.scope:
        request.scope[WITHHELD] = find_withheld(site, request)
    found: Withheld = request.scope[WITHHELD]
    return found


def find_withheld(site: AdminSite, request: Request) -> Withheld:
    permissions = permissions_of(request)
    if permissions is None or sees_all(permissions):
        return NOTHING
    views = site.model_views()
    hidden = [pair for view in views for pair in hidden_attributes(view, permissions)]
    limited = [
        model
        for model in {view.model for view in views}
        if limit_of(site, request, model) is not None
    ]
    return Withheld(frozenset(hidden), frozenset(limited))


def hidden_attributes(view: ModelAdmin, permissions: Permissions) -> Iterable[Attribute]:
    """Return the attributes of a view's model that its hidden columns stand for.

    A relation and the column that holds its key are hidden together; a key never is.
    """
    names = permissions.hidden(view.identity)
    if not names:
        return []
    columns = {c for name in names for c in columns_at(view.mapper.attrs.get(name))}
    columns -= set(view.mapper.primary_key)
    props = [p for p in view.mapper.attrs if p.key in names or columns & set(columns_at(p))]
    keys = {view.mapper.get_property_by_column(c).key for c in view.mapper.primary_key}
    return [(view.model, prop.key) for prop in props if prop.key not in keys]


def columns_at(prop: Any) -> Sequence[Any]:
    """Return the columns of the model's own table that hold a property."""
    if isinstance(prop, RelationshipProperty):
        return [column for column in prop.local_columns if column.foreign_keys]
    return prop.columns if isinstance(prop, ColumnProperty) else ()


# Names


def forget_names(site: AdminSite, request: Request) -> None:
    """Let nothing in this request call an object by a name made of what is withheld from it."""
    withheld = withheld_from(site, request)
    if not withheld:
        nameless.set(frozenset())
        return
    known = site.nameless
    if withheld not in known:
        if len(known) >= MOST_REMEMBERED:
            known.clear()
        known[withheld] = find_nameless(site, withheld)
    nameless.set(known[withheld])


def find_nameless(site: AdminSite, withheld: Withheld) -> frozenset[type]:
    """Return the models whose objects' names are made of something withheld."""
    mappers = {mapper for view in site.model_views() for mapper in view.related_mappers}
    mappers |= {view.mapper for view in site.model_views()}
    return frozenset(
        mapper.class_
        for mapper in mappers
        if is_called_by_secrets(mapper.class_)
        or reads(mapper, naming_function(mapper.class_), withheld.hidden, withheld.limited)
    )


# Views without what is withheld


def without(
    view: ModelAdmin, withheld: Withheld, own: frozenset[str], readonly: frozenset[str]
) -> ModelAdmin:
    """Return the view without these columns, made once for all who have the same rights."""
    key = (withheld, own, readonly)
    if key not in view.narrowed:
        if len(view.narrowed) >= MOST_REMEMBERED:
            view.narrowed.clear()
        view.narrowed[key] = Narrowing(view, withheld, own).make(readonly)
    return view.narrowed[key]


class Narrowing:
    """Makes a copy of a view that declares nothing hidden."""

    def __init__(self, view: ModelAdmin, withheld: Withheld, own: frozenset[str]) -> None:
        self.view = view
        self.withheld = withheld
        self.own = own

    def make(self, readonly: frozenset[str]) -> ModelAdmin:
        made = copy.copy(self.view)
        # What it resolves is its own.
        made.resolved, made.scaffolded = {}, {}
        self.leave_columns(made)
        self.leave_forms(made, readonly)
        self.leave_searches(made)
        made.declared_views = [
            known for known in made.declared_views if not unknown(made, parse(known.query))
        ]
        return made

    def shown(self, names: Iterable[str]) -> list[str]:
        return [name for name in names if not self.hides(name)]

    def leave_columns(self, made: ModelAdmin) -> None:
        view = self.view
        keys = [view.mapper.get_property_by_column(column).key for column in view.pk_columns]
        made.list_names = self.shown(view.list_names) or keys
        made.details_names = self.shown(view.details_names) or keys
        made.export_names = self.shown(view.export_names) or keys
        made.choice_names = self.shown(view.choice_names)
        made.readonly_names = self.shown(view.readonly_names)

    def leave_forms(self, made: ModelAdmin, readonly: frozenset[str]) -> None:
        """Leave the fields that may be set; what may be seen of the others is text."""
        view = self.view
        fields = self.shown(view.form_names)
        fixed = [name for name in fields if name in self.and_their_columns(readonly)]
        made.form_names = [name for name in fields if name not in fixed]
        made.readonly_names = [*made.readonly_names, *fixed]
        hidden = (prop.key for prop in view.mapper.attrs if self.hides(prop.key))
        made.hidden_names = frozenset(hidden)
        made.unsettable = made.hidden_names | self.and_their_columns(readonly)
        made._form_prop_names = made.form_names  # noqa: SLF001 - what SQLAdmin makes forms of
        made.editable_names = [name for name in view.editable_names if name in made.form_names]
        made.create_rules = [name for name in view.create_rules if name in made.form_names]
        made.edit_rules = [name for name in view.edit_rules if name in made.form_names]
        made.pickers = {
            name: self.searching(loader)
            for name, loader in view.pickers.items()
            if not self.hides(name)
        }
        made._form_ajax_refs = made.pickers  # noqa: SLF001
        made.page_columns = columns_of(
            made,
            [*made.details_names, *made.readonly_names],
            view._detail_formatters,  # noqa: SLF001
        )
        made.details_has_times = has_instants(made.mapper, made.details_names)
        made.readonly_has_times = has_instants(made.mapper, made.readonly_names)

    def and_their_columns(self, readonly: frozenset[str]) -> frozenset[str]:
        """Return the names with those of the same columns: a relation's, and its key's."""
        attrs = self.view.mapper.attrs
        columns = {column for name in readonly for column in columns_at(attrs.get(name))}
        same = (prop.key for prop in attrs if columns & set(columns_at(prop)))
        return frozenset({*readonly, *same})

    def searching(self, loader: Any) -> Any:
        """Return a picker that neither searches nor sorts by what is hidden."""
        model = loader.model
        fields = [f for f in loader.fields if not self.hides_of(model, getattr(f, "key", f))]
        order = [c for c in loader._cached_fields_order_by if not self.hides_in(c)]  # noqa: SLF001
        if len(fields) == len(loader.fields) and order == loader._cached_fields_order_by:  # noqa: SLF001
            return loader
        made = copy.copy(loader)
        made.fields = fields or [column.key for column in key_columns(model)]
        made._cached_fields = made._process_fields()  # noqa: SLF001
        made._cached_fields_order_by = order  # noqa: SLF001
        return made

    def hides_in(self, expression: Any) -> bool:
        """Say whether an expression names a hidden column."""
        hidden = {
            (column.table, column.name)
            for model, name in self.withheld.hidden
            for column in columns_at(inspect(model).attrs.get(name))
        }
        parts = iterate(getattr(expression, "expression", expression))
        return any((getattr(c, "table", None), getattr(c, "name", "")) in hidden for c in parts)

    def leave_searches(self, made: ModelAdmin) -> None:
        view = self.view
        searched = zip(view.search_columns, view.search_names, strict=True)
        left = [(column, name) for column, name in searched if not self.hides(name)]
        made.search_columns, made.search_names = [c for c, _ in left], [n for _, n in left]
        made.sort_names = self.shown(view.sort_names)
        made.default_sort = [pair for pair in view.default_sort if not self.hides(pair[0])]
        made.filters = [one for one in view.filters if not self.hides(path_of(one))]
        made.filter_names = self.shown(view.filter_names)
        if view.dates is not None and self.hides(view.dates.column.key):
            made.dates, made.date_hierarchy = None, None  # type: ignore[misc]
        made.askable = {
            path: one for path, one in askable_filters(made).items() if not self.hides(path)
        }
        made.columns = columns_of(made, made.list_names, view._list_formatters, is_list=True)  # noqa: SLF001
        made.export_columns = list(columns_of(made, made.export_names, {}).values())

    # What is hidden

    def hides(self, path: str) -> bool:
        """Say whether a name, or any step of a dotted path, stands for something hidden."""
        if not path or path in self.own:
            return bool(path)
        mapper = self.view.mapper
        *relations, last = path.split(".")
        for relation in relations:
            if self.hides_of(mapper.class_, relation):
                return True
            prop = mapper.attrs.get(relation)
            if not isinstance(prop, RelationshipProperty):
                return True
            mapper = prop.mapper
        if self.hides_of(mapper.class_, last):
            return True
        return self.is_made_of_hidden(mapper, path)

    def hides_of(self, model: type, name: str) -> bool:
        return (model, name) in self.withheld.hidden

    def is_made_of_hidden(self, mapper: Mapper[Any], path: str) -> bool:
        """Say whether what computes or formats a column reads something hidden.

        Related rows that its declaration loads may be read: of these, the hidden ones are missing.
        """
        view, name = self.view, path.rpartition(".")[2]
        own = function_of(view, path)
        formatters = [
            formatter
            for known in (view._list_formatters, view._detail_formatters)  # noqa: SLF001
            if (formatter := known.get(path)) is not None
        ]
        functions = [(view.mapper, function) for function in (own, *formatters) if function]
        if own is None and name not in mapper.attrs:
            member = (
                naming_function(mapper.class_) if name == "__str__" else member_at(mapper, name)
            )
            functions.append((mapper, member))
        needed = [other for other in required_by(view, path) if other != path]
        if any(self.hides(other) for other in (*needed, ordering_of(view, path))):
            return True
        limited = frozenset() if needed else self.withheld.limited
        return any(reads(m, f, self.withheld.hidden, limited) for m, f in functions)


def within(view: ModelAdmin, limits: Limits) -> ModelAdmin:
    """Return the view with these limits on related rows: its filters and searches obey them."""
    made = copy.copy(view)
    made.limits = limits
    made.filters = [one.within(limits) for one in view.filters]
    made.askable = {path: one.within(limits) for path, one in view.askable.items()}
    return made
