"""What of the history an operator may see: rows and columns that other pages show them now."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqladmin.authorization import Action
from sqlalchemy import Table, and_, func, or_, select, tuple_

from admin.kit.history.recorder import DELETE, PRUNE, table_of
from admin.kit.keys import BadKeyError, key_of, matches_keys, parse_key
from admin.kit.reading import may_be_called
from admin.kit.scopes import scope_names

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import RelationshipProperty, Session
    from starlette.requests import Request

    from admin.kit.history.journal import Journal
    from admin.kit.model_admin import ModelAdmin
    from admin.kit.site import AdminSite

Name = tuple[str, str]
# The action to permit on "history" to those who may see sign-ins, refusals and the like.
SEE_EVENTS = "events"


def is_recorded(journal: Journal | None, view: ModelAdmin) -> bool:
    return journal is not None and view.mapper.local_table in journal.schema.mappers


def table_name(view: ModelAdmin) -> str:
    return table_of(view.mapper).name


def ends(relationship: RelationshipProperty[Any]) -> tuple[type, type]:
    """Return the two models that a many-to-many relation links."""
    return relationship.parent.class_, relationship.mapper.class_


@dataclass
class Sight:
    """The tables an operator may see, each with the view that shows it."""

    site: AdminSite
    request: Request
    views: dict[str, ModelAdmin] = field(default_factory=dict)
    links: set[str] = field(default_factory=set)
    has_events: bool = False

    @classmethod
    async def of(cls, site: AdminSite, request: Request) -> Sight:
        """Ask each view whether this operator may list its rows."""
        sight = cls(site, request)
        for view in site.model_views(request):
            may_list = view.is_accessible(request) and await view.check_can_list(request)
            if may_list and is_recorded(site.journal, view):
                sight.views.setdefault(table_name(view), view)
        models = {view.model for view in sight.views.values() if not view.hides_rows(request)}
        may = site.authorization_backend.has_permission
        sight.has_events = may(request, "history", SEE_EVENTS)
        for table, relationship in site.recorded.schema.links.items():
            if models.issuperset(ends(relationship)):
                sight.links.add(table.name)
        return sight

    @property
    def whole(self) -> set[str]:
        """The tables of which the operator may see every row."""
        return {*self.views} - self.scoped | self.links

    def whole_of(self, change_set: Any) -> set[str]:
        """Return the tables of which the operator may see every row of a change set.

        "" is among them where its events, which are about no row, may be seen.
        """
        return self.whole | {""} if self.may_see_events(change_set) else self.whole

    def may_see_events(self, change_set: Any) -> bool:
        """Say whether the events are the operator's own, or of the history itself.

        Those of others may be seen only with a right of its own: they tell who works when, and
        from where.
        """
        if self.has_events:
            return True
        is_prune = f'["","{PRUNE}",' in change_set.summary
        is_named = bool(change_set.operator_name == self.operator_name)
        return is_prune or (is_named and change_set.operator_id in (None, self.operator_id))

    def events(self, change_sets: Any) -> ColumnElement[bool]:
        """Return the condition for change sets with events that the operator may see."""
        is_event: ColumnElement[bool] = change_sets.summary.contains('["",', autoescape=True)
        if self.has_events:
            return is_event
        mine = and_(
            change_sets.operator_name == self.operator_name,
            or_(change_sets.operator_id.is_(None), change_sets.operator_id == self.operator_id),
        )
        is_prune = change_sets.summary.contains(f'["","{PRUNE}",', autoescape=True)
        return or_(is_prune, and_(mine, is_event))

    @property
    def operator_id(self) -> int | None:
        return getattr(self.request.state, "operator_id", None)

    @property
    def operator_name(self) -> str:
        return str(self.request.state.operator_name)

    @property
    def scoped(self) -> set[str]:
        """The tables of which the operator may see some rows."""
        hidden = (name for name, view in self.views.items() if view.hides_rows(self.request))
        return set(hidden)

    def label(self, table_name: str, label: str) -> str:
        """Return what a row was called, or "" where its name is made of what may not be seen."""
        view = self.views.get(table_name)
        return label if view is None or may_be_called(view.model) else ""

    def seen(self, session: Session, entries: Collection[Any], whole: Collection[str]) -> list[Any]:
        """Return those entries, each with the `id` of its change set, that may be seen.

        Of the tables in `whole` those are all. Where a view hides rows, only the present life of
        rows that it shows now can be seen: who was to see a row that is gone, or another one that
        had the key before, nobody can tell.
        """
        keys: dict[str, set[str]] = {name: set() for name in self.scoped}
        for entry in entries:
            if entry.table_name in keys:
                keys[entry.table_name].add(entry.key)
        shown = {name: self._shown(session, name, some) for name, some in keys.items() if some}
        names = [(name, key) for name in shown for key in shown[name]]
        deleted = deletions(self.site.recorded, session, names)
        return [
            entry
            for entry in entries
            if entry.table_name in whole
            or (
                entry.key in shown.get(entry.table_name, ())
                and entry.id > deleted.get((entry.table_name, entry.key), 0)
            )
        ]

    def _shown(self, session: Session, name: str, keys: Iterable[str]) -> set[str]:
        """Return those keys whose rows the view lists now."""
        view = self.views[name]
        known = [key for key in keys if is_key(view.model, key)]
        stmt = view.list_query(self.request).where(matches_keys(view.model, known))
        return {key_of(obj) for obj in session.scalars(stmt)} if known else set()


def deletions(journal: Journal, session: Session, names: Collection[Name]) -> Mapping[Name, int]:
    """Return for each of these rows that was ever deleted the last change set that did it."""
    if not names:
        return {}
    sets, changes = journal.change_sets, journal.changes
    stmt = (
        select(changes.table_name, changes.key, func.max(sets.id))
        .join(sets, sets.operation == changes.operation)
        .where(tuple_(changes.table_name, changes.key).in_(names), changes.action == DELETE)
        .group_by(changes.table_name, changes.key)
    )
    return {(name, key): number for name, key, number in session.execute(stmt)}


def is_key(model: type, key: str) -> bool:
    try:
        parse_key(model, key)
    except BadKeyError:
        return False
    return True


def visible_columns(view: ModelAdmin, *, may_edit: bool) -> dict[str, str]:
    """Return the columns whose values pages of the view show, each with its attribute."""
    names = [*view.details_names, *view.list_names, *view.readonly_names]
    names += view.form_names if may_edit else []
    found: dict[str, str] = {}
    for name in names:
        prop: Any = view.mapper.attrs.get(name)
        for column in columns_of(prop):
            found.setdefault(column.name, name)
    return found


def columns_of(prop: Any) -> Iterable[Any]:
    """Return the columns of the view's own table that hold a property."""
    if prop is None:
        return ()
    if hasattr(prop, "local_columns"):
        return [c for c in prop.local_columns if c.foreign_keys] if not prop.uselist else ()
    return [column for column in prop.columns if isinstance(column.table, Table)]


