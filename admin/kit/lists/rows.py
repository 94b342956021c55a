"""The rows of a list as HTML.

A page may have hundreds of them, and a template takes four times as long for each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from sqladmin.authorization import Action

from admin.kit.display import escaped, escaped_all, html
from admin.kit.keys import in_paths
from admin.kit.languages import gettext
from admin.kit.templating import path_for
from admin.kit.watched import asks_about_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup
    from starlette.requests import Request

    from admin.kit.lists.columns import Column
    from admin.kit.lists.pages import Row
    from admin.kit.model_admin import ModelAdmin


# The right that each check of a row is about.
CHECKED = {"check_can_edit": Action.EDIT, "check_can_view_details": Action.DETAILS}


async def link_rows(
    view: ModelAdmin, request: Request, rows: Sequence[Row], *, edits_cells: bool
) -> None:
    """Set where each row leads: to its form, else its details, else nowhere.

    The way back to this place in the list isn't said in each link: `place_in_list` adds it.
    """
    editable = await let_through(view, "check_can_edit", request, rows)
    others = rows if not editable else [row for row in rows if row.key not in editable]
    visible = await let_through(view, "check_can_view_details", request, others)
    edit, details = (beside_list(view, request, page) for page in ("edit", "details"))
    for row, path in zip(rows, in_paths([row.key for row in rows]), strict=True):
        if row.key in editable:
            row.may_edit, row.url = edits_cells, edit + path
        elif row.key in visible:
            row.url = details + path


async def let_through(
    view: ModelAdmin, check: str, request: Request, rows: Sequence[Row]
) -> set[str]:
    """Return the keys of the rows that a check allows; it is asked once if it looks at none."""
    ask, action = getattr(view, check), CHECKED[check]
    near = [row for row in rows if action not in row.denied]
    if asks_about_rows(view, check):
        return {row.key for row in near if await ask(request, row.obj)}
    return {row.key for row in near} if near and await ask(request, None) else set()


def beside_list(view: ModelAdmin, request: Request, page: str) -> str:
    """Return where the objects' pages are, as seen from the list: that is short, and said often."""
    folder = path_for(request, "list", identity=view.identity).removesuffix("list")
    path = path_for(request, page, identity=view.identity, pk="")
    return quote(path.removeprefix(folder), safe="/%")


def table_rows(
    rows: Sequence[Row], columns: Sequence[Column], *, is_selectable: bool, edits_cells: bool
) -> Markup:
    """Return the rows; what could be HTML in them was escaped when they were made.

    HTML lets rows and cells end where the next one begins, and values without blanks stand without
    quotes: that saves a full page kilobytes. Parts are joined, for `Markup` takes five times as
    long in an f-string.
    """
    linked = [place for place, column in enumerate(columns) if column.is_linked]
    boxes = Boxes(gettext("Select {}"), is_named_by_link=columns[0].is_linked)
    keys = escaped_all([row.key for row in rows])
    lines = []
    for number, (row, key) in enumerate(zip(rows, keys, strict=True)):
        cells: list[str] = [*row.cells]
        for place in linked if row.url else ():
            # Its box is called by the first one.
            start = "<a href=" if place else f"<a id=r{number} href="
            cells[place] = "".join((start, row.url, ">", cells[place], "</a>"))
        box = boxes.box(row, key, number) if is_selectable else ""
        fixed = " data-fixed" if edits_cells and not row.may_edit else ""
        if edits_cells and not is_selectable:
            fixed += f' data-row="{key}"'
        lines.append(f"<tr{fixed}>{box}<th scope=row>{'<td>'.join(cells)}")
    return html("\n".join(lines))


class Boxes:
    """The boxes that select rows, each called as its row is.

    A row's link is named rather than repeated, and a word of the table's head with it, wherever
    the language puts that.
    """

    def __init__(self, sentence: str, *, is_named_by_link: bool) -> None:
        self.before, _, self.after = sentence.partition("{}")
        self.is_named_by_link = is_named_by_link and not (self.before and self.after)
        # The ids of the word and, between these, the number of the row whose link has the name.
        self.ids = ("s r", "") if self.before else ("r", " s")

    def box(self, row: Row, key: str, number: int) -> str:
        if self.is_named_by_link and row.url and not row.is_nameless:
            start, end = self.ids
            label = f'aria-labelledby="{start}{number}{end}"'
        else:
            label = f'aria-label="{escaped(self.before + row.label + self.after)}"'
        value = key if key.isalnum() else f'"{key}"'
        return f"<td><input type=checkbox name=pks value={value} {label}>"
