"""The declaration of a screen: SQLAdmin's attributes, with the kit's behaviour behind them."""

from __future__ import annotations

from contextlib import nullcontext
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal, final

from sqladmin import ModelView
from sqladmin.authorization import Action
from sqladmin.forms import WTFORMS_ATTRS
from sqlalchemy import Select, select
from starlette.exceptions import HTTPException

from admin.kit import deletion, saving
from admin.kit.checks import check_view
from admin.kit.columns import (
    can_type,
    default_list,
    functions_in,
    in_table_order,
    is_declared,
    is_function,
    is_plain,
    name_of_function,
)
from admin.kit.filters import PeriodFilter
from admin.kit.filters.choosing import askable_filters, declared_filters, path_of
from admin.kit.forms import FormConverter, TranslatedForm
from admin.kit.keys import BadKeyError, in_path, in_paths, key_of, key_reader, matches_keys
from admin.kit.languages import gettext
from admin.kit.lists.chosen import choice_names
from admin.kit.lists.columns import columns_of, options_at, ordering_of, required_by
from admin.kit.lists.dates import hierarchy_of
from admin.kit.lists.lazy import refusing
from admin.kit.lists.pages import Row
from admin.kit.lists.query import with_relations
from admin.kit.lists.views import declared_views
from admin.kit.lookups import Found, hidden_choice
from admin.kit.reading import related_mappers
from admin.kit.scopes import condition_of, raise_missing, scope_names
from admin.kit.search import Alternative, alternatives, contains_words, searched_path
from admin.kit.selection import Selection
from admin.kit.zones import has_instants

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from markupsafe import Markup
    from sqladmin._types import MODEL_ATTR
    from sqlalchemy.orm import Mapper, Session
    from starlette.requests import Request
    from starlette.responses import Response
    from wtforms import Form

    from admin.kit.actions.declared import Action as AnyAction
    from admin.kit.filters import Filter
    from admin.kit.lists.columns import Column
    from admin.kit.lists.views import ListView
    from admin.kit.scopes import Asked, RowScope
    from admin.kit.site import AdminSite
    from admin.kit.withheld import Limits


# The methods by which a view may hide rows.
QUERIES = ("scope", "list_query", "object_query", "objects_query")


# Choices of columns whose resolution is remembered.
MOST_RESOLVED = 1000


