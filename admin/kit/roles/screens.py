"""What there is to allow: every mounted screen, and what can be done on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqladmin.authorization import WILDCARD, Action, custom_action

from admin.kit.history.sight import SEE_EVENTS
from admin.kit.languages import gettext
from admin.kit.permissions import MANAGE_VIEWS, RUN
from admin.kit.roles.naming import REVEAL, RIGHTS, name_right

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from admin.kit.model_admin import ModelAdmin
    from admin.kit.site import AdminSite

FLAGS = {
    Action.DETAILS: "can_view_details",
    Action.CREATE: "can_create",
    Action.EDIT: "can_edit",
    Action.DELETE: "can_delete",
    Action.EXPORT: "can_export",
    Action.IMPORT: "can_import",
}


@dataclass(frozen=True)
class Screen:
    """A row of the matrix: what may be allowed there, for which rows, and without what columns.

    Each mapping is of the stored name to what it is called. A screen that is not there any more is
    not `is_mounted`.
    """

    identity: str
    label: str
    rights: Mapping[str, str]
    actions: Mapping[str, str] = field(default_factory=dict)
    scopes: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)
    is_mounted: bool = True

    @property
    def offered(self) -> Mapping[str, str]:
        """All that may be allowed, by the names of rights."""
        return {**self.rights, **self.actions}


def screens_of(site: AdminSite) -> list[Screen]:
    """Return all screens of a site, first the row that stands for all of them."""
    views = [screen_of(view) for view in site.model_views()]
    offered = {action for screen in views for action in screen.rights}
    everywhere = Screen(WILDCARD, gettext("All screens"), named(offered))
    history = Screen("history", gettext("History"), named({SEE_EVENTS}))
    return [everywhere, *views, *([history] if site.journal is not None else [])]


def screen_of(view: ModelAdmin) -> Screen:
    """Return what can be allowed on a view: only what it offers."""
    offered = {Action.LIST, WILDCARD}
    offered |= {action for action, flag in FLAGS.items() if getattr(view, flag)}
    offered |= {MANAGE_VIEWS} if view.site.list_store is not None else set()
    is_masked = any(column.info.get("sensitive") for column in view.mapper.columns)
    offered |= {REVEAL} if is_masked else set()
    scopes = getattr(view, "row_scopes", None) or {}
    return Screen(
        view.identity,
        str(view.name_plural),
        named(offered),
        dict(actions_of(view)),
        {name: str(scope.label) for name, scope in scopes.items()},
        columns_of(view),
    )


def named(offered: set[str]) -> dict[str, str]:
    """Return these rights in the order of the matrix, each with what it is called."""
    return {str(action): name_right(action) for action in RIGHTS if action in offered}


def actions_of(view: ModelAdmin) -> Iterator[tuple[str, str]]:
    """Yield the rights that actions ask for, if they are not among those of all screens."""
    for action in view.find_actions().values():
        for name in action.permissions or (custom_action(action.slug),):
            if name not in RIGHTS:
                yield name, str(action.label).removesuffix("…")


def columns_of(view: ModelAdmin) -> dict[str, str]:
    """Return the columns that pages of a view show, or its form sets."""
    names = [*view.list_names, *view.details_names, *view.form_names, *view.export_names]
    return {name: view.label(name) for name in dict.fromkeys(names)}


def action_names(screens: list[Screen]) -> dict[str, str]:
    """Return what the actions of all screens are called."""
    return {
        name: label for screen in screens for name, label in screen.actions.items() if RUN in name
    }