ACTIONS = {"create": Action.DELETE, "update": Action.EDIT, "delete": Action.CREATE}
FLAGS = {Action.DELETE: "can_delete", Action.EDIT: "can_edit", Action.CREATE: "can_create"}


def may_undo(site: AdminSite, request: Request, counts: Iterable[Name]) -> bool:
    """Say whether an operator has the rights to do the opposite to all tables of a change set.

    Events in it changed no row, such as the sessions that a role's change ended: they stay.
    """
    asked = {(name, action) for name, action in counts if action in ACTIONS}
    return bool(asked) and all(
        may_reverse(site, request, *name) or goes_along(site, *name, asked) for name in asked
    )


def goes_along(site: AdminSite, name: str, action: str, counts: Collection[Name]) -> bool:
    """Say whether rows of a table without a view came or went with rows that they depend on.

    Who may delete those may delete these along with them, so undo asks for no more.
    """
    schema = site.recorded.schema
    table = schema.tables.get(name)
    if table is None or schema.is_link(name) or site.views_of({schema.mappers[table].class_}):
        return False
    parents = [p for p, all_of in schema.dependents.items() for d in all_of if d.table is table]
    return any(
        (parent.name, action if action != "update" else DELETE) in counts
        for parent in parents
        if parent in schema.mappers and site.views_of({schema.mappers[parent].class_})
    )


def may_reverse(site: AdminSite, request: Request, name: str, action: str) -> bool:
    """Say whether the operator has the right to do the opposite to rows of this table."""
    schema = site.recorded.schema
    table, right = schema.tables.get(name), ACTIONS.get(action)
    if table is None or right is None:
        return False
    if table in schema.links:
        views = site.views_of(set(ends(schema.links[table])), request)
        return bool(views) and all(
            may_return(view, request, Action.EDIT)
            and scope_names(view, request, Action.EDIT) is None
            for view in views
        )
    views = site.views_of({schema.mappers[table].class_})
    return any(may_return(view, request, right) for view in views)


def must_confirm(site: AdminSite, counts: Iterable[Name]) -> bool:
    """Say whether a change set has rows of a view that asks who is there before any change."""
    schema = site.recorded.schema
    tables = {schema.tables[name] for name, _ in counts if name in schema.tables}
    models = {schema.mappers[table].class_ for table in tables if table in schema.mappers}
    for link in tables & schema.links.keys():
        models |= set(ends(schema.links[link]))
    return any(view.must_confirm for view in site.views_of(models))


def may_return(view: ModelAdmin, request: Request, right: Action) -> bool:
    """Say whether what was changed on a screen may be taken back, and by this operator."""
    return view.can_undo and may(view, request, right)


def may(view: ModelAdmin, request: Request, right: Action) -> bool:
    is_on = getattr(view, FLAGS[right])
    return is_on and view.is_accessible(request) and view.has_permission(request, right)
