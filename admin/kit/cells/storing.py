"""Storing edited cells: all rows in one transaction, each merged with what others stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from admin.kit import saving
from admin.kit.cells.sent import values_of
from admin.kit.edit_page import MINE, as_text, form_data
from admin.kit.errors import Refused, require
from admin.kit.forms import fill, sent_data, shown
from admin.kit.hooks import wait_for
from admin.kit.keys import key_of
from admin.kit.languages import gettext
from admin.kit.lists.query import with_relations
from admin.kit.meanwhile import author_of
from admin.kit.merging import merge, same

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session
    from starlette.requests import Request
    from wtforms import Form

    from admin.kit.cells.sent import SentRow, Texts
    from admin.kit.model_admin import ModelAdmin
    from admin.kit.saving import Queries, Values


@dataclass(frozen=True)
class Theirs:
    """What stands in a cell that somebody else changed as well, to read, and who it was."""

    text: str
    author: str


@dataclass
class Edit:
    """What became of a row: the object, and by cell what is wrong or what collides."""

    sent: SentRow
    touched: Sequence[str]
    obj: Any = None
    values: Values = field(default_factory=dict)
    errors: dict[str, list[str]] = field(default_factory=dict)
    collisions: dict[str, Theirs] = field(default_factory=dict)

    def add_error(self, name: str | None, sentence: str, view: ModelAdmin) -> None:
        """Put a sentence at its cell, or at the first one, naming a column that is not edited."""
        if name not in self.touched:
            sentence = f"{view.label(name)}: {sentence}" if name else sentence
            name = self.touched[0]
        self.errors.setdefault(str(name), []).append(sentence)


class NotStoredError(Exception):
    """Something is to be mended or decided first; nothing of the rows was stored."""

    def __init__(self, edits: Sequence[Edit], status: int) -> None:
        super().__init__("Nothing was stored.")
        self.edits = edits
        self.status = status


@dataclass(frozen=True)
class Forms:
    """The edit form, which validates, and the part of it that is edited in the list."""

    whole: type[Form]
    cells: type[Form]


def edited(forms: Forms, rows: Sequence[SentRow]) -> list[Edit]:
    """Return the rows in which somebody changed anything."""
    edits = [Edit(row, row.touched(forms.cells)) for row in rows]
    return [edit for edit in edits if edit.touched]


@dataclass(frozen=True)
class Work:
    """One unit of work: look at the rows, which stay as they are meanwhile, and store them all."""

    view: ModelAdmin
    request: Request
    forms: Forms
    queries: Queries
    rows: Sequence[SentRow]

    def __call__(self, session: Session) -> list[Edit]:
        """Return what was stored; raise `NotStoredError` where that is not all of it."""
        edits = edited(self.forms, self.rows)
        if not edits:
            return []
        objects = self.locked(session, [edit.sent.key for edit in edits])
        data = [self.examine(session, edit, objects.get(edit.sent.key)) for edit in edits]
        self.require_none(edits)
        changed = [(edit, some) for edit, some in zip(edits, data, strict=True) if some]
        for edit, some in changed:
            try:
                self.change(session, edit, some)
            except Refused as refusal:
                edit.add_error(refusal.field, refusal.sentence, self.view)
                raise NotStoredError(edits, refusal.status) from refusal
        return [edit for edit, _ in changed]

    def locked(self, session: Session, keys: list[str]) -> dict[str, Any]:
        """Return the rows by key, always locked in the same order."""
        stmt = self.view.objects_query(self.request, keys, "edit")
        stmt = with_relations(self.view, stmt, self.view.form_names)
        stmt = stmt.order_by(*self.view.pk_columns).with_for_update(of=self.view.model)
        return {key_of(obj): obj for obj in session.scalars(stmt).unique()}

    def examine(self, session: Session, edit: Edit, obj: Any) -> Values:
        """Merge and validate a row; return what is to be stored of it."""
        if obj is None:
            sentence = gettext("This row is gone. What you typed is kept here, and not stored.")
            edit.add_error(None, sentence, self.view)
            return {}
        require(wait_for(self.view.check_can_edit, self.request, obj))
        edit.obj = obj
        values = self.view.form_values(obj)
        mine = self.merge(session, edit, fill(self.forms.whole, values))
        return self.validate(edit, values, mine)

    def merge(self, session: Session, edit: Edit, page: Form) -> Texts:
        """Return what to store over the others' version; what both changed becomes a collision."""
        sent = edit.sent
        fields = {f.name: f for f in page if f.name in sent.was}
        base, theirs, mine = (
            values_of(self.forms.cells, held)
            for held in (sent.was, {n: shown(f) for n, f in fields.items()}, sent.mine)
        )
        merged = merge(base, theirs, mine)
        undecided = [n for n in sent.asked if n in mine and sent.choices[n] != MINE]
        asked = {n for n in undecided if not same(mine[n], theirs[n])}
        for name in asked.union(merged.collisions):
            author = author_of(self.view, session, edit.obj, name)
            edit.collisions[name] = Theirs(as_text(fields[name]), author)
            edit.errors[name] = [gettext("Choose which one to keep.")]
        return {name: sent.mine[name] for name in merged.mine if name not in asked}

    def validate(self, edit: Edit, values: Values, mine: Texts) -> Values:
        """Return the values of the cells; the other fields of the form stay untouched."""
        sent = form_data(mine)
        form = fill(self.forms.whole, values, sent)
        if mine and not form.validate():
            for name, sentences in form.errors.items():
                for sentence in sentences:
                    edit.add_error(name, sentence, self.view)
        return sent_data(form, sent)

    def require_none(self, edits: Sequence[Edit]) -> None:
        if any(edit.collisions for edit in edits):
            raise NotStoredError(edits, 409)
        if any(edit.errors for edit in edits):
            is_gone = any(edit.errors and edit.obj is None for edit in edits)
            raise NotStoredError(edits, 404 if is_gone else 400)

    def change(self, session: Session, edit: Edit, data: Values) -> None:
        """Store a row as the edit page does."""
        with saving.in_words(lambda _error: self.view):
            edit.obj, edit.values = saving.change_one(
                self.view, self.request, session, edit.obj, data, self.queries
            )
