"""The rows a list's address asks for: scoped, filtered, searched and sorted."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sqladmin.authorization import Action
from sqlalchemy import (
    CompoundSelect,
    Select,
    Table,
    and_,
    false,
    inspect,
    or_,
    select,
    true,
    union,
)
from sqlalchemy.orm import (
    QueryableAttribute,
    RelationshipDirection,
    RelationshipProperty,
    aliased,
    joinedload,
)

from admin.kit import trigrams
from admin.kit.errors import BadAddress
from admin.kit.filters.asked import WHERE, conditions, parameters
from admin.kit.keys import key_columns
from admin.kit.languages import gettext
from admin.kit.lists.keyset import Term
from admin.kit.lists.news import NEW, only_new, read_mark
from admin.kit.scopes import condition_of, scope_names
from admin.kit.search import EVERY_ROW

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import ColumnElement
    from starlette.requests import Request

    from admin.kit.filters import Filter
    from admin.kit.model_admin import ModelAdmin
    from admin.kit.search import Alternative, Limits

# Parameters that say which page is shown; a link that changes the rows leaves them out.
PLACE = ("page", "after", "before", "at", "from", "last", "skip")
VIEW = "_view"
# Parameters of the address that are not filters.
RESERVED = {*PLACE, "_date", "pageSize", "search", "sort", "sortBy"}


@dataclass
class Query:
    """Which rows there are, in no order, and the relations that an order leads through.

    `stmt` selects them all. Where `ways` are given, no index serves the whole: then they are the
    rows of `narrowed` that one of the ways finds. `is_whole` says that nothing is left out, and
    `hides_rows` that somebody's roles do. Of related models in `limits`, other rows are not seen.
    """

    model: type
    stmt: Select[Any]
    narrowed: Select[Any] | None = None
    ways: Sequence[Alternative] = ()
    is_whole: bool = False
    joins: dict[str, Join] = field(default_factory=dict)
    limits: Limits = field(default_factory=dict)
    hides_rows: bool = False
    unfiltered: Select[Any] | None = None

    @property
    def arms(self) -> list[tuple[Select[Any], Alternative]]:
        """Return what to select apart, each by an index, and the way that limits it."""
        if self.narrowed is None or not self.ways:
            return [(self.stmt, EVERY_ROW)]
        return [(self.led(way).where(way.condition), way) for way in self.ways]

    @property
    def ordered_arms(self) -> list[tuple[Select[Any], Alternative]]:
        """Return the same, for a walk along the order that looks at one row after the other."""
        if self.narrowed is None or not self.ways:
            return self.arms
        return [(self.led(way).where(*way.conditions), way) for way in self.ways]

    def led(self, way: Alternative) -> Select[Any]:
        """Return the narrowed rows, to which the way leads, and nothing else if it says so."""
        assert self.narrowed is not None  # noqa: S101 - where there are ways, there is something
        return self.unled(self.narrowed) if way.leads else self.narrowed

    def unled(self, stmt: Select[Any]) -> Select[Any]:
        """Return the select with conditions that SQLite only looks at, whatever indexes it has."""
        if stmt.whereclause is None or self.unfiltered is None:
            return stmt
        return self.unfiltered.where(trigrams.unindexed(stmt.whereclause, self.table))

    @property
    def table(self) -> Table:
        table: Any = inspect(self.model).local_table
        assert isinstance(table, Table)  # noqa: S101 - a view is of a table
        return table

    def column(self, path: str) -> tuple[QueryableAttribute[Any], bool]:
        """Return the column at a dotted path, such as `author.name`, and whether it may be NULL.

        Each join has a name of its own, because a relation may lead back to the same table.
        """
        *relations, name = path.split(".")
        entity: Any = self.model
        is_outer = False
        for depth, relation in enumerate(relations):
            walked = ".".join(relations[: depth + 1])
            if walked not in self.joins:
                attribute = getattr(entity, relation)
                limit = self.limits.get(attribute.property.mapper.class_)
                self.joins[walked] = Join.along(attribute, is_outer=is_outer, limit=limit)
            entity, is_outer = self.joins[walked].entity, self.joins[walked].is_outer
        column: QueryableAttribute[Any] = getattr(entity, name)
        return column, is_outer or bool(column.property.columns[0].nullable)

    def joined(self, stmt: Select[Any], leader: Term | None = None) -> Select[Any]:
        """Return the select with the relations joined, each once; one may lead, for its order."""
        for join in self.joins.values():
            if leader is not None and join.leading is not None and join.has(leader):
                stmt = stmt.join(join.entity, join.leading)
            else:
                stmt = stmt.join(join.target, isouter=join.is_outer)
        return stmt

    def first(
        self,
        terms: Sequence[Term],
        conditions: Sequence[ColumnElement[bool]],
        limit: Any,
        offset: Any = None,
    ) -> Select[Any]:
        """Return the first rows in this order of those that meet one of the conditions.

        Each condition is asked for apart, for keys alone, so that each may use its own index.
        """
        order = [term.order for term in terms]
        parts = [
            (self.joined(arm.where(condition), terms[0] if self.walks(way) else None), way)
            for arm, way in self.ordered_arms
            for condition in conditions or [true()]
        ]
        if len(parts) == 1:
            ((stmt, way),) = parts
            return stmt.order_by(*order).limit(way.limit(limit)).offset(offset)
        columns = key_columns(self.model)
        ordering = ordered_by(terms) if self.stmt._distinct else ()  # noqa: SLF001 - no other way
        keys = [
            part.with_only_columns(*columns, *ordering, maintain_column_froms=True)
            .order_by(*order)
            .limit(way.limit(limit if offset is None else limit + offset))
            for part, way in parts
        ]
        found = either(keys).subquery()
        same = [column == found.c[column.key] for column in columns]
        rows = self.joined(select(self.model).join(found, and_(*same)))
        return rows.order_by(*order).limit(limit).offset(offset)

    def walks(self, way: Alternative) -> bool:
        """Say whether the rows are looked at in their order, and not led to by something else."""
        return self.is_whole or way.is_walk

    def only(self, narrow: Callable[[Select[Any]], Select[Any]]) -> Query:
        """Return the rows that are left by what narrows a select."""
        narrowed = None if self.narrowed is None else narrow(self.narrowed)
        return replace(self, stmt=narrow(self.stmt), narrowed=narrowed, is_whole=False)

    def sample(self, most: int) -> tuple[Select[Any] | CompoundSelect[Any], ColumnElement[bool]]:
        """Return the keys of some rows that were searched for on SQLite, and whether of some only.

        What leads to the rows is asked for no more than a few, so it costs the same for any word.
        """
        columns = key_columns(self.model)
        samples = [(self.led(way), way.sample) for way in self.ways if way.sample is not None]
        parts = [
            arm.with_only_columns(*columns, maintain_column_froms=True).where(rows).limit(most)
            for arm, (rows, _) in samples
        ]
        is_cut = or_(false(), *(is_cut for _, (_, is_cut) in samples))
        return parts[0] if len(parts) == 1 else either(parts), is_cut

    def some(self, most: int) -> Select[Any] | CompoundSelect[Any]:
        """Return the keys of so many rows, whichever are found first."""
        columns = key_columns(self.model)
        parts = [
            arm.with_only_columns(*columns, maintain_column_froms=True).limit(way.limit(most))
            for arm, way in self.arms
        ]
        return parts[0] if len(parts) == 1 else either(parts)


def ordered_by(terms: Sequence[Term]) -> list[ColumnElement[Any]]:
    """Return what PostgreSQL wants selected where each row is to come once, in this order."""
    return [term.column.label(f"order_{number}") for number, term in enumerate(terms)]


def either(parts: Sequence[Select[Any]]) -> CompoundSelect[Any]:
    """Return what one of the selects has; SQLite wants each in parentheses of its own."""
    return union(*(select(part.subquery()) for part in parts))


@dataclass(frozen=True)
class Join:
    """A to-one relation to join, `outer` unless every row has a related one.

    `leading` is what to join it by, so that SQLite begins with the related rows.
    """

    entity: Any
    target: Any
    is_outer: bool
    leading: ColumnElement[bool] | None = None

    def has(self, term: Term) -> bool:
        return getattr(term.column, "table", None) is inspect(self.entity).selectable

    @classmethod
    def along(
        cls,
        attribute: QueryableAttribute[Any],
        *,
        is_outer: bool,
        limit: ColumnElement[bool] | None = None,
    ) -> Join:
        """Return the join; a related row that the limit leaves out is as if there were none."""
        relationship = attribute.property
        entity = aliased(relationship.mapper.class_)
        target: Any = attribute.of_type(entity)
        if limit is not None:
            return cls(entity, target.and_(limit), is_outer=True)
        if is_outer or not is_certain(relationship):
            return cls(entity, target, is_outer=True)
        return cls(entity, target, is_outer=False, leading=leading(attribute, entity))


def leading(attribute: QueryableAttribute[Any], entity: Any) -> ColumnElement[bool] | None:
    """Return the condition of the join, of which no index of SQLite's serves the other side."""
    pairs = attribute.property.local_remote_pairs
    if len(pairs) != 1 or inspect(attribute.parent).is_aliased_class:
        return None
    ((local, remote),) = pairs
    key = inspect(entity).selectable.c[remote.key]
    return trigrams.ByDialect(local == key, local == trigrams.unindexed_column(key))