class ModelAdmin(ModelView):
    """A `ModelView` whose pages are bounded, scoped and safe to offer to several operators.

    What a subclass declares is SQLAdmin's, described there; attributes that the kit can't honour
    safely stop the start with a sentence. `scope` is the one place that limits which rows exist.
    """

    page_size = 50
    page_size_options = [25, 50, 100, 250]
    form_base_class = TranslatedForm
    form_converter = FormConverter
    export_types = ["csv", "json"]
    list_template = "sqladmin/list.html"
    details_template = "sqladmin/details.html"
    create_template = "sqladmin/form.html"
    edit_template = "sqladmin/form.html"
    delete_template: ClassVar[str] = "sqladmin/delete.html"

    form_readonly_columns: ClassVar[Sequence[MODEL_ATTR]] = ()
    """Columns that the edit page shows as text; no request can change them."""

    column_filters: ClassVar[Sequence[Any]] = ()
    """Columns, relations and dotted paths, whose types choose the filter, or filters."""

    show_facets: ClassVar[Literal["always", "allow", "never"]] = "allow"
    """Whether each choice of the filters is counted: always, when asked for, or never."""

    column_list: ClassVar[str | Sequence[Any]]
    """Columns, dotted paths, functions of an object (and the request), and names of methods and
    properties of the view and the model; `@display` describes what is computed."""

    date_hierarchy: ClassVar[Any] = None
    """A column of dates or times: links above the list lead to its years, months and days."""

    list_display_links: ClassVar[Sequence[Any] | None] = ()
    """Columns of the list that lead to the row: the first one unless named, none if None."""

    list_select_related: ClassVar[Sequence[MODEL_ATTR]] = ()
    """Relations that names or computed columns need, loaded in the statement that reads rows."""

    empty_value_display: ClassVar[str] = ""
    """What stands for an empty value, unless its column says; else what the site says."""
    search_help_text: ClassVar[str | None] = None
    """The line below the search box; None says how words are found, an empty text is no line."""

    column_choices: ClassVar[Sequence[MODEL_ATTR] | None] = None
    """Columns that operators may add to the list; by default those of the details page."""

    list_views: ClassVar[Mapping[str, str] | Sequence[ListView]] = {}
    """Views of the list as tabs: `{"Drafts": "published_at=empty"}`, or some `ListView`."""

    actions: ClassVar[Sequence[AnyAction | str]] = ()
    """Actions from `admin.kit`, and names of those of the site that it doesn't offer everywhere."""

    must_confirm: ClassVar[bool] = False
    """Whether who is signed in has to prove it once more before they change anything here."""

    can_undo: ClassVar[bool] = True
    """Whether changes may be taken back from the history, and deleted rows from the trash.

    Undo asks for rights and scopes, but calls no hook of the form's."""

    stays_small: ClassVar[bool] = False
    """Whether the table has so few rows that nothing is said of indexes it lacks."""

    disabled_actions: ClassVar[Sequence[str]] = ()
    """Names of the site's actions that this view doesn't offer."""
    row_scopes: ClassVar[Mapping[str, RowScope]] = {}
    """Some of the rows, under names by which roles allow what they allow for these rows alone."""
    column_editable_list: ClassVar[Sequence[MODEL_ATTR]] = ()
    """Columns of the list that can be edited in it, by the edit form's own fields and rules."""

    _admin_ref: AdminSite  # type: ignore[misc]  # SQLAdmin's is the class's.

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        # A column is a descriptor, which an instance that isn't mapped can't be asked for.
        cls.date_hierarchy = getattr(cls.date_hierarchy, "key", cls.date_hierarchy)

    def __init__(self) -> None:
        self.callables = functions_in(self)
        # What roles make of it for one request: see `withheld`.
        self.declared = self
        self.narrowed: dict[Any, ModelAdmin] = {}
        self.limits: Limits = {}
        self.unsettable: frozenset[str] = frozenset()
        self.hidden_names: frozenset[str] = frozenset()
        super().__init__()
        # SQLAdmin keeps the site on the class, where the next site of a process would replace it.
        if hasattr(self, "_admin_ref"):
            self._admin_ref = self._admin_ref
        # What SQLAdmin makes of the declarations, under names of our own; tests pin SQLAdmin's.
        self.mapper: Mapper[Any] = self._mapper
        self.dates = hierarchy_of(self)
        self.list_names = self._list_prop_names
        self.details_names = self._details_prop_names
        self.export_names = self._export_prop_names
        self.form_names = self._form_prop_names
        self.readonly_names = [self._get_prop_name(c) for c in self.form_readonly_columns]
        self.select_related = [self._get_prop_name(c) for c in self.list_select_related]
        self.search_columns = self._search_fields
        self.search_names = [searched_path(column) for column in self.search_columns]
        self.computed_names = [
            name
            for name in dict.fromkeys([*self.list_names, *self.details_names, *self.export_names])
            if name not in self.mapper.attrs
        ]
        orders = [ordering_of(self, name) for name in self.computed_names]
        self.sort_names = list(dict.fromkeys([*self._sort_fields, *filter(None, orders)]))
        self.editable_names = [self._get_prop_name(c) for c in self.column_editable_list]
        self.default_sort = [(self._get_prop_name(c), d) for c, d in self._get_default_sort()]
        self.filters: Sequence[Filter] = declared_filters(self)
        self.askable = askable_filters(self)
        self.filter_names = [path_of(f) for f in self.filters if isinstance(f, PeriodFilter)]
        self.choice_names = choice_names(self)
        self.declared_views = declared_views(self.list_views)
        self.pickers = self._form_ajax_refs
        self.overrides = self._form_overrides
        self.create_rules = self._form_create_rules
        self.edit_rules = self._form_edit_rules
        self.method_actions: dict[str, AnyAction] = {}
        self.details_has_times = has_instants(self.mapper, self.details_names)
        self.readonly_has_times = has_instants(self.mapper, self.readonly_names)
        self.scaffolded: dict[tuple[str, ...], type[Form]] = {}
        check_view(self)
        self.read_key = key_reader(self.model)
        self.columns = columns_of(self, self.list_names, self._list_formatters, is_list=True)
        self.resolved: dict[tuple[str, ...], list[Column]] = {}
        self.page_columns = columns_of(
            self, [*self.details_names, *self.readonly_names], self._detail_formatters
        )
        self.export_columns = list(columns_of(self, self.export_names, {}).values())

    @cached_property
    def draws_rows_itself(self) -> bool:
        return type(self).rows is not ModelAdmin.rows

    @property
    def site(self) -> AdminSite:
        return self._admin_ref

    # Which rows exist

    def scope(self, stmt: Select[Any], request: Request) -> Select[Any]:
        """Limit which rows this request may reach; lists, forms, lookups and deletions obey.

        Add conditions, or joins of to-one relations; for a to-many relation ask `any()`, because a
        join would repeat rows.
        """
        return stmt

    @cached_property
    def is_scoped(self) -> bool:
        """Whether the view itself may hide rows, whoever asks."""
        return any(getattr(type(self), name) is not getattr(ModelAdmin, name) for name in QUERIES)

    def hides_rows(self, request: Request, action: Asked = Action.LIST) -> bool:
        """Say whether there may be rows that this request may not do this to."""
        return self.is_scoped or scope_names(self, request, action) is not None

    def within(self, request: Request, action: Asked) -> Select[Any]:
        """Return the rows that this request may do this to: by the view's scope, and by its roles'.

        All statements about a view's rows are made of it. Of several actions, one is enough.
        """
        stmt = self.scope(select(self.model), request)
        condition = condition_of(self, request, action)
        return stmt if condition is None else stmt.where(condition)

    def list_query(self, request: Request) -> Select[Any]:
        """Return the rows of the list, of exports, lookups and filters: all in the scope."""
        return self.within(request, Action.LIST)

    def object_query(self, request: Request, key: str, action: Asked) -> Select[Any]:
        """Return the row with this key if this may be done to it; a 404 if no row can have it."""
        return self.objects_query(request, [key], action)

    def objects_query(self, request: Request, keys: Sequence[str], action: Asked) -> Select[Any]:
        """Return the rows with these keys that this may be done to; a 404 if one can't exist."""
        try:
            condition = matches_keys(self.model, keys)
        except BadKeyError:
            raise HTTPException(404) from None
        return self.within(request, action).where(condition)

    def details_query(self, request: Request) -> Select[Any]:
        """Return the row of the details page, with the related objects it shows."""
        stmt = self.object_query(request, request.path_params["pk"], Action.DETAILS)
        return with_relations(self, stmt, self.details_names)

    def form_edit_query(self, request: Request) -> Select[Any]:
        """Return the row of the edit page, with the related objects it shows."""
        stmt = self.object_query(request, request.path_params["pk"], Action.EDIT)
        return with_relations(self, stmt, [*self.form_names, *self.readonly_names])

    def missing(self, request: Request, session: Session, key: str) -> None:
        """Raise a 403 for a row that may be seen, but for more; a 404 for any other."""
        raise_missing(self, request, session, key)

    @cached_property
    def related_mappers(self) -> frozenset[Mapper[Any]]:
        """The mapper, and all that relations lead to from it."""
        return related_mappers(self.mapper)

    def _stmt_by_identifier(self, identifier: str) -> Select[Any]:
        raise NotImplementedError("It knows no request, hence no scope: use object_query.")

    def search_query(self, stmt: Select[Any], term: str) -> Select[Any]:
        """Keep the rows in which every word of the term is found in one of the searched columns."""
        condition = contains_words(self.model, self.search_columns, term, self.limits)
        return stmt.where(condition)

    def search_alternatives(self, term: str) -> list[Alternative]:
        """Return what to ask for apart for the first rows of `search_query`; none if it is another.

        A row that is found meets one of them at least, and each is served by an index.
        """
        if type(self).search_query is not ModelAdmin.search_query:
            return []
        is_sqlite = self.site.database.sessions.kw["bind"].dialect.name == "sqlite"
        columns, limits = self.search_columns, self.limits
        return alternatives(self.model, columns, term, is_sqlite=is_sqlite, limits=limits)

    async def related_query(self, request: Request, model: type) -> Select[Any] | None:
        """Return the rows of a related model that this operator may list, or None.

        A model without a view of its own has no limits.
        """
        views = self.site.views_of({model}, request)
        for view in views:
            if view.is_accessible(request) and await view.check_can_list(request):
                return view.list_query(request)
        return None if views else select(model)

    # Which columns they show

    def get_list_columns(self) -> list[str]:
        """Return the declared columns, else what an object calls itself, or its key."""
        names = super().get_list_columns()
        is_chosen = is_declared(self, "column_list") or is_declared(self, "column_exclude_list")
        is_all = getattr(self, "column_list", None) == "__all__"
        return names if is_chosen or is_all else default_list(self.model, names)

    def get_details_columns(self) -> list[str]:
        """Return the declared columns, else every column and to-one relation."""
        names = super().get_details_columns()
        if is_declared(self, "column_details_list"):
            return names
        plain = [n for n in names if is_plain(self._mapper, n, {"MANYTOONE", "ONETOONE"})]
        return in_table_order(self._mapper, plain)

    def get_form_columns(self) -> list[str]:
        """Return the declared columns, else those an operator can sensibly type."""
        names = super().get_form_columns()
        if not is_declared(self, "form_columns"):
            names = [n for n in names if is_plain(self._mapper, n, {"MANYTOONE"})]
            names = [n for n in names if can_type(self._mapper, n)]
            names = in_table_order(self._mapper, names)
        readonly = {self._get_prop_name(column) for column in self.form_readonly_columns}
        return [name for name in names if name not in readonly]

    def label(self, name: str) -> str:
        """Return the heading of a column: the declared one, else its name in words."""
        if name in self.hidden_names:
            return gettext("Other fields")
        declared: str | None = self._column_labels.get(name) or self.descriptions.get(name)
        return declared or name.replace(".", " ").replace("_", " ").capitalize()

    @cached_property
    def descriptions(self) -> dict[str, Any]:
        """What computed columns call themselves; an object's name is headed by the model's."""
        found = {name: options_at(self, name).description for name in self.computed_names}
        return {"__str__": self.name, **{name: text for name, text in found.items() if text}}

    def columns_for(self, names: Sequence[str]) -> list[Column]:
        """Return these columns as a list shows them, resolved the first time they are asked for."""
        key = tuple(names)
        if key not in self.resolved:
            if len(self.resolved) >= MOST_RESOLVED:
                self.resolved.clear()
            self.resolved[key] = list(
                columns_of(self, names, self._list_formatters, is_list=True).values()
            )
        return self.resolved[key]

    def linked_names(self, names: Sequence[str]) -> set[str]:
        """Return which columns of a list lead to the row."""
        declared = self.list_display_links
        if declared is None:
            return set()
        return {self._get_prop_name(column) for column in declared} or set(names[:1])

    def shows_times(self, names: Sequence[str]) -> bool:
        """Say whether a list with these columns, or one of its filters, tells the time."""
        return has_instants(self.mapper, [*names, *self.filter_names])

    def search_placeholder(self) -> str:
        """Return the labels of the searched columns."""
        return gettext(", ").join(str(self.label(name)) for name in self.search_names)

    def search_help(self) -> str:
        """Return the line below the search box."""
        if self.search_help_text is not None:
            return str(self.search_help_text)
        return gettext(
            "Finds rows that contain every word; one or two letters match only at the beginning."
        )

    # What they look like; these run in the worker thread, while the session is open

    def rows(
        self, objects: Sequence[Any], columns: Sequence[Column], request: Request
    ) -> list[Row]:
        """Return the lines of a list, each called by its first cell.

        `str(obj)` might load something for each row.
        """
        nothing = columns[0].nothing()
        with refusing() if self.site.refuses_lazy_loads else nullcontext():
            drawn = [column.cells(objects, request) for column in columns]
        keys = map(self.read_key, objects)
        return [
            Row(obj, key, cells, cells[0] == nothing)
            for obj, key, cells in zip(objects, keys, zip(*drawn, strict=True), strict=True)
        ]

    def row(self, obj: Any, request: Request) -> Row:
        """Return the line of one object, with the declared columns."""
        return self.rows([obj], list(self.columns.values()), request)[0]

    @property
    def summary_names(self) -> list[str]:
        """Return the columns that tell one row from another in a line: the list's first two."""
        return self.list_names[:2]

    def summary(self, obj: Any, request: Request) -> tuple[str, str]:
        """Return what names a row outside of its list, and what tells it from its namesakes."""
        texts = [self.columns[name].text(obj, request) for name in self.summary_names]
        label, detail = [*texts, ""][:2]
        return label or key_of(obj), detail

    def fields(
        self, obj: Any, names: Sequence[str], request: Request, *, is_clear: bool = False
    ) -> list[tuple[str, Markup]]:
        """Return label and value of each column, for the details page."""
        known = self.page_columns
        if is_clear:
            known = columns_of(self, names, self._detail_formatters, is_clear=True)
        columns = [known[name] for name in names]
        return [(column.label, column.cell(obj, request)) for column in columns]

    def related_path(self, value: Any, request: Request) -> str:
        """Return the path of a related object's page, or "" if there is none that may be opened."""
        return self.related_paths([value], request)[0]

    def related_paths(self, values: Sequence[Any], request: Request) -> Sequence[str]:
        """Return the path of each related object's page; for what is none it is ""."""
        ways = {kind: self.site.details_paths(request, kind) for kind in set(map(type, values))}
        if len(ways) == 1 and len(pages := next(iter(ways.values()))) == 1:
            ((view, path, asks),) = pages
            if not asks:  # One view, and all of them: nearly each column of a list.
                return [path + key for key in in_paths(list(map(view.read_key, values)))]
        return [self.first_path(value, ways[type(value)], request) for value in values]

    def first_path(
        self, value: Any, ways: Iterable[tuple[ModelAdmin, str, bool]], request: Request
    ) -> str:
        """Return the path of an object's page in the first view that shows it to who asks."""
        for view, path, asks in ways:
            if not asks or view.has_permission(request, Action.DETAILS, value):
                return path + in_path(view.read_key(value))
        return ""

    def sort_name(self, name: str) -> str | None:
        """Return what a heading sorts by: its column, or a column of its relation, or nothing."""
        names = [n for n in self.sort_names if n == name or n.startswith(f"{name}.")]
        return ordering_of(self, name) or (names[0] if names else None)

    def required(self, name: str) -> Sequence[str]:
        """Return the paths that have to be loaded for a column."""
        return required_by(self, name)

    def _get_prop_name(self, prop: Any) -> str:
        return name_of_function(prop) if is_function(prop) else super()._get_prop_name(prop)

    def find_actions(self) -> dict[str, AnyAction]:
        """Return all actions of this view by name: its own, and the site's that it leaves on."""
        site, disabled = self.site.actions, self.site.disabled_actions
        named = {item for item in self.actions if isinstance(item, str)}
        off = {*disabled - named, *self.disabled_actions}
        own = {item.slug: item for item in self.actions if not isinstance(item, str)}
        shared = {slug: item for slug, item in site.items() if slug not in off}
        return {**self.method_actions, **own, **{s: a for s, a in shared.items() if s not in own}}

    def allowed_actions(self, request: Request, place: str = "list") -> list[AnyAction]:
        """Return the actions that this operator may run, of those offered at this place."""
        found = self.find_actions().values()
        return [item for item in found if place in item.places and item.is_allowed(self, request)]

    def may_create(self, request: Request) -> bool:
        """Say whether a button to add an object is worth showing; the page itself asks again."""
        return self.can_create and self.has_permission(request, Action.CREATE)

    def may_edit_list(self, request: Request) -> bool:
        """Say whether cells are worth offering; each row is asked again."""
        is_offered = bool(self.editable_names) and self.can_edit
        return is_offered and self.has_permission(request, Action.EDIT)

    # Forms

    async def scaffold_form(self, rules: list[str] | None = None) -> type[Form]:
        """Return the form's class, made once for each set of rules."""
        names = tuple(rules or ())
        if names not in self.scaffolded:
            form = await super().scaffold_form(rules)
            if self.form is not None and self.unsettable:
                kept_out = [n for n in self.unsettable if hasattr(form, WTFORMS_ATTRS.get(n, n))]
                form = type(form.__name__, (form,), dict.fromkeys(kept_out))
            for name in self.form_names:
                unbound = getattr(form, WTFORMS_ATTRS.get(name, name), None)
                if unbound is not None and not unbound.kwargs.get("label"):
                    unbound.kwargs["label"] = self.label(name)
            self.scaffolded[names] = form
        return self.scaffolded[names]

    def form_values(self, obj: Any) -> dict[str, Any]:
        """Return what the edit form starts with; a related object as its key and name."""
        return {name: self.form_value(obj, name) for name in self.form_names}

    def form_value(self, obj: Any, name: str) -> Any:
        """Return what a field of the edit form starts with."""
        if name not in self.pickers:
            return getattr(obj, name)
        relation = self.mapper.relationships[name]
        is_limited = relation.mapper.class_ in self.limits
        # Not loaded within the limits, it may be a row that is not to be seen.
        value = obj.__dict__.get(name) if is_limited else getattr(obj, name)
        return hidden_choice(relation, obj) if value is None else Found.of(value)

    @property
    def version_name(self) -> str:
        """The attribute that counts a row's updates, or "" for models that keep no count."""
        column = self.mapper.version_id_col
        return "" if column is None else self.mapper.get_property_by_column(column).key

    def version_of(self, obj: Any) -> str:
        """Return the version an edit page was opened at, or "" for models that keep none."""
        return str(getattr(obj, self.version_name)) if self.version_name else ""

    async def lookup_query(self, request: Request, name: str, term: str = "") -> Select[Any]:
        """Return the objects that a relation's picker offers: those their own view would list."""
        loader = self.pickers[name]
        stmt = await self.related_query(request, loader.model)
        if stmt is None:
            raise HTTPException(403)
        if loader.where is None:
            return stmt
        return stmt.where(*await loader._prepare_where_clauses(request, term))  # noqa: SLF001

    # Before pages write

    async def delete_context(self, request: Request, keys: Sequence[str]) -> dict[str, Any]:
        """Return what a `delete_template` of one's own shows besides the kit's."""
        return {}

    async def ask_first(self, request: Request, obj: Any, data: dict[str, Any]) -> Response | None:
        """Answer with a question about a form that is in order, or return None to store it.

        `obj` is None for a new object. Raise `Refused` to show the form again.
        """
        return None

    # Writes: for pages, actions and other code

    async def insert_model(self, request: Request, data: dict[str, Any]) -> Any:
        """Store a new object, or raise `Refused`; `data` is keyed by attribute."""
        return await saving.insert(self, request, data)

    async def update_model(self, request: Request, pk: str, data: dict[str, Any]) -> Any:
        """Change the attributes named in `data`, or raise `Refused`, or a 404 or 403.

        If the data names the attribute that counts updates, it must hold the stored version.
        """
        return await saving.update(self, request, pk, data)

    def set_value(self, session: Session, obj: Any, name: str, value: Any) -> None:
        """Give an object what a form's field holds; this runs in the worker thread."""
        setattr(obj, name, value)

    @final
    async def delete_model(self, request: Request, pk: str) -> None:
        """Delete one object, or raise `Refused`, or a 404 or 403.

        Pages delete a whole selection in one transaction instead: `on_model_delete` sees each.
        """
        await deletion.delete(Selection(self, request, Action.DELETE, [pk]))

    async def selected_objects(
        self, request: Request, change: Callable[[Session, list[Any]], Any]
    ) -> int:
        """Hand the objects selected in the list to `change`, in one transaction; return how many.

        For actions: rows outside the scope are a 404, as if they did not exist. Of all rows that
        match, `change` gets a bounded number at a time.
        """
        return await saving.change_selected(self, request, change)
