"""The menu: an entry for each view that may be opened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from admin.kit.templating import path_for

if TYPE_CHECKING:
    from sqladmin.models import BaseView, ModelView
    from starlette.requests import Request


@dataclass(frozen=True)
class MenuEntry:
    label: str
    url: str
    is_current: bool
    identity: str


def entry_of(view: BaseView | ModelView, request: Request) -> MenuEntry:
    """Return the entry of a view; it is current on all pages of the view."""
    name = "list" if view.is_model else f"view-{view.identity}"
    params = {"identity": view.identity} if view.is_model else {}
    path = path_for(request, name, **params)
    label = getattr(view, "name_plural", "") or view.name
    is_current = request.path_params.get("identity") == view.identity
    return MenuEntry(label, path, is_current or request.url.path == path, view.identity)