def is_certain(relationship: Any) -> bool:
    """Say whether every row has a related one; then an inner join lets indexes lead the order."""
    return relationship.direction is RelationshipDirection.MANYTOONE and all(
        column.foreign_keys and not column.nullable for column in relationship.local_columns
    )


def results(
    view: ModelAdmin,
    request: Request,
    *,
    without: Filter | None = None,
    rights: Sequence[str] = (),
) -> Query:
    """Return what scope, filters and search leave, in no order; `without` leaves out a filter.

    Each of the `rights` has to be there for the rows.
    """
    asked = request.query_params
    if asked.get(VIEW):
        raise unopened_view()
    stmt = unfiltered = view.list_query(request).order_by(None)
    needed = (condition_of(view, request, right) for right in rights)
    stmt = stmt.where(*(each for each in needed if each is not None))
    stmt = stmt.where(*conditions(view, request, without))
    if view.dates:
        stmt = view.dates.narrow(stmt, request)
    if asked.get(NEW):
        stmt = only_new(view, stmt, read_mark(asked[NEW]))
    term = asked.get("search", "").strip()
    kept_back: Any = {
        "limits": view.limits,
        "hides_rows": hides_anything(view, request),
        "unfiltered": unfiltered,
    }
    if not term or not view.search_names:
        is_whole = not view.is_scoped and stmt.whereclause is None
        return Query(view.model, stmt, is_whole=is_whole, **kept_back)
    ways = view.search_alternatives(term)
    return Query(view.model, view.search_query(stmt, term), stmt, ways, **kept_back)


