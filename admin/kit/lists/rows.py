"""The rows of a list as HTML.

A page may have hundreds of them, and a template takes four times as long for each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqladmin.authorization import Action

from admin.kit.display import escaped, html
from admin.kit.keys import in_path
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
    for row in rows:
        row.may_edit = edits_cells and row.key in editable
        if row.key in editable:
            row.url = edit + in_path(row.key)
        elif row.key in visible:
            row.url = details + in_path(row.key)


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
    return escaped(path.removeprefix(folder))


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
    lines = []
    for number, row in enumerate(rows):
        cells: list[str] = [*row.cells]
        for place in linked if row.url else ():
            # Its box is called by the first one.
            start = '<a href="' if place else f'<a id=r{number} href="'
            cells[place] = "".join((start, row.url, '">', cells[place], "</a>"))
        box = boxes.box(row, number) if is_selectable else ""
        fixed = " data-fixed" if edits_cells and not row.may_edit else ""
        if edits_cells and not is_selectable:
            fixed += f' data-row="{escaped(row.key)}"'
        start = f"<tr{fixed}>{box}<th scope=row>"
        lines.append("".join((start, "<td>".join(cells))))
    return html("\n".join(lines))


class Boxes:
    """The boxes that select rows, each called as its row is.

    A row's link is named rather than repeated, and a word of the table's head with it, wherever
    the language puts that.
    """

    def __init__(self, sentence: str, *, is_named_by_link: bool) -> None:
        self.before, _, self.after = sentence.partition("{}")
        self.is_named_by_link = is_named_by_link and not (self.before and self.after)

    def box(self, row: Row, number: int) -> str:
        label = self.label(row, number)
        return f'<td><input type="checkbox" name="pks" value="{escaped(row.key)}" {label}>'

    def label(self, row: Row, number: int) -> str:
        if not (self.is_named_by_link and row.url and not row.is_nameless):
            return f'aria-label="{escaped(self.before + row.label + self.after)}"'
        names = f"s r{number}" if self.before else f"r{number} s"
        return f'aria-labelledby="{names}"'
