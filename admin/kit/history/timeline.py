"""All change sets, newest first: what a page's address asks for, and the rows of it."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Select, func, literal, or_, select, union_all
from sqlalchemy.orm import aliased
from starlette.exceptions import HTTPException

from admin.kit.history.recorder import DELETE
from admin.kit.history.wording import (
    ACTIONS,
    ANY_SIGN_IN,
    SIGN_INS,
    SOURCES,
    reason,
    source_word,
    words,
)
from admin.kit.languages import gettext
from admin.kit.search import contains
from admin.kit.search import words as words_of
from admin.kit.zones import get_zone

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from uuid import UUID

    from sqlalchemy.orm import Session
    from starlette.datastructures import QueryParams

    from admin.kit.history.journal import Journal
    from admin.kit.history.sight import Name, Sight
    from admin.kit.site import AdminSite

PAGE = 50
# The numbers of change sets have no gaps, so a page looks at this many, whatever it searches for.
WINDOW = 10_000
# Change sets are numbered when they are stored, and dated a moment earlier.
OUT_OF_ORDER = 1000
SAMPLE = 20  # entries of a change set that are looked at, where a view hides rows
MOST_RECENT = 10
LARGEST_NUMBER = 2**63 - 1


@dataclass(frozen=True)
class Told:
    """A change set as lists show it."""

    id: int
    at: datetime
    who: str
    source: str
    words: str
    reason: str
    undoes: int | None
    undone_by: int | None
    address: str = ""


@dataclass(frozen=True)
class Asked:
    """What the address of the list asks for; empty is all."""

    operator: str = ""
    model: str = ""
    action: str = ""
    source: str = ""
    since: date | None = None
    until: date | None = None
    term: str = ""
    before: int | None = None
    after: int | None = None

    @property
    def is_narrowed(self) -> bool:
        texts = (self.operator, self.model, self.action, self.source, self.term)
        return any(texts) or bool(self.since or self.until)


@dataclass(frozen=True)
class Page:
    """`older` and `newer` are the numbers from which the neighbouring pages start."""

    rows: Sequence[Told]
    asked: Asked
    older: int | None = None
    newer: int | None = None


def read_query(query: QueryParams, models: Collection[str]) -> Asked:
    """Read what the address asks for; raise a 400 with a sentence for what can't be meant."""
    given = {name: query.get(name, "").strip() for name in (*FIELDS, "before", "after")}
    if any("\0" in value for value in given.values()):
        sentence = gettext("The filters contain a character that can't be searched for.")
        raise HTTPException(400, sentence)
    words_of(given["search"])
    return Asked(
        operator=given["operator"],
        model=one_of(gettext("Model"), given["model"], models),
        action=one_of(gettext("Action"), given["action"], ACTIONS),
        source=one_of(gettext("From"), given["source"], SOURCES),
        since=day(given["from"]),
        until=day(given["to"]),
        term=given["search"],
        before=number(given["before"]),
        after=number(given["after"]),
    )


FIELDS = ("operator", "model", "action", "source", "from", "to", "search")


def one_of(title: str, value: str, known: Collection[str]) -> str:
    if value and value not in known:
        sentence = gettext("The filter “%(title)s” can't be set to this.", title=title)
        raise HTTPException(400, sentence)
    return value


def day(value: str) -> date | None:
    """Return the date, or None for no text; raise a 400 for what no day of a calendar is."""
    if not value:
        return None
    try:
        found = date.fromisoformat(value)
        midnight(found), midnight_after(found)
    except (ValueError, OverflowError):
        raise HTTPException(400, gettext("Enter a date, such as 2024-12-31.")) from None
    return found


def number(value: str) -> int | None:
    """Return the number of a change set; raise a 400 for what is none."""
    if not value:
        return None
    found = parse_number(value)
    if found is None:
        raise HTTPException(400, gettext("This is not the number of a change."))
    return found


def parse_number(value: str) -> int | None:
    """Return the number, or None for what no change set can have; it has one spelling."""
    if not re.fullmatch(r"[1-9][0-9]{0,18}", value) or int(value) > LARGEST_NUMBER:
        return None
    return int(value)


