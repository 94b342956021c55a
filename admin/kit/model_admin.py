"""The declaration of a screen: SQLAdmin's attributes, with the kit's behaviour behind them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, final

from markupsafe import Markup
from sqladmin import ModelView
from sqladmin.authorization import Action
from sqladmin.forms import WTFORMS_ATTRS
from sqlalchemy import Select, select
from starlette.exceptions import HTTPException

from admin.kit import deletion, saving
from admin.kit.changelist import Row, with_relations
from admin.kit.checks import check_view
from admin.kit.columns import can_type, in_table_order, is_declared, is_plain
from admin.kit.display import display, display_short, empty, value_at
from admin.kit.filters import PeriodFilter
from admin.kit.forms import FormConverter, TranslatedForm
from admin.kit.keys import BadKeyError, key_of, matches_keys
from admin.kit.languages import gettext
from admin.kit.lookups import Found
from admin.kit.search import contains_words
from admin.kit.templating import key_path
from admin.kit.zones import has_instants

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqladmin._types import MODEL_ATTR
    from sqlalchemy.orm import Mapper, Session
    from starlette.requests import Request
    from wtforms import Form

    from admin.kit.filters import Filter
    from admin.kit.site import AdminSite


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

    column_filters: ClassVar[Sequence[Filter]] = ()  # type: ignore[assignment]
    """Filters from `admin.kit.filters`."""

    _admin_ref: AdminSite  # type: ignore[misc]  # SQLAdmin's is the class's.

    def __init__(self) -> None:
        super().__init__()
        # SQLAdmin keeps the site on the class, where the next site of a process would replace it.
        if hasattr(self, "_admin_ref"):
            self._admin_ref = self._admin_ref
        # What SQLAdmin makes of the declarations, under names of our own; tests pin SQLAdmin's.
        self.mapper: Mapper[Any] = self._mapper
        self.list_names = self._list_prop_names
        self.details_names = self._details_prop_names
        self.export_names = self._export_prop_names
        self.form_names = self._form_prop_names
        self.readonly_names = [self._get_prop_name(c) for c in self.form_readonly_columns]
        self.search_names = self._search_fields
        self.sort_names = self._sort_fields
        self.default_sort = [(self._get_prop_name(c), d) for c, d in self._get_default_sort()]
        self.filters: Sequence[Filter] = self.column_filters
        self.filter_names = [f.column.key for f in self.filters if isinstance(f, PeriodFilter)]
        self.pickers = self._form_ajax_refs
        self.overrides = self._form_overrides
        self.create_rules = self._form_create_rules
        self.edit_rules = self._form_edit_rules
        self.action_labels = self._custom_actions_in_list
        self.action_questions = self._custom_actions_confirmation
        self.list_has_times = has_instants(self.mapper, [*self.list_names, *self.filter_names])
        self.details_has_times = has_instants(self.mapper, self.details_names)
        self.readonly_has_times = has_instants(self.mapper, self.readonly_names)
        self.scaffolded: dict[tuple[str, ...], type[Form]] = {}
        check_view(self)

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

    def list_query(self, request: Request) -> Select[Any]:
        """Return the rows of the list, of exports, lookups and filters: all in the scope."""
        return self.scope(select(self.model), request)

    def object_query(self, request: Request, key: str) -> Select[Any]:
        """Return the one row in the scope that has this key; raise a 404 if no row can have it."""
        return self.objects_query(request, [key])

    def objects_query(self, request: Request, keys: Sequence[str]) -> Select[Any]:
        """Return the rows in the scope that have these keys; raise a 404 if one can't exist."""
        try:
            condition = matches_keys(self.model, keys)
        except BadKeyError:
            raise HTTPException(404) from None
        return self.scope(select(self.model), request).where(condition)

    def details_query(self, request: Request) -> Select[Any]:
        """Return the row of the details page, with the related objects it shows."""
        stmt = self.object_query(request, request.path_params["pk"])
        return with_relations(self, stmt, self.details_names)

    def form_edit_query(self, request: Request) -> Select[Any]:
        """Return the row of the edit page, with the related objects it shows."""
        stmt = self.object_query(request, request.path_params["pk"])
        return with_relations(self, stmt, [*self.form_names, *self.readonly_names])

    def _stmt_by_identifier(self, identifier: str) -> Select[Any]:
        raise NotImplementedError("It knows no request, hence no scope: use object_query.")

    def search_query(self, stmt: Select[Any], term: str) -> Select[Any]:
        """Keep the rows in which every word of the term is found in one of the searched columns."""
        return stmt.where(contains_words(self.model, self.search_names, term))

    async def related_query(self, request: Request, model: type) -> Select[Any] | None:
        """Return the rows of a related model that this operator may list, or None.

        A model without a view of its own has no limits.
        """
        views = self.site.views_of({model})
        for view in views:
            if view.is_accessible(request) and await view.check_can_list(request):
                return view.list_query(request)
        return None if views else select(model)

    # Which columns they show

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
        declared: str | None = self._column_labels.get(name)
        return declared or name.replace(".", " ").replace("_", " ").capitalize()

    def search_placeholder(self) -> str:
        """Return the labels of the searched columns."""
        return gettext(", ").join(str(self.label(name)) for name in self.search_names)

    # What they look like; these run in the worker thread, while the session is open

    def row(self, obj: Any, request: Request) -> Row:
        """Return a line of the list, called by its first cell.

        That cell links to the row itself; and `str(obj)` might load something for each row.
        """
        show = partial(self.cell, obj, request=request, show=display_short)
        formatters = self._list_formatters
        first, *others = self.list_names
        cells = [show(first, formatters=formatters, is_linked=False)]
        cells += [show(name, formatters=formatters) for name in others]
        key = key_of(obj)
        return Row(obj, key, key if cells[0] == empty() else cells[0].striptags(), cells)

    @property
    def summary_names(self) -> list[str]:
        """Return the columns that tell one row from another in a line: the list's first two."""
        return self.list_names[:2]

    def summary(self, obj: Any, request: Request) -> tuple[str, str]:
        """Return what names a row outside of its list, and what tells it from its namesakes."""
        shown = [
            self.cell(
                obj,
                name,
                request=request,
                formatters=self._list_formatters,
                show=display_short,
                is_linked=False,
            )
            for name in self.summary_names
        ]
        nothing = empty()
        texts = ["" if cell == nothing else cell.striptags() for cell in [*shown, nothing]]
        label, detail = texts[:2]
        return label or key_of(obj), detail

    def fields(self, obj: Any, names: Sequence[str], request: Request) -> list[tuple[str, Markup]]:
        """Return label and value of each column, for the details page."""
        formatters = self._detail_formatters
        show = partial(self.cell, obj, request=request, formatters=formatters, show=display)
        return [(self.label(name), show(name)) for name in names]

    def cell(
        self,
        obj: Any,
        name: str,
        *,
        request: Request,
        formatters: dict[str, Callable[..., Any]],
        show: Callable[[Any], Markup],
        is_linked: bool = True,
    ) -> Markup:
        """Return one value as HTML, by its formatter if it has one."""
        formatter = formatters.get(name)
        if formatter is None:
            value = value_at(obj, name)
            path = self.related_path(value, request) if is_linked else ""
            return Markup('<a href="{}">{}</a>').format(path, show(value)) if path else show(value)
        arguments = (
            (obj, name, request) if self._formatter_accepts_request(formatter) else (obj, name)
        )
        return show(formatter(*arguments))

    def related_path(self, value: Any, request: Request) -> str:
        """Return the path of a related object's page, or "" if there is none that may be opened."""
        for view in self.site.views_of({type(value)}):
            may_open = view.can_view_details and view.is_accessible(request)
            if may_open and view.has_permission(request, Action.DETAILS, value):
                return key_path(request, "details", view.identity, key_of(value))
        return ""

    def sort_name(self, name: str) -> str | None:
        """Return what a heading sorts by: its column, or a column of its relation, or nothing."""
        names = [n for n in self.sort_names if n == name or n.startswith(f"{name}.")]
        return names[0] if names else None

    def allowed_actions(self, request: Request, *, in_detail: bool = False) -> dict[str, str]:
        """Return slug and label of the actions that this operator may run."""
        return self._visible_custom_actions(request, in_detail)

    def may_create(self, request: Request) -> bool:
        """Say whether a button to add an object is worth showing; the page itself asks again."""
        return self.can_create and self.has_permission(request, Action.CREATE)

    # Forms

    async def scaffold_form(self, rules: list[str] | None = None) -> type[Form]:
        """Return the form's class, made once for each set of rules."""
        names = tuple(rules or ())
        if names not in self.scaffolded:
            form = await super().scaffold_form(rules)
            for name in self.form_names:
                unbound = getattr(form, WTFORMS_ATTRS.get(name, name), None)
                if unbound is not None and not unbound.kwargs.get("label"):
                    unbound.kwargs["label"] = self.label(name)
            self.scaffolded[names] = form
        return self.scaffolded[names]

    def form_values(self, obj: Any) -> dict[str, Any]:
        """Return what the edit form starts with; a related object as its key and name."""
        values = {name: getattr(obj, name) for name in self.form_names}
        related = {name: values[name] for name in self.pickers if values.get(name) is not None}
        return {**values, **{name: Found.of(other) for name, other in related.items()}}

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

    # Writes: for pages, actions and other code

    async def insert_model(self, request: Request, data: dict[str, Any]) -> Any:
        """Store a new object, or raise `Refused`; `data` is keyed by attribute."""
        return await saving.insert(self, request, data)

    async def update_model(self, request: Request, pk: str, data: dict[str, Any]) -> Any:
        """Change the attributes named in `data`, or raise `Refused`, or a 404 or 403.

        If the data names the attribute that counts updates, it must hold the stored version.
        """
        return await saving.update(self, request, pk, data)

    @final
    async def delete_model(self, request: Request, pk: str) -> None:
        """Delete one object, or raise `Refused`, or a 404 or 403.

        Pages delete a whole selection in one transaction instead: `on_model_delete` sees each.
        """
        await deletion.delete(self, request, [pk])

    async def selected_objects(
        self, request: Request, change: Callable[[Session, list[Any]], Any]
    ) -> int:
        """Hand the objects ticked in the list to `change`, in one transaction; return how many.

        For actions: rows outside the scope are a 404, as if they did not exist.
        """
        return await saving.change_selected(self, request, change)
