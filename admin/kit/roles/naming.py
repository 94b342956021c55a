"""What rights are called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqladmin.authorization import WILDCARD, Action

from admin.kit.history.sight import SEE_EVENTS
from admin.kit.languages import gettext, lazy_gettext
from admin.kit.permissions import IMPLIED, MANAGE_VIEWS, RUN, Lack

if TYPE_CHECKING:
    from collections.abc import Mapping

REVEAL = "reveal"
# In the order of the matrix.
RIGHTS = {
    Action.LIST: lazy_gettext("List"),
    Action.DETAILS: lazy_gettext("Details"),
    Action.CREATE: lazy_gettext("Add"),
    Action.EDIT: lazy_gettext("Edit"),
    Action.DELETE: lazy_gettext("Delete"),
    Action.EXPORT: lazy_gettext("Export"),
    Action.IMPORT: lazy_gettext("Import"),
    REVEAL: lazy_gettext("Reveal"),
    MANAGE_VIEWS: lazy_gettext("Manage views"),
    SEE_EVENTS: lazy_gettext("Events of others"),
    WILDCARD: lazy_gettext("Everything"),
}


def name_right(action: str, names: Mapping[str, str] | None = None) -> str:
    """Return what a right is called; one that nobody names is called as it is stored."""
    known = RIGHTS.get(action) or (names or {}).get(action)
    return str(known or action.removeprefix(RUN))


def name_screen(identity: str, names: Mapping[str, str] | None = None) -> str:
    return (
        gettext("All screens")
        if identity == WILDCARD
        else str((names or {}).get(identity, identity))
    )


def say_lack(lack: Lack) -> str:
    """Say in a few words what somebody may not do."""
    screen, right = name_screen(lack.identity), name_right(lack.action)
    said = gettext("%(right)s on “%(screen)s”", right=right, screen=screen)
    if lack.scope is not None:
        rows = lack.scope or gettext("all rows")
        return gettext("%(said)s (rows: %(rows)s)", said=said, rows=rows)
    if lack.column:
        return gettext("%(said)s (column: %(column)s)", said=said, column=lack.column)
    return said


def say_implied(action: str) -> str:
    """Return what a right brings along, in words; "" for none."""
    implied = [name for name in RIGHTS if name in IMPLIED.get(action, ())]
    return gettext(", ").join(map(name_right, implied))
