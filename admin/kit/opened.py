"""Objects as their pages show them, read in one go."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from sqladmin.authorization import Action
from sqlalchemy import Select, func, select
from sqlalchemy.orm import with_parent

from admin.kit.errors import require_found
from admin.kit.filters.choosing import path_of
from admin.kit.formats import write_capped
from admin.kit.hooks import wait_for
from admin.kit.keys import key_of
from admin.kit.naming import label_of
from admin.kit.templating import path_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup
    from sqlalchemy.orm import Mapper, RelationshipProperty, Session
    from starlette.requests import Request

    from admin.kit.model_admin import ModelAdmin

MOST_COUNTED = 1000

Fields = list[tuple[str, "Markup"]]


@dataclass(frozen=True)
class RelatedRows:
    """How many rows a to-many relation holds, and the filtered list of them, if there is one."""

    label: str
    count: int
    url: str = ""

    @property
    def text(self) -> str:
        return write_capped(self.count, MOST_COUNTED)


@dataclass
class Opened:
    """One object; `values` is what its form starts with, `fields` what is shown as text.

    `shown` tells what the form showed when it was opened; it stands for `values` if it is empty.
    """

    obj: Any
    key: str
    label: str
    version: str
    fields: Fields
    values: dict[str, Any] = field(default_factory=dict)
    related: Sequence[RelatedRows] = ()
    shown: str = ""


def open_details(view: ModelAdmin, request: Request, session: Session) -> Opened:
    """Read the object of a details page, counting what belongs to it."""
    obj = session.scalar(view.details_query(request))
    require_found(obj)
    fields = view.fields(obj, view.details_names, request)
    related = count_related(view, request, session, obj)
    return Opened(obj, key_of(obj), label_of(obj), view.version_of(obj), fields, related=related)


def open_form(view: ModelAdmin, request: Request, session: Session) -> Opened:
    """Read the object of an edit page."""
    obj = session.scalar(view.form_edit_query(request))
    require_found(obj)
    fields = view.fields(obj, view.readonly_names, request)
    values = view.form_values(obj)
    return Opened(obj, key_of(obj), label_of(obj), view.version_of(obj), fields, values)


def count_related(
    view: ModelAdmin, request: Request, session: Session, obj: Any
) -> list[RelatedRows]:
    """Count what may be listed of each to-many relation, up to a limit, instead of loading it."""
    related = []
    for relationship in view.mapper.relationships:
        if relationship.uselist:
            rows = wait_for(view.related_query, request, relationship.mapper.class_)
            if rows is not None:
                rows = rows.where(with_parent(obj, getattr(view.model, relationship.key)))
                count = count_some(session, rows, relationship.mapper)
                url = list_path(view, request, relationship, obj)
                related.append(RelatedRows(view.label(relationship.key), count, url))
    return related


def list_path(
    view: ModelAdmin, request: Request, relationship: RelationshipProperty[Any], obj: Any
) -> str:
    """Return the path of the related view's list filtered by this object, or ""."""
    for other in view.site.views_of({relationship.mapper.class_}):
        for filter_ in other.filters:
            is_reverse = path_of(filter_) == relationship.back_populates
            if is_reverse and other.has_permission(request, Action.LIST):
                path = path_for(request, "list", identity=other.identity)
                return f"{path}?{urlencode({filter_.parameter_name: key_of(obj)})}"
    return ""


def count_some(session: Session, rows: Select[Any], mapper: Mapper[Any]) -> int:
    """Count the rows of `mapper`, but no more than one beyond the limit."""
    keys = rows.with_only_columns(*mapper.primary_key, maintain_column_froms=True)
    some = keys.order_by(None).limit(MOST_COUNTED + 1).subquery()
    return session.scalar(select(func.count()).select_from(some)) or 0
