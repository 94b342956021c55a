"""The rows of a list as HTML.

A page may have hundreds of them, and a template takes four times as long for each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from markupsafe import Markup, escape
from sqladmin import ModelView
from sqladmin.authorization import Action

from admin.kit.languages import gettext
from admin.kit.templating import path_for

TICK = '<td><input type="checkbox" name="pks" value="'
LABEL, TICKED = '" aria-label="', '">'

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request

    from admin.kit.lists.columns import Column
    from admin.kit.lists.pages import Row
    from admin.kit.model_admin import ModelAdmin


async def link_rows(
    view: ModelAdmin, request: Request, rows: Sequence[Row], *, edits_cells: bool
) -> None:
    """Set where each row leads: to its form, else its details, else nowhere.

    The way back to this place in the list isn't said in each link: `place_in_list` adds it.
    """
    edit, details = (
        path_for(request, page, identity=view.identity, pk="") for page in ("edit", "details")
    )
    is_edit_plain = is_plain(view, "check_can_edit")
    for row in rows:
        if is_edit_plain:
            may_edit = view.can_edit and view.has_permission(request, Action.EDIT, row.obj)
        else:
            may_edit = await view.check_can_edit(request, row.obj)
        row.may_edit = may_edit and edits_cells
        if may_edit or await view.check_can_view_details(request, row.obj):
            row.url = (edit if may_edit else details) + quote(row.key, safe="")


def is_plain(view: ModelAdmin, check: str) -> bool:
    """Say whether a check is SQLAdmin's own, which needn't be awaited for each row."""
    return getattr(type(view), check) is getattr(ModelView, check)


def table_rows(
    rows: Sequence[Row], columns: Sequence[Column], *, is_selectable: bool, edits_cells: bool
) -> Markup:
    """Return the rows; what could be HTML in them was escaped when they were made.

    HTML lets cells end where the next one begins, which saves a full page some kilobytes.
    """
    before, _, after = map(escape, gettext("Select {}").partition("{}"))
    shapes = [("th", ' scope="row"'), *[("td", "")] * (len(columns) - 1)]
    parts = [
        (f"<{tag}{attributes}>", column.is_linked)
        for (tag, attributes), column in zip(shapes, columns, strict=True)
    ]
    lines = []
    for row in rows:
        link = f'<a href="{escape(row.url)}">' if row.url else ""
        cells = [
            f"{start}{link}{cell}</a>" if link and is_linked else f"{start}{cell}"
            for (start, is_linked), cell in zip(parts, row.cells, strict=True)
        ]
        tick = f"{TICK}{escape(row.key)}{LABEL}{before}{escape(row.label)}{after}{TICKED}"
        fixed = " data-fixed" if edits_cells and not row.may_edit else ""
        if edits_cells and not is_selectable:
            fixed += f' data-row="{escape(row.key)}"'
        lines.append(f"<tr{fixed}>{tick if is_selectable else ''}{''.join(cells)}</tr>")
    return Markup("\n".join(lines))  # noqa: S704 - of parts that are escaped
