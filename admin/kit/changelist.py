"""The rows a list's address asks for: scoped, filtered, searched, sorted, and one page of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, func
from sqlalchemy.orm import (
    QueryableAttribute,
    RelationshipProperty,
    Session,
    aliased,
    joinedload,
)
from starlette.exceptions import HTTPException

from admin.kit.filters import RelatedFilter
from admin.kit.hooks import wait_for
from admin.kit.keys import matches_keys
from admin.kit.keyset import Term
from admin.kit.languages import gettext

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup
    from starlette.requests import Request

    from admin.kit.model_admin import ModelAdmin

# Parameters of the address that are not filters.
RESERVED = {"page", "pageSize", "search", "sort", "sortBy"}
LARGEST_PAGE = 10**8


@dataclass
class Row:
    """One line of the list, ready to print; the links are set for those who may follow them."""

    obj: Any
    key: str
    label: str
    cells: Sequence[Markup]
    url: str = ""


@dataclass(frozen=True)
class Page:
    """`number` counts from one; a number beyond the last page shows the last.

    `sorted` is `asc` or `desc` by column; `is_narrowed` is true if a search or filter is on;
    `chosen` are the labels of the objects that filters by a relation name.
    """

    rows: list[Row]
    number: int
    size: int
    count: int
    sorted: dict[str, str]
    is_narrowed: bool
    chosen: dict[str, str]

    @property
    def first(self) -> int:
        return (self.number - 1) * self.size + 1 if self.count else 0

    @property
    def last(self) -> int:
        return min(self.number * self.size, self.count)

    @property
    def pages(self) -> int:
        return max(1, -(-self.count // self.size))


@dataclass
class Query:
    """A select under construction; relations are joined once, outer, so that no row gets lost.

    Each join has a name of its own, because a relation may lead back to the same table.
    """

    stmt: Select[Any]
    joined: dict[str, Any] = field(default_factory=dict)

    def column(self, model: type, path: str) -> QueryableAttribute[Any]:
        """Return the column at a dotted path, such as `author.name`."""
        *relations, name = path.split(".")
        entity: Any = model
        for depth, relation in enumerate(relations):
            walked = ".".join(relations[: depth + 1])
            if walked not in self.joined:
                attribute = getattr(entity, relation)
                self.joined[walked] = aliased(attribute.property.mapper.class_)
                self.stmt = self.stmt.outerjoin(attribute.of_type(self.joined[walked]))
            entity = self.joined[walked]
        column: QueryableAttribute[Any] = getattr(entity, name)
        return column


def results(view: ModelAdmin, request: Request) -> Query:
    """Return what scope, filters and search leave, in no order."""
    query = Query(view.list_query(request))
    for filter_ in view.filters:
        value = request.query_params.get(filter_.parameter_name)
        if value:
            query.stmt = query.stmt.where(filter_.condition(value))
    term = request.query_params.get("search", "").strip()
    if term and view.search_names:
        query.stmt = view.search_query(query.stmt, term)
    return query


def order(view: ModelAdmin, request: Request, query: Query) -> list[Term]:
    """Return the order asked for, else the view's own, made total by the primary key."""
    terms, used = [], set()
    for path, descending in asked_order(view, request):
        column = query.column(view.model, path)
        stored = column.property.columns[0]
        is_own = "." not in path
        if is_own:
            used.add(stored)
        terms.append(Term(column.expression, descending, not is_own or bool(stored.nullable)))

    keys = [key for key in view.pk_columns if key not in used]
    return [*terms, *(Term(key, terms[-1].descending if terms else False) for key in keys)]


def asked_order(view: ModelAdmin, request: Request) -> list[tuple[str, bool]]:
    """Read `sortBy` and `sort`; raise a 400 for a column that can't be sorted by."""
    path = request.query_params.get("sortBy")
    if path:
        if path not in view.sort_names:
            raise HTTPException(400, gettext("The list can't be sorted by this column."))
        return [(path, request.query_params.get("sort") == "desc")]
    return view.default_sort


def with_relations(view: ModelAdmin, stmt: Select[Any], names: Sequence[str]) -> Select[Any]:
    """Load, in the same statement, the related objects that these columns need."""
    for name in names:
        option, model = None, view.model
        for part in name.split("."):
            attribute = getattr(model, part)
            prop = getattr(attribute, "property", None)
            if not isinstance(prop, RelationshipProperty):
                break
            option = option.joinedload(attribute) if option else joinedload(attribute)
            model = prop.mapper.class_
        if option is not None:
            stmt = stmt.options(option)
    return stmt


def load_page(view: ModelAdmin, request: Request, session: Session) -> Page:
    """Return the page asked for, in two statements."""
    size = page_number(request, "pageSize", view.page_size, max(view.page_size_options))
    query = results(view, request)
    counted = query.stmt.with_only_columns(func.count(), maintain_column_froms=True)
    count = session.scalar(counted) or 0
    number = min(page_number(request, "page", 1, LARGEST_PAGE), max(1, -(-count // size)))
    terms = order(view, request, query)
    stmt = with_relations(view, query.stmt, view.list_names)
    stmt = stmt.order_by(*(term.order for term in terms)).limit(size).offset((number - 1) * size)
    rows = [view.row(obj, request) for obj in session.scalars(stmt)]
    return Page(
        rows,
        number,
        size,
        count,
        sorted={path: "desc" if down else "asc" for path, down in asked_order(view, request)},
        is_narrowed=any(request.query_params.get(name) for name in narrowing(view)),
        chosen=chosen_labels(view, request, session),
    )


def narrowing(view: ModelAdmin) -> list[str]:
    """Return the parameters that leave rows out."""
    search = ["search"] if view.search_names else []
    return [*search, *(filter_.parameter_name for filter_ in view.filters)]


def chosen_labels(view: ModelAdmin, request: Request, session: Session) -> dict[str, str]:
    """Return the label of each object that a filter by a relation names, if it may be listed."""
    labels = {}
    for filter_ in view.filters:
        value = request.query_params.get(filter_.parameter_name)
        if value and isinstance(filter_, RelatedFilter):
            model = filter_.column.property.mapper.class_
            rows = wait_for(view.related_query, request, model)
            chosen = matches_keys(model, [value])
            found = None if rows is None else session.scalar(rows.where(chosen))
            labels[filter_.parameter_name] = value if found is None else str(found)
    return labels


def page_number(request: Request, name: str, default: int, largest: int) -> int:
    """Read a positive number from the address, capped; raise a 400 for anything else."""
    text = request.query_params.get(name) or str(default)
    number = int(text) if re.fullmatch(r"[0-9]{1,9}", text) else 0
    if number < 1:
        raise HTTPException(400, gettext("The page must be a whole number above zero."))
    return min(number, largest)