def midnight(moment: date) -> datetime:
    """Return when the day begins in the operator's zone."""
    return datetime.combine(moment, time(), get_zone()).astimezone(UTC)


def midnight_after(moment: date) -> datetime:
    """Return when the day ends; not all days have 24 hours."""
    return midnight(moment + timedelta(days=1))


@dataclass
class Timeline:
    """Reads change sets for one operator."""

    site: AdminSite
    sight: Sight
    asked: Asked = field(default_factory=Asked)

    @property
    def journal(self) -> Journal:
        return self.site.recorded

    @property
    def sets(self) -> Any:
        return self.journal.change_sets

    def page(self, session: Session) -> Page:
        """Read one page, in a number of statements that depends on nothing that is stored."""
        newest, top, bottom = self._bounds(session)
        after, before = self.asked.after, self.asked.before
        if after is not None:
            low, high = after, min(after + WINDOW, top)
        else:
            high = min(before - 1 if before else newest, top)
            low = max(high - WINDOW, bottom)
        order = self.sets.id.asc() if after is not None else self.sets.id.desc()
        within = (self.sets.id > low, self.sets.id <= high, *self._conditions())
        rows = list(session.execute(self._stmt().where(*within).order_by(order).limit(PAGE + 1)))
        has_more, rows = len(rows) > PAGE, rows[:PAGE]
        if after is not None:
            rows.reverse()
            newer = rows[0].id if has_more else high if high < top else None
            older = low + 1 if low > bottom else None
        else:
            newer = high if high < top else None
            older = rows[-1].id if has_more else low + 1 if low > bottom else None
        return Page(self._told(session, rows), self.asked, older, newer)

    def recent(self, session: Session, operator_id: int | None, name: str) -> list[Told]:
        """Read what an operator did last, as far as no row of it needs to be looked up."""
        newest = select(func.max(self.sets.id)).scalar_subquery()
        mine = self.sets.operator_name == name
        if operator_id is not None:
            mine &= self.sets.operator_id == operator_id
        stmt = self._stmt().where(self.sets.id > newest - WINDOW, mine)
        stmt = stmt.where(mentions(self.sets.summary, {"", *self.sight.whole}))
        rows = session.execute(stmt.order_by(self.sets.id.desc()).limit(MOST_RECENT))
        told = [self._tell(row, visible(row, self.sight.whole_of(row))) for row in rows]
        return [one for one in told if one is not None]

    def _bounds(self, session: Session) -> tuple[int, int, int]:
        """Return the newest number, and the numbers between which the dates lie."""
        sets = self.sets
        columns = [select(func.max(sets.id)).scalar_subquery()]
        if self.asked.until is not None:
            end = midnight_after(self.asked.until)
            last = select(sets.id).where(sets.at < end).order_by(sets.at.desc()).limit(1)
            columns.append(last.scalar_subquery())
        if self.asked.since is not None:
            start = midnight(self.asked.since)
            first = select(sets.id).where(sets.at >= start).order_by(sets.at).limit(1)
            columns.append(first.scalar_subquery())
        found = [value or 0 for value in session.execute(select(*columns)).one()]
        newest, top, bottom = found[0], found[0], 0
        if self.asked.until is not None:
            top = min(newest, found[1] + OUT_OF_ORDER)
        if self.asked.since is not None:
            bottom = max(0, (found[-1] or newest + 1) - 1 - OUT_OF_ORDER)
        return newest, top, bottom

    def _stmt(self) -> Select[Any]:
        undoing = aliased(self.sets)
        undone_by = select(func.max(undoing.id)).where(undoing.undoes == self.sets.id)
        return select(*self.sets.__table__.columns, undone_by.scalar_subquery().label("undone_by"))

    def _conditions(self) -> Iterable[ColumnElement[bool]]:
        sets, asked = self.sets, self.asked
        tables = self.sight.whole | self.sight.scoped
        yield or_(mentions(sets.summary, tables), self.sight.events(sets))
        if asked.operator:
            yield sets.operator_name == asked.operator
        if asked.source:
            yield sets.source == asked.source
        if asked.model or asked.action:
            yield or_(*(sets.summary.contains(w, autoescape=True) for w in self._written()))
        if asked.since:
            yield sets.at >= midnight(asked.since)
        if asked.until:
            yield sets.at < midnight_after(asked.until)
        for word in words_of(asked.term):
            yield or_(contains(sets.label, word), contains(sets.reason, word))

    def _written(self) -> Iterable[str]:
        """Return the parts of a summary that tell of the model and the action asked for."""
        table = f"[{json.dumps(self._table())}" if self.asked.model else '"'
        return [f'{table},"{action}"' if action else f"{table}," for action in self._actions()]

    def _actions(self) -> Sequence[str]:
        return SIGN_INS if self.asked.action == ANY_SIGN_IN else (self.asked.action,)

    def _table(self) -> str:
        found = [n for n, v in self.sight.views.items() if v.identity == self.asked.model]
        return found[0]

    def _told(self, session: Session, rows: Sequence[Any]) -> list[Told]:
        sampled = [row for row in rows if tables(row) & self.sight.scoped]
        seen: dict[UUID, list[Any]] = {row.operation: [] for row in sampled}
        if sampled:
            entries = session.execute(self._sample(sampled)).all()
            for entry in self.sight.seen(session, entries, self.sight.whole):
                seen[entry.operation].append(entry)
        told = [
            self._tell_sample(row, seen[row.operation])
            if row.operation in seen
            else self._tell(row, visible(row, self.sight.whole_of(row)))
            for row in rows
        ]
        return [one for one in told if one is not None]

    def _sample(self, rows: Iterable[Any]) -> Select[Any]:
        """Return the last entries of each change set: those of what was meant, not what came of it.

        In a deletion, what goes along comes first.
        """
        changes = self.journal.changes
        columns = (changes.operation, changes.action, changes.table_name, changes.key)
        parts = [
            select(literal(row.id).label("id"), *columns, changes.label)
            .where(changes.operation == row.operation)
            .order_by(changes.position.desc())
            .limit(SAMPLE)
            .subquery()
            for row in rows
        ]
        return select(union_all(*(select(part) for part in parts)).subquery())

    def _tell_sample(self, row: Any, entries: Sequence[Any]) -> Told | None:
        counts = Counter((entry.table_name, entry.action) for entry in entries)
        deleted = [entry for entry in entries if entry.action == DELETE]
        label = [*deleted, *reversed(entries)][0].label if entries else ""
        return self._tell(row, counts, label)

    def _tell(self, row: Any, counts: Mapping[Name, int], label: str | None = None) -> Told | None:
        """Return the row of the list, or None if what was asked for is not to be seen in it."""
        if label is None:
            label = row.label if len(counts) == len(summary(row)) else ""
        label = label if all(self.sight.label(name, label) for name, _ in counts) else ""
        if not counts or not self._matches(counts, f"{label}\n{row.reason}"):
            return None
        who, source, why = row.operator_name, source_word(row.source), reason(row)
        told = words(self.sight, counts, label)
        address = row.address if any(action in SIGN_INS for _, action in counts) else ""
        return Told(row.id, row.at, who, source, told, why, row.undoes, row.undone_by, address)

    def _matches(self, counts: Mapping[Name, int], text: str) -> bool:
        """Say whether what is to be seen was asked for: the database looked at all of it."""
        table = self._table() if self.asked.model else ""
        return all(word.lower() in text.lower() for word in words_of(self.asked.term)) and any(
            (not table or name == table) and not {"", action}.isdisjoint(self._actions())
            for name, action in counts
        )


def mentions(column: Any, names: Iterable[str]) -> ColumnElement[bool]:
    """Return the condition for summaries that tell of one of these tables."""
    written = (f"[{json.dumps(name)}," for name in sorted(names))
    return or_(literal(False), *(column.contains(text, autoescape=True) for text in written))


def summary(row: Any) -> dict[Name, int]:
    return {(name, action): count for name, action, count in json.loads(row.summary)}


def tables(row: Any) -> set[str]:
    return {name for name, _ in summary(row)}


def visible(row: Any, names: Collection[str]) -> dict[Name, int]:
    return {name: count for name, count in summary(row).items() if name[0] in names}


def models_of(sight: Sight) -> dict[str, str]:
    """Return identity and name of the views whose rows have a history."""
    return {view.identity: view.name_plural for view in sight.views.values()}
