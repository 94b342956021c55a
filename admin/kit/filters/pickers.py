"""What the pickers of filters offer: related objects, or the values that occur in a column."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from sqlalchemy import inspect, literal, select, tuple_
from sqlalchemy.orm import aliased
from starlette.exceptions import HTTPException

from admin.kit.filters.choosing import path_of
from admin.kit.filters.kinds import RelatedFilter, ValuesFilter
from admin.kit.filters.wording import related_model
from admin.kit.keys import key_columns
from admin.kit.languages import gettext
from admin.kit.lookups import MOST_CHOICES, Found, find_choices
from admin.kit.search import LIKE_WILDCARDS, words
from admin.kit.templating import path_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sqlalchemy import Select
    from sqlalchemy.orm import Session
    from starlette.requests import Request

    from admin.kit.filters.kinds import Filter
    from admin.kit.model_admin import ModelAdmin

# The parameter by which a picker of a filter differs from the picker of a form.
FOR_FILTER = "_filter"


def picker_path(view: ModelAdmin, request: Request, filter_: Filter) -> str:
    """Return where the filter's choices are looked up, or "" where they can only be typed."""
    of_values = isinstance(filter_, ValuesFilter) and not filter_.through
    of_objects = isinstance(filter_, RelatedFilter) and can_search(view, request, filter_)
    if not (of_values or of_objects):
        return ""
    asked = urlencode({FOR_FILTER: "1", "name": filter_.parameter_name})
    return f"{path_for(request, 'ajax_lookup', identity=view.identity)}?{asked}"


def can_search(view: ModelAdmin, request: Request, filter_: RelatedFilter) -> bool:
    """Say whether a form of the view, or the related model's own, says by what to search."""
    if form_picker(view, filter_):
        return True
    return any(
        other.search_names for other in view.site.views_of({related_model(filter_)}, request)
    )


def form_picker(view: ModelAdmin, filter_: RelatedFilter) -> str:
    """Return the name of the form's picker for the same relation, or ""."""
    path = path_of(filter_)
    return path if path in view.pickers else ""


async def look_up(view: ModelAdmin, request: Request, name: str, term: str) -> list[Found]:
    """Return what the picker of a filter offers to somebody who may open the list."""
    filter_ = find_filter(view, name)
    words(term)  # Refuses what no database can be asked.
    if isinstance(filter_, ValuesFilter) and not filter_.through:
        return await view.site.read(partial(occurring_values, view, request, filter_, term))
    if not isinstance(filter_, RelatedFilter) or not can_search(view, request, filter_):
        raise HTTPException(400, gettext("There is no such picker."))
    stmt = await view.related_query(request, related_model(filter_))
    if stmt is None:
        raise HTTPException(403)
    if filter_.only_occurring:
        stmt = stmt.where(occurs(view, request, filter_))
    return await view.site.read(finder(view, request, filter_, stmt, term))


def find_filter(view: ModelAdmin, name: str) -> Filter | None:
    declared: Iterable[Filter] = (f for f in view.filters if f.parameter_name == name)
    return next(iter(declared), view.askable.get(name))


def finder(
    view: ModelAdmin, request: Request, filter_: RelatedFilter, stmt: Select[Any], term: str
) -> Callable[[Session], list[Found]]:
    """Return what finds the objects: by the form's picker, else as their own list does."""
    key = form_picker(view, filter_)
    if key:
        return partial(find_choices, query=stmt, loader=view.pickers[key], term=term)
    model = related_model(filter_)
    other = next(other for other in view.site.views_of({model}, request) if other.search_names)
    found = other.search_query(stmt, term) if term else stmt
    found = found.order_by(*inspect(model).primary_key).limit(MOST_CHOICES)
    return lambda session: [Found.of(obj) for obj in session.scalars(found)]


def occurs(view: ModelAdmin, request: Request, filter_: RelatedFilter) -> Any:
    """Return the condition that some row of the list belongs to the object.

    It is asked of each object by itself: as there are few on a page, no table is walked.
    """
    row: Any = aliased(view.model)
    model = related_model(filter_)
    entity: Any = row
    stmt = select(literal(1)).select_from(row)
    for relation in (*filter_.through, filter_.column):
        step: Any = aliased(relation.property.mapper.class_)
        stmt = stmt.join(getattr(entity, relation.key).of_type(step))
        entity = step
    same = [getattr(entity, c.key) == getattr(model, c.key) for c in key_columns(model)]
    listed = view.list_query(request).with_only_columns(*view.pk_columns)
    keys = tuple_(*(getattr(row, column.key) for column in view.pk_columns))
    return stmt.where(*same, keys.in_(listed)).correlate(model).exists()


def occurring_values(
    view: ModelAdmin, request: Request, filter_: ValuesFilter, term: str, session: Session
) -> list[Found]:
    """Return values of the column, each found from the one before it: an index serves that."""
    column: Any = filter_.column
    listed = view.list_query(request).with_only_columns(column).where(column.is_not(None))
    listed = listed.order_by(column).limit(1)
    if term and filter_.operand is not None and filter_.operand.kind == "text":
        pattern = f"{term.translate(LIKE_WILDCARDS)}%"
        listed = listed.where(column.ilike(pattern, escape="\\"))
    found: list[Any] = []
    while len(found) < MOST_CHOICES:
        following = listed.where(column > found[-1]) if found else listed
        value = session.scalar(following)
        if value is None:
            break
        found.append(value)
    return [Found(str(value), str(value)) for value in found]
