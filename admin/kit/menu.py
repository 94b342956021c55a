"""The menu: an entry for each view that may be opened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from admin.kit.model_admin import ModelAdmin
from admin.kit.templating import path_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqladmin.models import BaseView, ModelView
    from starlette.requests import Request


@dataclass(frozen=True)
class MenuEntry:
    """A view in the menu; `create_url` is there for those who may add."""

    name: str
    label: str
    url: str
    create_url: str
    is_current: bool


@dataclass(frozen=True)
class MenuGroup:
    label: str
    entries: Sequence[MenuEntry]


def entry_of(view: BaseView | ModelView, request: Request) -> MenuEntry:
    """Return the entry of a view; it is current on all pages of the view."""
    name = "list" if view.is_model else f"view-{view.identity}"
    params = {"identity": view.identity} if view.is_model else {}
    path = path_for(request, name, **params)
    may_create = isinstance(view, ModelAdmin) and view.may_create(request)
    is_current = request.path_params.get("identity") == view.identity
    return MenuEntry(
        view.name,
        getattr(view, "name_plural", "") or view.name,
        path,
        path_for(request, "create", identity=view.identity) if may_create else "",
        is_current or request.url.path == path,
    )
