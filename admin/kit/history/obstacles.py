"""What keeps a change from being undone, named and linked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from admin.kit.history.sight import visible_columns
from admin.kit.history.wording import collision_sentence
from admin.kit.languages import gettext, in_sentence
from admin.kit.reading import may_be_called
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
    views = site.views_of({mapper.class_}, request) if mapper else []
    view = next((v for v in views if v.is_accessible(request)), None)
    if view is None:
        sentence = collision_sentence(collision, gettext("Link"), collision.columns)
        return {"label": collision.key, "url": "", "sentence": sentence}
    known = visible_columns(view, may_edit=True)
    fields = [
        in_sentence(view.label(known[name])) if name in known else gettext("other fields")
        for name in collision.columns
    ]
    url = object_path(request, view, collision.key) if may_open(view, request) else ""
    sentence = collision_sentence(collision, view.name, fields)
    # Whoever sees some of the rows may not have seen this one, which may be gone.
    is_named = may_be_called(view.model) and not view.hides_rows(request)
    label = collision.label if is_named else ""
    return {"label": label or collision.key, "url": url, "sentence": sentence}
