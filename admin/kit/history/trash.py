"""Rows that were deleted and are not there now."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, tuple_
from starlette.exceptions import HTTPException

from admin.kit.errors import Refused
from admin.kit.history.recorder import DELETE
from admin.kit.history.sight import deletions, is_key, table_name
from admin.kit.history.timeline import WINDOW, parse_number
from admin.kit.keys import join, key_columns, matches_keys
from admin.kit.languages import gettext, in_sentence
from admin.kit.reading import may_be_called

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from admin.kit.history.journal import Journal
    from admin.kit.model_admin import ModelAdmin

PAGE = 50
BATCH = 200  # deletions that are looked at at a time
MOST_BATCHES = 5

Cursor = tuple[int, int]


@dataclass(frozen=True)
class Trashed:
    """A row as it was called when it was deleted."""

    id: int
    position: int
    key: str
    label: str
    at: datetime
    who: str


@dataclass(frozen=True)
class Trash:
    rows: Sequence[Trashed]
    older: str = ""


def read_cursor(value: str) -> Cursor | None:
    """Read where a page starts; raise a 400 for what is no such place."""
    if not value:
        return None
    found = re.fullmatch(r"([0-9]{1,19})\.([0-9]{1,19})", value)
    numbers = [parse_number(part) for part in found.groups()] if found else [None]
    if None in numbers:
        raise HTTPException(400, gettext("This is not the number of a change."))
    return numbers[0] or 0, numbers[1] or 0


def read_trash(
    journal: Journal, view: ModelAdmin, before: Cursor | None, session: Session
) -> Trash:
    """Read the newest deletions of rows that don't exist, looking at a bounded number."""
    newest = session.scalar(select(func.max(journal.change_sets.id))) or 0
    low = max(0, (before[0] if before else newest) - WINDOW)
    stmt, rows, last = statement(journal, view, low), list[Trashed](), before
    for _ in range(MOST_BATCHES):
        sets, changes = journal.change_sets, journal.changes
        these = stmt
        if last is not None:
            # The first condition says nothing new, but an index can serve it.
            place = tuple_(sets.id, changes.position)
            these = stmt.where(sets.id <= last[0], place < last)
        found = session.execute(these.limit(BATCH)).all()
        for entry in gone(journal, view, found, session):
            if len(rows) == PAGE:
                return Trash(rows, f"{rows[-1].id}.{rows[-1].position}")
            rows.append(entry)
        if len(found) < BATCH:
            return Trash(rows, f"{low + 1}.1" if low else "")
        last = (found[-1].id, found[-1].position)
    return Trash(rows, f"{last[0]}.{last[1]}" if last else "")


def statement(journal: Journal, view: ModelAdmin, low: int) -> Select[Any]:
    """Return the deletions of the view's rows, newest first.

    Change sets that deleted none are passed over by their summary, without looking at their rows.
    """
    sets, changes = journal.change_sets, journal.changes
    name = table_name(view)
    told = sets.summary.contains(f'[{json.dumps(name)},"{DELETE}",', autoescape=True)
    return (
        select(sets.id, sets.at, sets.operator_name, changes.position, changes.key, changes.label)
        .join(changes, changes.operation == sets.operation)
        .where(sets.id > low, told, changes.table_name == name, changes.action == DELETE)
        .order_by(sets.id.desc(), changes.position.desc())
    )


def gone(
    journal: Journal, view: ModelAdmin, found: Sequence[Any], session: Session
) -> list[Trashed]:
    """Return those deletions that are the last word on their row."""
    name = table_name(view)
    keys = [key for key in dict.fromkeys(row.key for row in found) if is_key(view.model, key)]
    last = deletions(journal, session, [(name, key) for key in keys])
    there = existing(view, keys, session)
    latest: dict[str, Any] = {}
    for row in found:
        if row.key not in there and last.get((name, row.key)) == row.id:
            latest.setdefault(row.key, row)
    return [
        Trashed(r.id, r.position, r.key, label_in(view, r), r.at, r.operator_name)
        for r in latest.values()
    ]


def label_in(view: ModelAdmin, entry: Any) -> str:
    """Return what a row was called; its key, if the name is made of what may not be seen."""
    label: str = entry.label if may_be_called(view.model) else ""
    return label or entry.key


def existing(view: ModelAdmin, keys: Sequence[str], session: Session) -> set[str]:
    """Return those keys that rows have now."""
    if not keys:
        return set()
    stmt = select(*key_columns(view.model)).where(matches_keys(view.model, keys))
    return {join(list(row)) for row in session.execute(stmt)}


def last_deletion(journal: Journal, view: ModelAdmin, key: str, session: Session) -> Any:
    """Return the newest deletion of a row: its change set, and where in it."""
    sets, changes = journal.change_sets, journal.changes
    stmt = (
        select(
            sets.id, sets.operation, sets.summary, changes.position, changes.label, changes.before
        )
        .join(changes, changes.operation == sets.operation)
        .where(changes.table_name == table_name(view), changes.key == key)
        .where(changes.action == DELETE)
    )
    return session.execute(stmt.order_by(sets.id.desc(), changes.position.desc()).limit(1)).first()


def find_trashed(journal: Journal, view: ModelAdmin, key: str, session: Session) -> Any:
    """Return the deletion to take back; raise a 404 if there is none, or a `Refused`."""
    found = last_deletion(journal, view, key, session) if is_key(view.model, key) else None
    if found is None:
        raise HTTPException(404)
    if existing(view, [key], session):
        name, label = in_sentence(view.name), found.label if may_be_called(view.model) else key
        sentence = gettext("The %(name)s “%(label)s” is there again.", name=name, label=label)
        raise Refused(sentence, status=409)
    return found
