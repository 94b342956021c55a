"""What happened to one object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup
from sqlalchemy import tuple_
from sqlalchemy.orm import raiseload

from admin.kit.display import display, masked
from admin.kit.history.diff import NEW, OLD, Differ, cut
from admin.kit.history.images import SECRET, row_of
from admin.kit.history.links import Side, visible_links
from admin.kit.history.recorder import CREATE, DELETE, UPDATE, table_of
from admin.kit.history.schema import name_of
from admin.kit.history.sight import table_name, visible_columns
from admin.kit.history.subjects import Subject, entries, ghost, not_kept, open_subject, shown_field
from admin.kit.history.wording import action_word, reason, source_word
from admin.kit.hooks import wait_for
from admin.kit.languages import gettext, in_sentence, lazy_gettext
from admin.kit.reading import is_sensitive, may_be_called

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session
    from starlette.requests import Request

    from admin.kit.history.trash import Cursor
    from admin.kit.model_admin import ModelAdmin


PAGE = 100
SHORTEST_DIFF = 30  # characters; of shorter texts both are shown whole
LINKED = {
    CREATE: lazy_gettext("Linked %(names)s: %(name)s"),
    DELETE: lazy_gettext("Unlinked %(names)s: %(name)s"),
}


@dataclass(frozen=True)
class Moment:
    """One change of the object; `fields` are labels and what changed, as HTML."""

    id: int
    at: datetime
    who: str
    source: str
    reason: str
    what: str
    fields: Sequence[tuple[str, Markup]]
    has_more: bool
    can_open: bool


@dataclass(frozen=True)
class ObjectHistory:
    subject: Subject
    moments: Sequence[Moment]
    older: str = ""


def read_history(
    view: ModelAdmin, request: Request, before: Cursor | None, session: Session
) -> ObjectHistory:
    """Read one page of what happened to an object, newest first."""
    subject = open_subject(view, request, session)
    sides = visible_links(view, request)
    stmt = entries(view.site.recorded, view, subject, sides)
    if before is not None:
        sets, changes = view.site.recorded.change_sets, view.site.recorded.changes
        stmt = stmt.where(tuple_(sets.id, changes.position) < before)
    found = session.execute(stmt.limit(PAGE + 1)).all()
    rows = found[:PAGE]
    teller = Teller(view, request, session, subject)
    teller.name_related(rows)
    moments = [m for row in rows if (m := teller.moment(row, sides)) is not None]
    older = f"{rows[-1].id}.{rows[-1].position}" if len(found) > PAGE else ""
    return ObjectHistory(subject, moments, older)


class Teller:
    """Says what the entries of one page mean."""

    def __init__(
        self, view: ModelAdmin, request: Request, session: Session, subject: Subject
    ) -> None:
        self.view = view
        self.request = request
        self.session = session
        self.subject = subject
        self.columns = visible_columns(view, may_edit=subject.may_edit)
        self.differ = Differ()
        self.table = table_of(view.mapper)
        self.names: dict[tuple[str, str], str] = {}

    def moment(self, row: Any, sides: Sequence[Side]) -> Moment | None:
        """Return what an entry tells, or None if it is about another object."""
        what = action_word(row.action)
        fields: list[tuple[str, Markup]] = []
        has_more = False
        if row.table_name == table_name(self.view):
            fields, has_more = self.fields(row)
        else:
            side, other = self.link(row, sides)
            if side is None:
                return None
            names = in_sentence(self.view.label(side.relationship.key))
            if row.action in LINKED:
                what = LINKED[row.action] % {"names": names, "name": other}
        source, why = source_word(row.source), reason(row)
        # What a deletion leaves is nothing to open.
        can_open = row.action != DELETE or row.table_name != table_name(self.view)
        return Moment(
            row.id, row.at, row.operator_name, source, why, what, fields, has_more, can_open
        )

    def link(self, row: Any, sides: Sequence[Side]) -> tuple[Side | None, str]:
        for side in sides:
            other = side.table == row.table_name and side.other(row.key, self.subject.obj)
            if other:
                return side, other
        return None, ""

    def fields(self, row: Any) -> tuple[list[tuple[str, Markup]], bool]:
        """Return label and change of each column that pages show, and whether there are others."""
        before, after = row_of(self.table, row.before), row_of(self.table, row.after)
        names = [name for name in self.columns if name in before or name in after]
        shown = []
        for name in names:
            old, new = before.get(name), after.get(name)
            if row.action == UPDATE or (old, new) != (None, None):
                label = self.view.label(self.columns[name])
                shown.append((label, self.change(name, row.action, before, after)))
        has_more = row.action == UPDATE and len(names) < len(before)
        return shown, has_more

    def change(
        self, name: str, action: str, before: dict[str, Any], after: dict[str, Any]
    ) -> Markup:
        if action == UPDATE and self.is_prose(name, before.get(name), after.get(name)):
            return self.differ.compare(before[name], after[name])
        parts = []
        if action in (UPDATE, DELETE):
            parts.append(OLD.format(gettext("Removed:"), self.value(name, before)))
        if action in (UPDATE, CREATE):
            parts.append(NEW.format(gettext("Added:"), self.value(name, after)))
        return Markup(" ").join(parts)

    def is_prose(self, name: str, old: Any, new: Any) -> bool:
        if is_sensitive(self.view.mapper, self.columns[name]):
            return False
        has_formatter = self.columns[name] in self.view._detail_formatters  # noqa: SLF001
        are_texts = isinstance(old, str) and isinstance(new, str)
        return are_texts and not has_formatter and max(len(old), len(new)) > SHORTEST_DIFF

    def value(self, name: str, image: dict[str, Any]) -> Markup:
        """Return a value as the details page shows it."""
        value, attribute = image.get(name), self.columns[name]
        if value is SECRET:
            return not_kept()
        if is_sensitive(self.view.mapper, attribute):
            return display(None) if value is None else masked()
        if attribute in self.view._detail_formatters:  # noqa: SLF001
            return shown_field(self.view, ghost(self.view, image), attribute, self.request)
        text = display(cut(value) if isinstance(value, str) else value)
        related = self.names.get((name, str(value)), "")
        return Markup("{} ({})").format(related, text) if related else text

    def name_related(self, rows: Sequence[Any]) -> None:
        """Learn what related objects are called, as far as the operator may list them.

        One statement a relation, whatever there is on the page.
        """
        images = [
            row_of(self.table, text)
            for row in rows
            if row.table_name == table_name(self.view)
            for text in (row.before, row.after)
        ]
        for relationship in self.view.mapper.relationships:
            pairs = relationship.local_remote_pairs or []
            if relationship.uselist or len(pairs) != 1 or pairs[0][0].name not in self.columns:
                continue
            name, remote = pairs[0][0].name, pairs[0][1]
            values = {image[name] for image in images if image.get(name) not in (None, SECRET)}
            query = wait_for(self.view.related_query, self.request, relationship.mapper.class_)
            if not values or query is None or not pairs[0][0].foreign_keys:
                continue
            stmt = query.where(remote.in_(values)).options(raiseload("*"))
            prop = relationship.mapper.get_property_by_column(remote)
            for obj in self.session.scalars(stmt):
                called = name_of(obj) if may_be_called(type(obj)) else ""
                self.names[name, str(getattr(obj, prop.key))] = called
