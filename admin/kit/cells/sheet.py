"""Rows with inputs in their cells, as a page shows them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqladmin.authorization import Action
from sqladmin.forms import WTFORMS_ATTRS

from admin.kit.cells.sent import SentRow, prefixed
from admin.kit.forms import shown
from admin.kit.hooks import wait_for
from admin.kit.keys import key_of
from admin.kit.lists.pages import Row, load_page
from admin.kit.lists.query import with_relations
from admin.kit.lookups import name_chosen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markupsafe import Markup
    from sqlalchemy.orm import Session
    from starlette.requests import Request
    from wtforms import Field, Form

    from admin.kit.cells.sent import Texts
    from admin.kit.cells.storing import Edit, Theirs
    from admin.kit.lists.pages import Page
    from admin.kit.model_admin import ModelAdmin
    from admin.kit.scopes import Asked


@dataclass
class SheetRow:
    """A row; `fields` has inputs by column, none for those who may not edit it.

    Of a row that is gone there are no cells, but still what was typed.
    """

    label: str
    cells: Mapping[str, Markup]
    told: str = ""
    fields: dict[str, Field] = field(default_factory=dict)
    collisions: Mapping[str, Theirs] = field(default_factory=dict)


@dataclass(frozen=True)
class Sheet:
    """Rows to edit; `page` is the one of the list that they are, until something was sent."""

    rows: Sequence[SheetRow]
    page: Page | None = None

    @property
    def fields(self) -> list[Field]:
        return [some for row in self.rows for some in row.fields.values()]

    async def name_chosen(self, view: ModelAdmin, request: Request) -> None:
        """Let pickers call what was chosen by its name."""
        for some in self.fields:
            await name_chosen(view, request, some)


def open_page(
    view: ModelAdmin, request: Request, form_class: type[Form], session: Session
) -> Sheet:
    """Read the page of the list that the address names."""
    page = load_page(view, request, session, list(view.columns.values()))
    objects = find(view, request, session, [row.key for row in page.rows], Action.EDIT)
    rows = [
        open_row(view, request, form_class, str(number), objects.get(row.key), row)
        for number, row in enumerate(page.rows)
    ]
    return Sheet(rows, page)


def open_again(
    view: ModelAdmin,
    request: Request,
    form_class: type[Form],
    sent: Sequence[SentRow],
    edits: Sequence[Edit],
    session: Session,
) -> Sheet:
    """Read the rows that were sent, wherever they are now, and put in what was typed."""
    objects = find(view, request, session, [row.key for row in sent], Action.EDIT)
    by_key = {edit.sent.key: edit for edit in edits}
    rows = [
        again(view, request, form_class, row, by_key.get(row.key), objects.get(row.key))
        for row in sent
        if row.key in objects or row.key in by_key
    ]
    return Sheet(rows)


def find(
    view: ModelAdmin, request: Request, session: Session, keys: Sequence[str], action: Asked
) -> dict[str, Any]:
    """Return the rows by key that this may be done to, with all that their cells need."""
    if not keys:
        return {}
    names = [*view.list_names, *view.editable_names]
    stmt = with_relations(view, view.objects_query(request, keys, action), names)
    return {key_of(obj): obj for obj in session.scalars(stmt).unique()}


def open_row(
    view: ModelAdmin,
    request: Request,
    form_class: type[Form],
    prefix: str,
    obj: Any,
    row: Row,
) -> SheetRow:
    """Return a row as it is stored, with inputs if the operator may edit it."""
    cells = dict(zip(view.list_names, row.cells, strict=True))
    if obj is None or not wait_for(view.check_can_edit, request, obj):
        return SheetRow(row.label, cells)
    form = form_class(data=editable_values(view, obj), prefix=prefix)
    fields = {f.short_name: f for f in form}
    sent = SentRow(prefix, row.key, {name: shown(some) for name, some in fields.items()})
    return SheetRow(row.label, cells, sent.told, fields)


def again(
    view: ModelAdmin,
    request: Request,
    form_class: type[Form],
    sent: SentRow,
    edit: Edit | None,
    obj: Any,
) -> SheetRow:
    """Return a row as it was sent, over what is stored now where nothing was typed."""
    if obj is None:
        assert edit is not None  # noqa: S101 - else there is nothing to show
        fields = inputs(view, form_class, sent, sent.texts, None)
        return with_errors(SheetRow(sent.key, {}, sent.told, fields), edit)
    row = view.row(obj, request)
    fresh = open_row(view, request, form_class, sent.prefix, obj, row)
    if edit is None or not fresh.fields:
        return fresh
    stored = {name: shown(some) for name, some in fresh.fields.items()}
    typed = {name: sent.texts[name] for name in edit.touched}
    kept = {name: sent.was[name] for name in edit.touched if name not in edit.collisions}
    texts = {**stored, **typed}
    told = SentRow(sent.prefix, sent.key, {**stored, **kept}, asked=list(edit.collisions))
    fields = inputs(view, form_class, told, texts, obj)
    return with_errors(SheetRow(row.label, fresh.cells, told.told, fields), edit)


def inputs(
    view: ModelAdmin, form_class: type[Form], sent: SentRow, held: Texts, obj: Any
) -> dict[str, Field]:
    """Return the fields of a row, which hold these texts."""
    values = {} if obj is None else editable_values(view, obj)
    form = form_class(prefixed(sent.prefix, held), data=values, prefix=sent.prefix)
    return {f.short_name: f for f in form}


def editable_values(view: ModelAdmin, obj: Any) -> dict[str, Any]:
    """Return what the inputs start with, as forms are given it."""
    names = view.editable_names
    return {WTFORMS_ATTRS.get(name, name): view.form_value(obj, name) for name in names}


def with_errors(row: SheetRow, edit: Edit) -> SheetRow:
    for name, sentences in edit.errors.items():
        row.fields[name].errors = sentences
    row.collisions = edit.collisions
    return row
