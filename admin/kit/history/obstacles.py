"""What keeps a change from being undone, named and linked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from admin.kit.history.sight import visible_columns
from admin.kit.history.wording import collision_sentence
from admin.kit.languages import gettext, in_sentence
from admin.kit.templating import key_path

if TYPE_CHECKING:
    from starlette.requests import Request

    from admin.kit.history.undo import Collision
    from admin.kit.model_admin import ModelAdmin
    from admin.kit.site import AdminSite


def may_open(view: ModelAdmin, request: Request) -> bool:
    return view.can_view_details and view.has_permission(request, "details")


def object_path(request: Request, view: ModelAdmin, key: str) -> str:
    return key_path(request, "object_history", view.identity, key)


def told(site: AdminSite, request: Request, collision: Collision) -> dict[str, str]:
    """Return name, address and sentence of what is in the way; `{}` in it stands for the name."""
    table = site.recorded.schema.tables.get(collision.table_name)
    mapper = site.recorded.schema.mappers.get(table) if table is not None else None
    views = site.views_of({mapper.class_}) if mapper else []
    view = next((v for v in views if v.is_accessible(request)), None)
    if view is None:
        sentence = collision_sentence(collision, gettext("Link"), collision.columns)
        return {"label": collision.key, "url": "", "sentence": sentence}
    fields = [field_label(view, name) for name in collision.columns]
    url = object_path(request, view, collision.key) if may_open(view, request) else ""
    sentence = collision_sentence(collision, view.name, fields)
    return {"label": collision.label or collision.key, "url": url, "sentence": sentence}


def field_label(view: ModelAdmin, column: str) -> str:
    attribute = visible_columns(view, may_edit=True).get(column)
    return in_sentence(view.label(attribute or column))
