"""Objects as their pages show them, read in one go."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from sqladmin.authorization import Action
from sqlalchemy import Select, func, select
from sqlalchemy.orm import with_parent

from admin.kit.filters.choosing import path_of
from admin.kit.formats import write_capped
from admin.kit.hooks import wait_for
from admin.kit.keys import key_of
from admin.kit.naming import label_of
from admin.kit.revealed import REVEAL, seconds_left
from admin.kit.scopes import Reach
from admin.kit.templating import path_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup
    from sqlalchemy.orm import Mapper, RelationshipProperty, Session
    from starlette.requests import Request

    from admin.kit.actions.declared import Action as AnyAction
    from admin.kit.model_admin import ModelAdmin
    from admin.kit.scopes import Asked

MOST_COUNTED = 1000
# What pages of an object lead to.
OBJECT_ACTIONS = (Action.DETAILS, Action.EDIT, Action.DELETE, REVEAL)

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
    `denied` is what may not be done to it, of what may be done to others; for `seconds_left`, what
    is sensitive is shown.
    """

    obj: Any
    key: str
    label: str
    version: str
    fields: Fields
    values: dict[str, Any] = field(default_factory=dict)
    related: Sequence[RelatedRows] = ()
    shown: str = ""
    denied: frozenset[str] = frozenset()
    seconds_left: int = 0

    def may(self, action: str) -> bool:
        """Say whether roles allow this for the object, where they allow it for some."""
        return action not in self.denied

    def allowed(self, actions: Sequence[AnyAction]) -> list[AnyAction]:
        """Return the actions that may be run on this object."""
        return [action for action in actions if self.may(action.slug_right)]


def open_details(view: ModelAdmin, request: Request, session: Session) -> Opened:
    """Read the object of a details page, counting what belongs to it."""
    obj, denied = find(view, request, session, view.details_query(request), Action.DETAILS)
    left = seconds_left(view, request, key_of(obj)) if REVEAL not in denied else 0
    fields = view.fields(obj, view.details_names, request, is_clear=bool(left))
    related = count_related(view, request, session, obj)
    label, version = label_of(obj), view.version_of(obj)
    return Opened(
        obj, key_of(obj), label, version, fields, related=related, denied=denied, seconds_left=left
    )


def open_form(view: ModelAdmin, request: Request, session: Session) -> Opened:
    """Read the object of an edit page."""
    obj, denied = find(view, request, session, view.form_edit_query(request), Action.EDIT)
    fields = view.fields(obj, view.readonly_names, request)
    values = view.form_values(obj)
    label, version = label_of(obj), view.version_of(obj)
    return Opened(obj, key_of(obj), label, version, fields, values, denied=denied)


def find(
    view: ModelAdmin, request: Request, session: Session, stmt: Select[Any], within: str
) -> tuple[Any, frozenset[str]]:
    """Return the object, and what may not be done to it; raise a 404, or a 403 if it is seen."""
    asked: dict[str, Asked] = {action: action for action in OBJECT_ACTIONS}
    asked |= {action.slug_right: action.rights for action in view.find_actions().values()}
    reach = Reach.of(view, request, within, asked)
    row = session.execute(stmt.add_columns(*reach.columns.values())).unique().first()
    if row is None:
        view.missing(request, session, request.path_params["pk"])
    assert row is not None  # noqa: S101 - a missing one has just been raised
    return row[0], reach.denied(row[1:])


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
    for other in view.site.views_of({relationship.mapper.class_}, request):
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