def hides_anything(view: ModelAdmin, request: Request) -> bool:
    """Say whether an estimate might tell of rows that somebody's roles hide from them."""
    return bool(view.limits) or scope_names(view, request, Action.LIST) is not None


def unopened_view() -> BadAddress:
    """Refuse what names a view without having opened it: all rows are not what it stands for."""
    sentence = gettext("There is no such view, or it is not shared with you.")
    return BadAddress(sentence, [VIEW])


def order(view: ModelAdmin, request: Request, query: Query) -> list[Term]:
    """Return the order asked for, else the view's own, made total by the primary key."""
    terms, used = [], set()
    for path, descending in asked_order(view, request):
        column, nullable = query.column(path)
        if "." not in path:
            used.add(column.property.columns[0])
        terms.append(Term(column.expression, descending, nullable))

    keys = [key for key in view.pk_columns if key not in used]
    return [*terms, *(Term(key, terms[-1].descending if terms else False) for key in keys)]


def asked_order(view: ModelAdmin, request: Request) -> list[tuple[str, bool]]:
    """Read each `sortBy`, where a minus means descending; raise a 400 for what can't be sorted by.

    SQLAdmin's `sort=desc` counts as well if there is but one.
    """
    asked = [path for path in request.query_params.getlist("sortBy") if path]
    if not asked:
        return view.default_sort
    found = {path.removeprefix("-"): path.startswith("-") for path in asked}
    if not found.keys() <= set(view.sort_names):
        sentence = gettext("The list can't be sorted by this column.")
        raise BadAddress(sentence, ["sortBy", "sort"])
    if len(asked) == 1 and request.query_params.get("sort") == "desc":
        found = dict.fromkeys(found, True)
    return list(found.items())


def with_relations(view: ModelAdmin, stmt: Select[Any], names: Sequence[str]) -> Select[Any]:
    """Load, in the same statement, the related objects that these columns need."""
    paths = [path for name in names for path in view.required(name)]
    for path in dict.fromkeys([*view.select_related, *paths]):
        option, model = None, view.model
        for part in path.split("."):
            attribute: Any = getattr(model, part, None)
            prop = getattr(attribute, "property", None)
            if not isinstance(prop, RelationshipProperty):
                break
            limit = view.limits.get(prop.mapper.class_)
            attribute = attribute if limit is None else attribute.and_(limit)
            option = option.joinedload(attribute) if option else joinedload(attribute)
            model = prop.mapper.class_
        if option is not None:
            stmt = stmt.options(option)
    return stmt


def narrowing(view: ModelAdmin) -> list[str]:
    """Return the parameters that leave rows out."""
    search = ["search"] if view.search_names else []
    dates = ["_date"] if view.dates else []
    return [NEW, *search, *dates, WHERE, *sorted(parameters(view))]
